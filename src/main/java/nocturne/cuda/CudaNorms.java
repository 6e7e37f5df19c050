package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import nocturne.tensor.Norms;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;

/// Normalisations, by the kernels of `kernels/norms.cu`.
final class CudaNorms implements Norms {
    private static final int WARP = 32;
    /// Neighbouring numbers that one thread moves; `PACK` in `kernels/device.cuh`.
    private static final int PACK = 8;
    /// Packs of a row that one thread holds; `PACKS` in `kernels/norms.cu`.
    private static final int PACKS = 4;
    /// Most threads of a block that has a row, a run of rows, or heads: `ROW_THREADS`, `GRADIENT_THREADS` and
    /// `HEAD_THREADS` in `kernels/norms.cu`.
    private static final int ROW_THREADS = 384;
    private static final int GRADIENT_THREADS = 512;
    private static final int HEAD_THREADS = 512;

    private static final StorageKernel LAYER_NORM = StorageKernel.named("layer_norm_modulate");
    private static final StorageKernel LAYER_NORM_BACKWARD = StorageKernel.named("layer_norm_modulate_backward");
    private static final StorageKernel RMS_NORM = StorageKernel.named("rms_norm");
    private static final StorageKernel RMS_NORM_BACKWARD = StorageKernel.named("rms_norm_backward");
    private static final StorageKernel HEADS = StorageKernel.named("head_norm_rotate");
    private static final StorageKernel HEADS_BACKWARD = StorageKernel.named("head_norm_rotate_backward");

    private final Device device;
    private final ModulationGradient modulationGradient;
    private final Arguments arguments = new Arguments();

    CudaNorms(Device device, Scratch scratch) {
        this.device = device;
        modulationGradient = new ModulationGradient(device, scratch);
    }

    @Override
    public void layerNormModulate(Tensor x, Tensor modulation, int shiftPart, int scalePart, RowMap map, float eps,
            Tensor y, Tensor statistics) {
        int columns = x.columns();
        arguments.start().pointer(x).pointer(modulation, (long) shiftPart * columns)
                .pointer(modulation, (long) scalePart * columns).pointer(y).pointer(statistics).integer(columns)
                .integer(modulation.columns()).number(eps);
        device.launch(LAYER_NORM.on(x, modulation, y), x.rows(), rowThreads(columns),
                ModulationGradient.rowMap(arguments, map));
    }

    @Override
    public void layerNormModulateBackward(Tensor dy, Tensor x, Tensor modulation, int shiftPart, int scalePart,
            RowMap map, Tensor statistics, Tensor dx, boolean accumulate, Tensor dModulation) {
        int columns = x.columns();
        MemorySegment partials = modulationGradient.partials(map, 2, columns);
        arguments.start().pointer(dy).pointer(x).pointer(modulation, (long) scalePart * columns).pointer(statistics)
                .pointer(dx).pointer(partials).integer(columns).integer(modulation.columns())
                .integer(accumulate ? 1 : 0);
        device.launch(LAYER_NORM_BACKWARD.on(dy, x, modulation, dx), ModulationGradient.runs(map),
                threads(columns, PACK, GRADIENT_THREADS), ModulationGradient.rowMap(arguments, map));
        modulationGradient.add(partials, map, columns, shiftPart, scalePart, dModulation);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y) {
        device.launch(RMS_NORM.on(x, weight, y), x.rows(), rowThreads(x.columns()),
                arguments.start().pointer(x).pointer(weight).pointer(y).integer(x.columns()).number(eps));
    }

    @Override
    public void rmsNormBackward(Tensor dy, Tensor x, Tensor weight, float eps, Tensor dx, boolean accumulate) {
        device.launch(RMS_NORM_BACKWARD.on(dy, x, weight, dx), x.rows(), rowThreads(x.columns()),
                arguments.start().pointer(dy).pointer(x).pointer(weight).pointer(dx).integer(x.columns()).number(eps)
                        .integer(accumulate ? 1 : 0));
    }

    @Override
    public void headNormRotate(Tensor x, Tensor weight, Tensor cos, Tensor sin, int batch, int offset, float eps,
            Tensor out) {
        arguments.start().pointer(x).pointer(weight).pointer(cos).pointer(sin).pointer(out);
        launchOnHeads(HEADS.on(x, weight, out), x, weight.columns(), batch, offset, out.rows() / batch, eps);
    }

    @Override
    public void headNormRotateBackward(Tensor dOut, Tensor x, Tensor weight, Tensor cos, Tensor sin, int batch,
            int offset, float eps, Tensor dx) {
        arguments.start().pointer(dOut).pointer(x).pointer(weight).pointer(cos).pointer(sin).pointer(dx);
        launchOnHeads(HEADS_BACKWARD.on(dOut, x, weight, dx), x, weight.columns(), batch, offset, dOut.rows() / batch,
                eps);
    }

    /// The lanes of a head share a warp; a block has as many heads of a token as it has room for.
    ///
    /// @param x `[batch * rows, heads * headDim]`
    private void launchOnHeads(String kernel, Tensor x, int headDim, int batch, int offset, int jointRows, float eps) {
        int heads = x.columns() / headDim;
        int lanes = lanes(headDim);
        int headsOfWarp = WARP / lanes;
        int headsOfBlock = Math.min(Math.ceilDiv(heads, headsOfWarp) * headsOfWarp, HEAD_THREADS / lanes);
        arguments.integer(heads).integer(headDim).integer(x.rows() / batch).integer(offset).integer(jointRows)
                .number(eps);
        device.launch(kernel, x.rows(), 1, 1, lanes, headsOfBlock, 1, 0, arguments);
    }

    /// The smallest power of 2 whose lanes have a pack of a head for each.
    private static int lanes(int headDim) {
        if (headDim > WARP * PACK) throw new IllegalArgumentException("heads of " + headDim + " columns");
        return headDim <= PACK ? 1 : 2 * Integer.highestOneBit(Math.ceilDiv(headDim, PACK) - 1);
    }

    private static int rowThreads(int columns) {
        return threads(columns, PACK * PACKS, ROW_THREADS);
    }

    /// Whole warps with `each` columns a thread.
    private static int threads(int columns, int each, int most) {
        int threads = WARP * Math.ceilDiv(columns, each * WARP);
        if (threads > most) {
            throw new IllegalArgumentException("rows of %d columns; a block takes %d".formatted(columns, most * each));
        }
        return threads;
    }
}
