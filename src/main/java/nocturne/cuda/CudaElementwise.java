package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import nocturne.io.DType;
import nocturne.tensor.Elementwise;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;

/// Operations that touch each number once, by the kernels of `kernels/elementwise.cu`.
final class CudaElementwise implements Elementwise {
    private static final int THREADS = 256;
    /// Threads of a block where a grid has the rows in x and columns in y: a row of 3072 numbers takes three blocks.
    private static final int ROW_THREADS = 128;
    /// Neighbouring numbers that one thread moves; `PACK` in `kernels/device.cuh`.
    private static final int PACK = 8;

    private static final StorageKernel FILL = StorageKernel.named("fill");
    private static final StorageKernel ADD_SCALED = StorageKernel.named("add_scaled");
    private static final StorageKernel GELU_TANH = StorageKernel.named("gelu_tanh");
    private static final StorageKernel GELU_TANH_BACKWARD = StorageKernel.named("gelu_tanh_backward");
    private static final StorageKernel GELU_ERF = StorageKernel.named("gelu_erf");
    private static final StorageKernel SILU = StorageKernel.named("silu");
    private static final StorageKernel SWI_GLU = StorageKernel.named("swi_glu");
    private static final StorageKernel GATED_RESIDUAL = StorageKernel.named("gated_residual");
    private static final StorageKernel GATED_RESIDUAL_BACKWARD = StorageKernel.named("gated_residual_backward");
    private static final StorageKernel ROTATE_HALVES = StorageKernel.named("rotate_halves");

    private final Device device;
    private final ModulationGradient modulationGradient;
    private final Arguments arguments = new Arguments();

    CudaElementwise(Device device, Scratch scratch) {
        this.device = device;
        modulationGradient = new ModulationGradient(device, scratch);
    }

    @Override
    public void fill(Tensor target, float value) {
        launchOnAll(FILL.on(target), target.elements(),
                arguments.start().pointer(target).number(value).longInteger(target.elements()));
    }

    /// Between tensors of different types, this rounds or widens.
    @Override
    public void copy(Tensor source, Tensor target) {
        if (source.type() == target.type()) {
            device.copy(bytes(source, 0, source.elements()), bytes(target, 0, source.elements()));
            return;
        }
        launchOnAll(cast(source.type(), target.type()), source.elements(),
                arguments.start().pointer(source).pointer(target).longInteger(source.elements()));
    }

    private static String cast(DType from, DType to) {
        if (from == DType.F32 && to == DType.BF16) return "cast_f32_bf16";
        if (from == DType.BF16 && to == DType.F32) return "cast_bf16_f32";
        throw new IllegalArgumentException("no conversion from " + from + " to " + to);
    }

    @Override
    public void addScaled(Tensor x, float a, Tensor y) {
        launchOnAll(ADD_SCALED.on(x, y), y.elements(),
                arguments.start().pointer(x).number(a).pointer(y).longInteger(y.elements()));
    }

    @Override
    public void gatedResidual(Tensor x, Tensor y, Tensor modulation, int gatePart, RowMap map, Tensor out) {
        int columns = x.columns();
        arguments.start().pointer(x).pointer(y).pointer(modulation, (long) gatePart * columns).pointer(out)
                .integer(columns).integer(modulation.columns());
        launchOnRows(GATED_RESIDUAL.on(x, y, modulation, out), x.rows(), columns,
                ModulationGradient.rowMap(arguments, map));
    }

    @Override
    public void gatedResidualBackward(Tensor dOut, Tensor y, Tensor modulation, int gatePart, RowMap map, Tensor dy,
            Tensor dModulation) {
        int columns = dOut.columns();
        MemorySegment partials = modulationGradient.partials(map, 1, columns);
        arguments.start().pointer(dOut).pointer(y).pointer(modulation, (long) gatePart * columns).pointer(dy)
                .pointer(partials).integer(columns).integer(modulation.columns());
        launchOnRows(GATED_RESIDUAL_BACKWARD.on(dOut, y, modulation, dy), ModulationGradient.runs(map), columns,
                ModulationGradient.rowMap(arguments, map));
        modulationGradient.add(partials, map, columns, gatePart, dModulation);
    }

    @Override
    public void geluTanh(Tensor x, Tensor y) {
        map(GELU_TANH, x, y);
    }

    @Override
    public void geluTanhBackward(Tensor dy, Tensor x, Tensor dx) {
        mapPairs(GELU_TANH_BACKWARD, dy, x, dx);
    }

    @Override
    public void silu(Tensor x, Tensor y) {
        map(SILU, x, y);
    }

    @Override
    public void geluErf(Tensor x, Tensor y) {
        map(GELU_ERF, x, y);
    }

    @Override
    public void swiGlu(Tensor gate, Tensor up, Tensor y) {
        mapPairs(SWI_GLU, gate, up, y);
    }

    @Override
    public void rotateHalves(Tensor x, Tensor cos, Tensor sin, Tensor y) {
        int pairs = x.columns() / 2;
        arguments.start().pointer(x).pointer(cos).pointer(sin).pointer(y).integer(x.columns()).integer(cos.columns());
        device.launch(ROTATE_HALVES.on(x, y), x.rows(), Blocks.covering(pairs, ROW_THREADS), 1, ROW_THREADS, 1, 1, 0,
                arguments);
    }

    @Override
    public void placeRows(Tensor part, int batch, int offset, Tensor joint) {
        long partElements = part.elements() / batch;
        long jointElements = joint.elements() / batch;
        for (int b = 0; b < batch; b++) {
            device.copy(bytes(part, b * partElements, partElements),
                    bytes(joint, b * jointElements + (long) offset * part.columns(), partElements));
        }
    }

    @Override
    public void takeRows(Tensor joint, int batch, int offset, Tensor part) {
        long partElements = part.elements() / batch;
        long jointElements = joint.elements() / batch;
        for (int b = 0; b < batch; b++) {
            device.copy(bytes(joint, b * jointElements + (long) offset * part.columns(), partElements),
                    bytes(part, b * partElements, partElements));
        }
    }

    private static MemorySegment bytes(Tensor tensor, long from, long elements) {
        int width = tensor.type().bytes();
        return tensor.data().asSlice(from * width, elements * width);
    }

    private void map(StorageKernel kernel, Tensor x, Tensor y) {
        launchOnAll(kernel.on(x, y), x.elements(),
                arguments.start().pointer(x).pointer(y).longInteger(x.elements()));
    }

    private void mapPairs(StorageKernel kernel, Tensor x, Tensor y, Tensor z) {
        launchOnAll(kernel.on(x, y, z), x.elements(),
                arguments.start().pointer(x).pointer(y).pointer(z).longInteger(x.elements()));
    }

    /// One thread for each [#PACK] of all numbers.
    private void launchOnAll(String kernel, long elements, Arguments filled) {
        device.launch(kernel, Blocks.covering(elements, (long) THREADS * PACK), THREADS, filled);
    }

    /// One thread for each [#PACK] numbers of each row, the rows in x.
    private void launchOnRows(String kernel, int rows, int columns, Arguments filled) {
        device.launch(kernel, rows, Blocks.covering(columns, (long) ROW_THREADS * PACK), 1, ROW_THREADS, 1, 1, 0,
                filled);
    }
}
