package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class NearestNameTest {
    private static final List<String> NAMES = List.of("linear", "linear_alpha", "lr", "steps", "batch_size");

    @Test
    void typingErrorsFindTheirName() {
        assertThat(NearestName.of("lineer", NAMES)).contains("linear");
        assertThat(NearestName.of("linaer_alpha", NAMES)).contains("linear_alpha");
        assertThat(NearestName.of("Batch-Size", NAMES)).contains("batch_size");
        assertThat(NearestName.of("step", NAMES)).contains("steps");
    }

    @Test
    void aStrangeWordFindsNothing() {
        assertThat(NearestName.of("banana", NAMES)).isEmpty();
        assertThat(NearestName.of("x".repeat(1000), NAMES)).isEmpty();
    }

    @Test
    void aSwapOfNeighboursIsOneError() {
        assertThat(NearestName.distance("ab", "ba")).isEqualTo(1);
        assertThat(NearestName.distance("kitten", "sitting")).isEqualTo(3);
    }

    @Property
    void distanceIsSymmetricAndZeroOnlyForEqualWords(@ForAll @AlphaChars @StringLength(max = 8) String a,
                                                     @ForAll @AlphaChars @StringLength(max = 8) String b) {
        assertThat(NearestName.distance(a, b)).isEqualTo(NearestName.distance(b, a));
        assertThat(NearestName.distance(a, b) == 0).isEqualTo(a.equals(b));
    }
}
