package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class NumbersTest {
    @Property
    void everyFiniteDoubleReadsBackExactly(@ForAll double value) {
        Assume.that(Double.isFinite(value) && !(value == 0 && 1 / value < 0));
        assertThat(Numbers.parse(Numbers.print(value)).orElseThrow().doubleValue()).isEqualTo(value);
    }

    @Test
    void usualValuesArePrintedAsAPersonWould() {
        assertThat(Numbers.print(2e-4)).isEqualTo("0.0002");
        assertThat(Numbers.print(1e-8)).isEqualTo("1.0e-8");
        assertThat(Numbers.print(-2.5e30)).isEqualTo("-2.5e+30");
        assertThat(Numbers.print(3.5)).isEqualTo("3.5");
        assertThat(Numbers.print(1)).isEqualTo("1");
        assertThat(Numbers.print(1e9)).isEqualTo("1000000000");
    }

    /// Turning either into an integer would take gigabytes or hours.
    @Test
    void hugeExponentsAreNoNumbers() {
        assertThat(Numbers.parse("1e999999999")).isEmpty();
        assertThat(Numbers.parse("1" + "0".repeat(100))).isEmpty();
    }
}
