package nocturne.report;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class AxisTest {

    @Test
    void ticksAreRoundNumbers() {
        Axis axis = Axis.over(0.03, 1.21, 0, 100, 6);
        assertThat(axis.ticks().stream().map(axis::label)).containsExactly("0.2", "0.4", "0.6", "0.8", "1.0", "1.2");
        Axis fine = Axis.over(0.40, 0.44, 0, 100, 5);
        assertThat(fine.ticks().stream().map(fine::label)).containsExactly("0.40", "0.41", "0.42", "0.43", "0.44");
    }

    @Test
    void smallNumbersAreWrittenWithAPowerOfTen() {
        assertThat(Axis.scientific(1e-4)).isEqualTo("1e-4");
        assertThat(Axis.scientific(2.5e-5)).isEqualTo("2.5e-5");
        assertThat(Axis.scientific(9.999e-4)).isEqualTo("1e-3");
        assertThat(Axis.scientific(0)).isEqualTo("0");
    }

    @Property(tries = 300)
    void thereAreNeverTooManyTicksAndAllLieOnTheAxis(@ForAll @DoubleRange(min = -1e6, max = 1e6) double low,
            @ForAll @DoubleRange(min = 0.01, max = 1e9) double span, @ForAll @IntRange(min = 1, max = 10) int about) {
        Axis axis = Axis.over(low, low + span, 0, 1000, about);
        assertThat(axis.ticks().size()).isLessThanOrEqualTo(about + 1);
        assertThat(axis.ticks()).allSatisfy(tick -> assertThat(axis.pixel(tick)).isBetween(-1e-3, 1000 + 1e-3));
    }
}
