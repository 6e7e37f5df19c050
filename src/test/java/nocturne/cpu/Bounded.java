package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/// A number computed in double, with a bound on how far float32 arithmetic may end up from it.
///
/// Every operation adds half a unit in the last place, `2^-24` of its result, to what its operands' errors grow to; a
/// sum of n terms adds `n` such halves of the sum of magnitudes, so that it holds for any order of additions. The bound
/// follows from the number format alone: an operation that is off by more is wrong, not merely inexact.
///
/// @param error at least `|float32 result - value|`
record Bounded(double value, double error) {
    static final double HALF_ULP = 0x1p-24;

    /// A number that is given, not computed.
    static Bounded of(double exact) {
        return new Bounded(exact, 0);
    }

    /// `value` rounded to float32 once more.
    private static Bounded rounded(double value, double error) {
        return new Bounded(value, error + HALF_ULP * (Math.abs(value) + error) + Float.MIN_VALUE);
    }

    Bounded plus(Bounded other) {
        return rounded(value + other.value, error + other.error);
    }

    Bounded plus(double exact) {
        return plus(of(exact));
    }

    Bounded minus(Bounded other) {
        return rounded(value - other.value, error + other.error);
    }

    Bounded times(Bounded other) {
        return rounded(value * other.value,
                Math.abs(value) * other.error + Math.abs(other.value) * error + error * other.error);
    }

    Bounded times(double exact) {
        return times(of(exact));
    }

    Bounded over(Bounded other) {
        double least = Math.abs(other.value) - other.error;
        return rounded(value / other.value,
                (Math.abs(other.value) * error + Math.abs(value) * other.error) / (Math.abs(other.value) * least));
    }

    Bounded over(double exact) {
        return over(of(exact));
    }

    Bounded negative() {
        return new Bounded(-value, error);
    }

    /// `1 / sqrt(this)`.
    Bounded reciprocalRoot() {
        double root = Math.sqrt(value);
        double least = Math.sqrt(Math.max(value - error, 0));
        return of(1).over(rounded(root, error / (root + least)));
    }

    /// `e^this`: our polynomial is within two units in the last place, which is four halves.
    Bounded exp() {
        double power = Math.exp(value);
        return rounded(power, power * Math.expm1(error) + 3 * HALF_ULP * power);
    }

    Bounded log() {
        return rounded(Math.log(value), error / (value - error));
    }

    /// `1 - 2 / (e^2x + 1)`: slope at most 1, and few roundings of numbers below 2.
    Bounded tanh() {
        return new Bounded(Math.tanh(value), error + 10 * HALF_ULP);
    }

    static Bounded sum(Bounded... terms) {
        double sum = 0;
        double magnitudes = 0;
        double error = 0;
        for (Bounded term : terms) {
            sum += term.value;
            magnitudes += Math.abs(term.value) + term.error;
            error += term.error;
        }
        return new Bounded(sum, error + terms.length * HALF_ULP * magnitudes);
    }

    /// `sum_i a_i b_i`, each product rounded or fused.
    static Bounded dot(Bounded[] a, Bounded[] b) {
        Bounded[] products = new Bounded[a.length];
        for (int i = 0; i < a.length; i++) products[i] = a[i].times(b[i]);
        return sum(products);
    }

    /// Numbers that are given.
    static Bounded[] of(float[] exact) {
        Bounded[] numbers = new Bounded[exact.length];
        for (int i = 0; i < exact.length; i++) numbers[i] = of(exact[i]);
        return numbers;
    }

    static void assertAllWithin(String what, float[] ours, Bounded[] expected) {
        assertThat(ours).as(what).hasSameSizeAs(expected);
        for (int i = 0; i < ours.length; i++) {
            assertThat((double) ours[i]).as("%s[%d]", what, i)
                    .isCloseTo(expected[i].value, within(expected[i].error + Float.MIN_VALUE));
        }
    }
}
