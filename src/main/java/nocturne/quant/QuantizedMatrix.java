package nocturne.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import nocturne.io.DType;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import nocturne.problem.UserMistake;

/// The weights of one linear layer in a format. Immutable once made; any number of threads may read it.
///
/// @param rounding   the type of the weights that went in, and in which those that come out are computed
/// @param rows       outputs of the layer
/// @param columns    inputs of the layer
/// @param codes      `[rows, columns]`, a byte each; for groups of bits all codes of the matrix in [BitShards]
/// @param scales     fp32 `[rows, groups]`, in the machine's byte order
/// @param zeroPoints a byte each, `[rows, groups]`; empty for formats that have none
public record QuantizedMatrix(WeightType type, Rounding rounding, int rows, int columns, MemorySegment codes,
                              MemorySegment scales, MemorySegment zeroPoints) {
    private static final ValueLayout.OfFloat FLOATS = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfByte BYTES = ValueLayout.JAVA_BYTE;

    public QuantizedMatrix {
        if (rows < 1 || columns < 1 || !type.fits(columns)) {
            throw new IllegalArgumentException("a matrix [%d, %d] in %s".formatted(rows, columns, type.spelling()));
        }
        Encoding encoding = type.encoding();
        long groups = (long) rows * encoding.groups(columns);
        requireSize("codes", codes, encoding.codeBytes(rows, columns));
        requireSize("scales", scales, Float.BYTES * groups);
        requireSize("zero points", zeroPoints, encoding.hasZeroPoints() ? groups : 0);
    }

    private static void requireSize(String what, MemorySegment segment, long bytes) {
        if (segment.byteSize() != bytes) {
            throw new IllegalArgumentException("%d bytes of %s, %d are needed".formatted(
                    segment.byteSize(), what, bytes));
        }
    }

    /// A matrix that has a size and no numbers, to find out what memory one takes: nobody may look into it.
    public static QuantizedMatrix withoutNumbers(WeightType type, int rows, int columns) {
        Encoding encoding = type.encoding();
        long groups = (long) rows * encoding.groups(columns);
        return new QuantizedMatrix(type, Rounding.BF16, rows, columns,
                MemorySegment.NULL.reinterpret(encoding.codeBytes(rows, columns)),
                MemorySegment.NULL.reinterpret(Float.BYTES * groups),
                MemorySegment.NULL.reinterpret(encoding.hasZeroPoints() ? groups : 0));
    }

    /// Weights, a row at a time.
    @FunctionalInterface
    public interface Rows {
        /// @param values one for each column
        void read(int row, float[] values);
    }

    /// Quantises a matrix. Different matrices may be quantised by different threads.
    ///
    /// @param name   of the weights, for messages
    /// @param memory gives zeroed memory, which lives as long as the matrix
    /// @throws UserMistake `MODEL_INVALID` if a weight is not finite, or the weights of a row are too far apart
    public static QuantizedMatrix quantize(String name, WeightType type, Rounding rounding, int rows, int columns,
            Rows weights, SegmentAllocator memory) {
        Encoding encoding = type.encoding();
        int groups = encoding.groups(columns);
        QuantizedMatrix matrix = new QuantizedMatrix(type, rounding, rows, columns,
                memory.allocate(encoding.codeBytes(rows, columns)),
                memory.allocate((long) rows * groups * Float.BYTES, Float.BYTES),
                memory.allocate(encoding.hasZeroPoints() ? (long) rows * groups : 0));
        RowCodes codes = RowCodes.of(encoding, columns);
        float[] values = new float[columns];
        for (int row = 0; row < rows; row++) {
            weights.read(row, values);
            encode(name, encoding, rounding, row, values, codes);
            matrix.put(row, codes);
        }
        return matrix;
    }

    /// Quantises a layer's weights from a model's files, in the arithmetic of the type they are stored in.
    ///
    /// @param name a tensor `[out, in]` of floats
    /// @throws UserMistake `TENSOR_MISSING`, or as the other [#quantize]
    public static QuantizedMatrix quantize(
            TensorSource source, String name, WeightType type, SegmentAllocator memory) {
        TensorEntry entry = source.entry(name);
        int columns = Math.toIntExact(entry.shape().getLast());
        return quantize(name, type, Rounding.of(entry.dtype()), Math.toIntExact(entry.elements() / columns), columns,
                rowsOf(source, name, columns), memory);
    }

    private static Rows rowsOf(TensorSource source, String name, int columns) {
        return (row, values) ->
                source.widen(name, (long) row * columns, columns, MemorySegment.ofArray(values), 0);
    }

    private static void encode(
            String name, Encoding encoding, Rounding rounding, int row, float[] values, RowCodes into) {
        encoding.encode(values, rounding, into);
        if (into.isFinite(encoding, rounding)) return;
        throw new UserMistake("MODEL_INVALID", name, ("row %d holds numbers that are not finite or too large to be kept"
                + " in fewer bits; fetch the file again, or set quantize: false").formatted(row));
    }

    private void put(int row, RowCodes from) {
        long at = (long) row * columns;
        if (type.encoding() instanceof BitGroups groups) {
            shards(groups).put(from.codes(), at, codes);
        } else {
            MemorySegment.copy(from.codes(), 0, codes, BYTES, at, columns);
        }
        int groups = from.scales().length;
        MemorySegment.copy(from.scales(), 0, scales, FLOATS, (long) row * groups * Float.BYTES, groups);
        int points = from.zeroPoints().length;
        MemorySegment.copy(from.zeroPoints(), 0, zeroPoints, BYTES, (long) row * points, points);
    }

    private void get(int row, RowCodes into) {
        long at = (long) row * columns;
        if (type.encoding() instanceof BitGroups groups) {
            shards(groups).get(codes, at, into.codes());
        } else {
            MemorySegment.copy(codes, BYTES, at, into.codes(), 0, columns);
        }
        int groups = into.scales().length;
        MemorySegment.copy(scales, FLOATS, (long) row * groups * Float.BYTES, into.scales(), 0, groups);
        int points = into.zeroPoints().length;
        MemorySegment.copy(zeroPoints, BYTES, (long) row * points, into.zeroPoints(), 0, points);
    }

    private BitShards shards(BitGroups groups) {
        return new BitShards(groups.bits(), (long) rows * columns);
    }

    /// What the matrix means, in fp32.
    ///
    /// @param first        row
    /// @param count        of rows
    /// @param target       row-major, in the machine's byte order
    /// @param targetOffset bytes
    public void dequantize(int first, int count, MemorySegment target, long targetOffset) {
        Encoding encoding = type.encoding();
        RowCodes row = RowCodes.of(encoding, columns);
        float[] values = new float[columns];
        for (int i = 0; i < count; i++) {
            get(first + i, row);
            encoding.decode(row, rounding, values);
            MemorySegment.copy(values, 0, target, FLOATS, targetOffset + (long) i * columns * Float.BYTES, columns);
        }
    }

    /// What one element of [#codes] is: a code, or a byte of packed ones.
    public DType codeType() {
        return type.encoding().dtype();
    }

    /// Bytes that codes, scales and zero points take together.
    public long bytes() {
        return codes.byteSize() + scales.byteSize() + zeroPoints.byteSize();
    }
}
