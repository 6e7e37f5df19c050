package nocturne.quant;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The formats of frozen weights by the names that people give them: the values of a recipe's `qtype`.
public enum WeightType {
    FLOAT8(new Float8Rows(RowScaling.RECIPROCAL), "float8", "fp8"),
    QFLOAT8(new Float8Rows(RowScaling.DIVISION), "qfloat8"),
    INT8(new Int8Rows(RowScaling.RECIPROCAL, 127.5f), "int8"),
    QINT8(new Int8Rows(RowScaling.DIVISION, 127), "qint8"),
    UINT7(new BitGroups(7), "uint7"),
    UINT6(new BitGroups(6), "uint6", "6bit"),
    UINT5(new BitGroups(5), "uint5"),
    UINT4(new BitGroups(4), "uint4", "int4", "qint4"),
    UINT3(new BitGroups(3), "uint3"),
    UINT2(new BitGroups(2), "uint2"),
    /// Known to ai-toolkit, which takes the name and leaves the weights as they are.
    UINT8(null, "uint8");

    private final @Nullable Encoding encoding;
    private final List<String> names;

    WeightType(@Nullable Encoding encoding, String... names) {
        this.encoding = encoding;
        this.names = List.of(names);
    }

    /// The type with this name or one of its other names, in any case.
    public static Optional<WeightType> named(String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        return Stream.of(values()).filter(type -> type.names.contains(wanted)).findFirst();
    }

    /// The name that is written.
    public String spelling() {
        return names.getFirst();
    }

    /// Whether weights are kept in this format where it is asked for; if not, they stay as they are.
    public boolean isApplied() {
        return encoding != null;
    }

    /// Whether rows of this width can be kept so. Matrices of other widths stay as they are.
    public boolean fits(int columns) {
        return encoding != null && encoding.fits(columns);
    }

    /// How many scales a row of this width has: one, or one for each group of 64 columns.
    public int groups(int columns) {
        return encoding().groups(columns);
    }

    /// Bytes that a matrix takes: codes, scales and zero points.
    public long bytes(int rows, int columns) {
        long groups = (long) rows * encoding().groups(columns);
        return encoding().codeBytes(rows, columns) + Float.BYTES * groups + (encoding().hasZeroPoints() ? groups : 0);
    }

    /// Whether codes are 8-bit floats. All that tells the two formats of those apart is how codes are made: what they
    /// mean is the same.
    public boolean isFloat8() {
        return encoding instanceof Float8Rows;
    }

    /// Bits of a code.
    public int bits() {
        return encoding() instanceof BitGroups groups ? groups.bits() : Byte.SIZE;
    }

    /// @throws IllegalStateException if the format is never applied
    Encoding encoding() {
        if (encoding == null) throw new IllegalStateException("weights are never kept in " + spelling());
        return encoding;
    }
}
