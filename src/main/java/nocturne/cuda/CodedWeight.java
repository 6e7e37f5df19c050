package nocturne.cuda;

import java.util.Optional;
import nocturne.io.DType;
import nocturne.quant.QuantizedMatrix;
import nocturne.quant.Rounding;
import nocturne.quant.WeightType;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;

/// A frozen matrix kept as codes and scales on a device.
///
/// @param shape      `[out, in]`
/// @param rounding   the arithmetic in which codes become numbers
/// @param codes      as in [QuantizedMatrix#codes]
/// @param scales     float32, one for each row or for each 64 numbers of a row
/// @param zeroPoints one byte for each scale; empty for formats without
record CodedWeight(Shape shape, WeightType type, Rounding rounding, Tensor codes, Tensor scales, Tensor zeroPoints)
        implements Weight {
    private static final int THREADS = 128;
    /// `PACK` in `kernels/device.cuh`.
    private static final int PACK = 8;

    private static final StorageKernel INT8 = StorageKernel.named("decode_int8");
    private static final StorageKernel E4M3 = StorageKernel.named("decode_e4m3");
    private static final StorageKernel BITS = StorageKernel.named("decode_bits");

    /// Quantises numbers that are on the device, if this is a format with a byte for a number and a scale for a row.
    /// The codes may differ by one from those of [QuantizedMatrix#quantize], which rounds as the reference does.
    static Optional<Weight> made(Device device, Tensor numbers, WeightType type, TensorArena arena) {
        DType codeType = switch (type) {
            case INT8, QINT8 -> DType.I8;
            case FLOAT8, QFLOAT8 -> DType.F8_E4M3;
            case UINT7, UINT6, UINT5, UINT4, UINT3, UINT2, UINT8 -> DType.U8;
        };
        if (codeType == DType.U8) return Optional.empty();
        Tensor codes = arena.allocate(codeType, numbers.rows(), numbers.columns());
        Tensor scales = arena.allocate(DType.F32, numbers.rows());
        new CudaCodeProducts(device).quantiseRows(numbers, null, codes, scales);
        return Optional.of(new CodedWeight(numbers.shape(), type, Rounding.of(numbers.type()),
                codes.reshape(Math.toIntExact(codes.elements())), scales, arena.allocate(DType.U8, 0)));
    }

    /// Computes the numbers that the codes mean.
    ///
    /// @param numbers `[out, in]`, float32 or bf16
    void decode(Device device, Arguments arguments, Tensor numbers) {
        int bf16Weights = rounding == Rounding.BF16 ? 1 : 0;
        if (codes.type() == DType.U8) {
            arguments.start().pointer(codes).pointer(scales).pointer(zeroPoints).pointer(numbers)
                    .longInteger(elements()).integer(type.bits()).integer(bf16Weights);
            device.launch(BITS.on(numbers), Blocks.covering(elements(), (long) PACK * THREADS), THREADS, arguments);
            return;
        }
        arguments.start().pointer(codes).pointer(scales).pointer(numbers).integer(columns()).integer(bf16Weights);
        StorageKernel kernel = codes.type() == DType.F8_E4M3 ? E4M3 : INT8;
        device.launch(kernel.on(numbers), rows(), Blocks.covering(columns(), (long) PACK * THREADS), 1, THREADS, 1, 1,
                0, arguments);
    }
}
