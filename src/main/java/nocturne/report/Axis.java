package nocturne.report;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/// A straight scale from values to pixels, with round numbers to write beside it.
///
/// @param low   value at `from`
/// @param high  value at `to`, above `low`
/// @param from  pixel of `low`
/// @param to    pixel of `high`; smaller than `from` for an axis that points up
/// @param every distance of the round numbers, 1, 2 or 5 times a power of ten
record Axis(double low, double high, double from, double to, double every) {
    /// @param about how many round numbers would look well
    static Axis over(double low, double high, double from, double to, int about) {
        return new Axis(low, high, from, to, roundStep((high - low) / about));
    }

    double pixel(double value) {
        return from + (value - low) / (high - low) * (to - from);
    }

    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        // Multiples of the distance, counted in whole numbers, so that rounding errors do not add up.
        for (long i = (long) Math.ceil(low / every - 1e-9); i * every <= high + 1e-9 * every; i++) ticks.add(i * every);
        return ticks;
    }

    /// The number with as many places as the distance between two ticks needs.
    String label(double tick) {
        if (tick == 0) return "0";
        double size = Math.abs(tick);
        if (size < 1e-3 || size >= 1e7) return scientific(tick);
        int places = Math.max(0, -exponent(every));
        return BigDecimal.valueOf(tick).setScale(places, RoundingMode.HALF_UP).toPlainString();
    }

    /// Two or three telling digits: `1e-4`, `2.5e-5`.
    static String scientific(double value) {
        if (value == 0) return "0";
        int exponent = exponent(value);
        BigDecimal digits = BigDecimal.valueOf(value).movePointLeft(exponent).setScale(2, RoundingMode.HALF_UP)
                .stripTrailingZeros();
        if (digits.abs().compareTo(BigDecimal.TEN) >= 0) {
            digits = digits.movePointLeft(1).stripTrailingZeros();
            exponent++;
        }
        return digits.toPlainString() + "e" + exponent;
    }

    private static int exponent(double value) {
        BigDecimal exact = BigDecimal.valueOf(Math.abs(value));
        return exact.precision() - exact.scale() - 1;
    }

    private static double roundStep(double atLeast) {
        int exponent = exponent(atLeast);
        for (int digit : new int[] {1, 2, 5}) {
            double step = BigDecimal.valueOf(digit, -exponent).doubleValue();
            if (step >= atLeast * (1 - 1e-9)) return step;
        }
        return BigDecimal.valueOf(1, -exponent - 1).doubleValue();
    }
}
