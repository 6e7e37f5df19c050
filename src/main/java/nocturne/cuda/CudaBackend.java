package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import nocturne.io.DType;
import nocturne.quant.QuantizedMatrix;
import nocturne.quant.WeightType;
import nocturne.tensor.Backend;
import nocturne.tensor.DeviceMemory;
import nocturne.tensor.EightBitProducts;
import nocturne.tensor.Operations;
import nocturne.tensor.Philox;
import nocturne.tensor.Products;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;
import nocturne.tensor.WeightStream;
import org.jspecify.annotations.Nullable;

/// Computes on a CUDA device with the kernels of `kernels/`.
///
/// Activations and frozen weights are of the type given here; statistics, trained parameters and their gradients are
/// float32. All arithmetic is in float32 or wider than what is stored.
public final class CudaBackend implements Backend {
    private final Device device;
    private final CudaSettings settings;
    private final Scratch scratch;
    private final Scratch decoded;
    private final HostCopies hostCopies;
    private final Operations operations;
    private final @Nullable CudaEightBitProducts eightBitProducts;
    private final CudaAttention attention;
    private final CudaElementwise elementwise;
    private final CudaOptimisation optimisation;
    private final CudaNoise noise;

    /// @param device      closed with this backend
    /// @param activations [DType#F32] or [DType#BF16]
    public CudaBackend(Device device, DType activations) {
        this(device, CudaSettings.of(activations));
    }

    /// @param device closed with this backend
    public CudaBackend(Device device, CudaSettings settings) {
        this.device = device;
        this.settings = settings;
        scratch = new Scratch(device);
        hostCopies = new HostCopies(device);
        decoded = new Scratch(device);
        attention = new CudaAttention(device, scratch);
        elementwise = new CudaElementwise(device, scratch);
        optimisation = new CudaOptimisation(device, scratch);
        noise = new CudaNoise(device);
        Products exact = new CudaProducts(device, scratch, decoded);
        eightBitProducts = switch (settings.products()) {
            case DECODED -> null;
            case EIGHT_BIT -> new CudaEightBitProducts(exact, new CodedLinear(device, decoded),
                    new ProductError(device, elementwise, optimisation));
        };
        operations = new Operations(eightBitProducts == null ? exact : eightBitProducts,
                new CudaNorms(device, scratch), attention, elementwise, new CudaConvolution(device), optimisation);
    }

    /// See [Backend#rehearsal]; for a card that is not here.
    ///
    /// @param multipliesE4m3 as [Device#multipliesE4m3]
    public static Backend rehearsal(CudaSettings settings, boolean multipliesE4m3) {
        return new CudaBackend(new RehearsedDevice(multipliesE4m3), settings);
    }

    @Override
    public Backend rehearsal() {
        return rehearsal(settings, device.multipliesE4m3());
    }

    @Override
    public String name() {
        String library = device.libraryProducts().map(products -> ", products by " + products.name()).orElse("");
        return "cuda (%s, %s%s)".formatted(device.name(), settings, library);
    }

    @Override
    public List<String> notices() {
        return device.notices();
    }

    @Override
    public String arithmetic() {
        return "cuda, " + settings;
    }

    @Override
    public TensorArena newArena() {
        return new TensorArena(device, settings.activations());
    }

    @Override
    public Weight keep(QuantizedMatrix matrix, TensorArena arena) {
        Tensor codes = arena.allocate(matrix.codeType(), Math.toIntExact(matrix.codes().byteSize()));
        Tensor scales = arena.allocate(DType.F32, Math.toIntExact(matrix.scales().byteSize() / Float.BYTES));
        Tensor zeroPoints = arena.allocate(DType.U8, Math.toIntExact(matrix.zeroPoints().byteSize()));
        device.copyIn(matrix.codes(), codes.data());
        device.copyIn(matrix.scales(), scales.data());
        if (zeroPoints.elements() > 0) device.copyIn(matrix.zeroPoints(), zeroPoints.data());
        return new CodedWeight(Shape.of(matrix.rows(), matrix.columns()), matrix.type(), matrix.rounding(), codes,
                scales, zeroPoints);
    }

    @Override
    public boolean keepsCodes() {
        return true;
    }

    @Override
    public Optional<WeightStream> weightStream(int slots) {
        return Optional.of(new WeightRing(device, settings.activations(), slots));
    }

    @Override
    public void write(float[] source, Tensor target) {
        if (source.length != target.elements()) {
            throw new IllegalArgumentException(source.length + " numbers for a tensor " + target.shape());
        }
        hostCopies.write(MemorySegment.ofArray(source), target);
    }

    @Override
    public void write(Consumer<MemorySegment> writer, Tensor target) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment floats = arena.allocate(Float.BYTES * target.elements(), 64);
            writer.accept(floats);
            hostCopies.write(floats, target);
        }
    }

    @Override
    public void read(Tensor source, float[] target) {
        if (target.length != source.elements()) {
            throw new IllegalArgumentException("a tensor " + source.shape() + " into " + target.length + " numbers");
        }
        hostCopies.read(source, MemorySegment.ofArray(target));
    }

    @Override
    public MemorySegment inHostMemory(Tensor tensor, Arena arena) {
        MemorySegment copy = arena.allocate(tensor.type().bytes() * tensor.elements(), 64);
        device.copyOut(tensor.data().asSlice(0, copy.byteSize()), copy);
        return copy;
    }

    @Override
    public void fromHostMemory(MemorySegment bytes, Tensor target) {
        long expected = target.type().bytes() * target.elements();
        if (bytes.byteSize() != expected) {
            throw new IllegalArgumentException("%d bytes for %s".formatted(bytes.byteSize(), target));
        }
        device.copyIn(bytes, target.data().asSlice(0, expected));
    }

    /// Fills a tensor with the normal numbers at `firstPosition` and after, made on the device. They are those of
    /// [Philox#fillNormal], but for fewer than one in ten million, which is off by one unit in its last place.
    public void fillNormal(Philox source, long firstPosition, Tensor target) {
        noise.fillNormal(source, firstPosition, target);
    }

    @Override
    public void fillNormal(Philox source, float deviation, Tensor target) {
        noise.fillNormal(source, 0, target);
        elementwise.addScaled(target, deviation - 1, target);
    }

    /// Formats with a byte and a scale for each row are made on the device, the others on the host.
    @Override
    public Weight keep(Tensor numbers, WeightType type, TensorArena arena) {
        Optional<Weight> kept = CodedWeight.made(device, numbers, type, arena);
        return kept.orElseGet(() -> Backend.super.keep(numbers, type, arena));
    }

    @Override
    public Optional<DeviceMemory> memory() {
        return device.memory();
    }

    /// One after the other: each operation alone fills the device.
    @Override
    public void together(long multiplyAdds, Runnable first, Runnable second) {
        first.run();
        second.run();
    }

    @Override
    public Operations operations() {
        return operations;
    }

    @Override
    public Optional<EightBitProducts> eightBitProducts() {
        return Optional.ofNullable(eightBitProducts);
    }

    @Override
    public void close() {
        if (eightBitProducts != null) eightBitProducts.close();
        attention.close();
        optimisation.close();
        hostCopies.close();
        decoded.close();
        scratch.close();
        device.close();
    }
}
