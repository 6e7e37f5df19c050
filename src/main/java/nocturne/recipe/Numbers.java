package nocturne.recipe;

import java.math.BigDecimal;
import java.util.Optional;
import java.util.regex.Pattern;

/// Decimal numbers as people write them: `3000`, `1_000`, `1e-4`, `1.0e-4`, `.5`.
final class Numbers {
    /// Three digits of exponent reach past the largest double, and keep a short text from becoming a gigabyte.
    private static final Pattern DECIMAL = Pattern.compile("[-+]?(\\d+(_\\d+)*(\\.\\d*)?|\\.\\d+)([eE][-+]?\\d{1,3})?");
    private static final int MOST_CHARACTERS = 60;

    private Numbers() {}

    static Optional<BigDecimal> parse(String text) {
        String trimmed = text.strip();
        if (trimmed.length() > MOST_CHARACTERS || !DECIMAL.matcher(trimmed).matches()) return Optional.empty();
        return Optional.of(new BigDecimal(trimmed.replace("_", "")));
    }

    /// The shortest text that reads back as the same double, without an exponent where that stays short.
    static String print(double value) {
        BigDecimal exact = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        String digits = exact.unscaledValue().abs().toString();
        int exponent = digits.length() - 1 - exact.scale();
        if (exact.signum() == 0 || exponent >= -5 && exponent < 16) return exact.toPlainString();
        // YAML 1.1 sees a number only where the mantissa has a point and the exponent a sign.
        return (exact.signum() < 0 ? "-" : "") + digits.charAt(0) + "."
                + (digits.length() == 1 ? "0" : digits.substring(1)) + "e" + (exponent < 0 ? "" : "+") + exponent;
    }
}
