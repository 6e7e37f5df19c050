package nocturne.recipe;

import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// An amount of memory as people write it: `24GB`, `22.5GiB`.
public final class MemorySize {
    private static final Pattern FORM =
            Pattern.compile("(\\d{1,4}(?:\\.(\\d+))?) ?(GB|GiB)", Pattern.CASE_INSENSITIVE);
    private static final BigDecimal GIGABYTE = BigDecimal.valueOf(1_000_000_000);
    private static final BigDecimal GIBIBYTE = BigDecimal.valueOf(1L << 30);

    private MemorySize() {}

    /// @param decimals that are accepted, at most
    /// @return bytes; empty if the text is no such size, or one of nothing
    public static Optional<Long> parse(String text, int decimals) {
        Matcher size = FORM.matcher(text);
        if (!size.matches() || size.group(2) != null && size.group(2).length() > decimals) return Optional.empty();
        BigDecimal unit = size.group(3).equalsIgnoreCase("GiB") ? GIBIBYTE : GIGABYTE;
        return Optional.of(new BigDecimal(size.group(1)).multiply(unit).longValue()).filter(bytes -> bytes > 0);
    }

    /// The same number of bytes as text, in GB.
    static String print(long bytes) {
        return BigDecimal.valueOf(bytes).divide(GIGABYTE).stripTrailingZeros().toPlainString() + "GB";
    }
}
