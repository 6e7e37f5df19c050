package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;

/// Tries a library's products before a run relies on them: small ones of each kind, with numbers so small and whole
/// that every order of summing gives the same bits, which are compared with what is computed here.
final class LibraryTrial implements AutoCloseable {
    // Each dimension is another one, so that none can be taken for another; rows are multiples of 16 bytes.
    private static final int ROWS = 24;
    private static final int COLUMNS = 32;
    private static final int DEPTH = 48;
    private static final boolean[] BOTH = {false, true};

    private final Device device;
    private final LibraryProducts library;
    private final Arena host = Arena.ofConfined();
    private final List<MemorySegment> taken = new ArrayList<>();

    LibraryTrial(Device device, LibraryProducts library) {
        this.device = device;
        this.library = library;
    }

    /// What is wrong with products of bf16; empty if nothing is.
    Optional<String> faultOfProducts() {
        for (boolean transposeA : BOTH) {
            for (boolean transposeB : BOTH) {
                for (DType result : List.of(DType.BF16, DType.F32)) {
                    boolean biased = !transposeA && transposeB;
                    Optional<String> fault = product(transposeA, transposeB, result, biased, 0);
                    if (fault.isEmpty()) fault = product(transposeA, transposeB, result, false, -2);
                    if (fault.isPresent()) return fault;
                }
            }
        }
        return Optional.empty();
    }

    private Optional<String> product(boolean transposeA, boolean transposeB, DType result, boolean biased, float beta) {
        float[] a = numbers(ROWS * DEPTH, 3);
        float[] b = numbers(DEPTH * COLUMNS, 5);
        float[] bias = numbers(COLUMNS, 7);
        float[] before = numbers(ROWS * COLUMNS, 11);
        Tensor left = transposeA ? tensor(DType.BF16, a, DEPTH, ROWS) : tensor(DType.BF16, a, ROWS, DEPTH);
        Tensor right = transposeB ? tensor(DType.BF16, b, COLUMNS, DEPTH) : tensor(DType.BF16, b, DEPTH, COLUMNS);
        Tensor added = biased ? tensor(result, bias, COLUMNS) : null;
        Tensor c = tensor(result, beta == 0 ? nan() : before, ROWS, COLUMNS);
        String what = "%s%s by %s%s%s, beta %s, into %s".formatted(left, transposeA ? "^T" : "", right,
                transposeB ? "^T" : "", biased ? " + bias" : "", beta, c);
        if (!library.product(left, transposeA, right, transposeB, added, 0.5f, beta, c)) {
            return Optional.of("it has nothing for " + what);
        }
        float[] expected = new float[ROWS * COLUMNS];
        for (int i = 0; i < expected.length; i++) {
            float sum = 0;
            for (int k = 0; k < DEPTH; k++) {
                sum += a[transposeA ? k * ROWS + i / COLUMNS : i / COLUMNS * DEPTH + k]
                        * b[transposeB ? i % COLUMNS * DEPTH + k : k * COLUMNS + i % COLUMNS];
            }
            expected[i] = 0.5f * sum + (biased ? bias[i % COLUMNS] : 0) + (beta == 0 ? 0 : beta * before[i]);
        }
        return difference(what, expected, c);
    }

    /// What is wrong with products of codes; empty if nothing is, or none are offered.
    Optional<String> faultOfCodeProducts() {
        for (boolean fastSums : BOTH) {
            Optional<String> fault = codeProduct(DType.BF16, true, 0, fastSums);
            if (fault.isEmpty()) fault = codeProduct(DType.BF16, false, 1, fastSums);
            if (fault.isEmpty()) fault = codeProduct(DType.F32, false, 0, fastSums);
            if (fault.isPresent()) return fault;
        }
        return Optional.empty();
    }

    private Optional<String> codeProduct(DType result, boolean biased, float beta, boolean fastSums) {
        float[] x = numbers(ROWS * DEPTH, 3);
        float[] w = numbers(COLUMNS * DEPTH, 5);
        float[] xScale = powers(ROWS, 3);
        float[] wScale = powers(COLUMNS, 5);
        float[] bias = numbers(COLUMNS, 7);
        float[] before = numbers(ROWS * COLUMNS, 11);
        Tensor y = tensor(result, beta == 0 ? nan() : before, ROWS, COLUMNS);
        boolean done = library.codeProduct(tensor(DType.F8_E4M3, x, ROWS, DEPTH), tensor(DType.F32, xScale, ROWS),
                tensor(DType.F8_E4M3, w, COLUMNS, DEPTH), tensor(DType.F32, wScale, COLUMNS),
                biased ? tensor(DType.BF16, bias, COLUMNS) : null, beta, y, fastSums);
        if (!done) return Optional.empty();
        float[] expected = new float[ROWS * COLUMNS];
        for (int i = 0; i < expected.length; i++) {
            float sum = 0;
            for (int k = 0; k < DEPTH; k++) sum += x[i / COLUMNS * DEPTH + k] * w[i % COLUMNS * DEPTH + k];
            expected[i] = xScale[i / COLUMNS] * wScale[i % COLUMNS] * sum + (biased ? bias[i % COLUMNS] : 0)
                    + (beta == 0 ? 0 : beta * before[i]);
        }
        return difference("codes with scales%s, beta %s, into %s".formatted(biased ? " + bias" : "", beta, y), expected,
                y);
    }

    /// From -1 to 2, in an order that depends on `seed`.
    private static float[] numbers(int count, int seed) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = i * seed % 13 % 4 - 1;
        return numbers;
    }

    /// Of two: as many different ones as `period` says.
    private static float[] powers(int count, int period) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = Math.scalb(1f, i % period - 2);
        return numbers;
    }

    private static float[] nan() {
        float[] numbers = new float[ROWS * COLUMNS];
        Arrays.fill(numbers, Float.NaN);
        return numbers;
    }

    private Tensor tensor(DType type, float[] numbers, int... dims) {
        MemorySegment values = host.allocate((long) type.bytes() * numbers.length, 16);
        for (int i = 0; i < numbers.length; i++) {
            switch (type) {
                case F32 -> values.setAtIndex(ValueLayout.JAVA_FLOAT, i, numbers[i]);
                case BF16 -> values.setAtIndex(ValueLayout.JAVA_SHORT, i, HalfPrecision.toBf16(numbers[i]));
                case F8_E4M3 -> values.set(ValueLayout.JAVA_BYTE, i, HalfPrecision.toE4m3(numbers[i]));
                default -> throw new IllegalArgumentException("no trial of " + type);
            }
        }
        MemorySegment memory = device.allocate(values.byteSize());
        taken.add(memory);
        device.copyIn(values, memory);
        return new Tensor(Shape.of(dims), type, memory);
    }

    private Optional<String> difference(String what, float[] expected, Tensor result) {
        MemorySegment values = host.allocate(result.data().byteSize(), 16);
        device.copyOut(result.data(), values);
        for (int i = 0; i < expected.length; i++) {
            boolean isNarrow = result.type() == DType.BF16;
            float number = isNarrow ? HalfPrecision.fromBf16(values.getAtIndex(ValueLayout.JAVA_SHORT, i))
                    : values.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            float wanted = isNarrow ? HalfPrecision.fromBf16(HalfPrecision.toBf16(expected[i])) : expected[i];
            if (number != wanted) {
                return Optional.of("its trial went wrong: %s, row %d, column %d is %s and should be %s".formatted(what,
                        i / COLUMNS, i % COLUMNS, number, wanted));
            }
        }
        return Optional.empty();
    }

    @Override
    public void close() {
        taken.forEach(device::release);
        host.close();
    }
}
