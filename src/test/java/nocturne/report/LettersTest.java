package nocturne.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class LettersTest {

    @Test
    void everyPrintableCharacterHasItsOwnShape() {
        Set<String> shapes = new HashSet<>();
        for (char letter = ' '; letter <= 127; letter++) {
            assertThat(shapes.add(Arrays.deepToString(Letters.dots(letter)))).as("the shape of '%s' is new", letter)
                    .isTrue();
        }
    }

    @Test
    void digitsAreEquallyWide() {
        for (char digit = '0'; digit <= '9'; digit++) assertThat(Letters.advance(digit)).isEqualTo(6);
    }

    @Test
    void accentsAreDroppedAndUnknownSignsBecomeBoxes() {
        assertThat(Letters.drawable("Größe – “naïve” … 红")).isEqualTo("Grosse - \"naive\" ... \u007f");
    }

    @Test
    void aShortenedTextEndsInDots() {
        assertThat(Letters.shortened("background", 1000)).isEqualTo("background");
        assertThat(Letters.shortened("a blue background", 70)).startsWith("a blue").endsWith("...");
        assertThat(Letters.shortened("background", 3)).isEmpty();
    }

    @Property(tries = 300)
    void wrappedLinesFitAndLoseNothingWhenThereIsRoom(@ForAll @StringLength(max = 80) String text,
                                                      @ForAll @IntRange(min = 12, max = 200) int dots) {
        String drawable = Letters.drawable(text);
        List<String> lines = Letters.wrapped(drawable, dots, 1000);
        assertThat(lines).allMatch(line -> Letters.width(line) <= dots);
        assertThat(String.join("", lines).replace(" ", "")).isEqualTo(drawable.replace(" ", ""));
        assertThat(Letters.wrapped(drawable, dots, 2)).hasSizeLessThanOrEqualTo(2)
                .allMatch(line -> Letters.width(line) <= dots);
    }
}
