package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;

/// What a stranger wrote must not do anything to the terminal it is shown on.
final class PrintableTest {

    @Property(tries = 2000)
    @Promise(row = 41, fault = "any text as a name, printed on a terminal")
    void nothingThatActsGetsThrough(@ForAll String text) {
        assertThat(Printable.of(text).codePoints()).allSatisfy(c -> {
            assertThat(Character.isISOControl(c)).isFalse();
            assertThat(Character.getType(c)).isNotIn((int) Character.FORMAT, (int) Character.LINE_SEPARATOR,
                    (int) Character.PARAGRAPH_SEPARATOR, (int) Character.SURROGATE);
        });
    }

    @Test
    @Promise(row = 41, fault = "escape sequences, a right-to-left override and line ends in a name")
    void knownTricksAreDefused() {
        assertThat(Printable.of("a\u001b[31mred\u202Etxt.exe\r\njob.failed\u2028x"))
                .isEqualTo("a\uFFFD[31mred\uFFFDtxt.exe  job.failed\uFFFDx");
    }

    @Test
    void ordinaryNamesStayAsTheyAre() {
        assertThat(Printable.of("Málaga 猫 🌙, 2nd try")).isEqualTo("Málaga 猫 🌙, 2nd try");
    }

    @Test
    void whatIsCutSaysSo() {
        assertThat(Printable.of("🌙🌙🌙🌙🌙", 3)).isEqualTo("🌙🌙…");
        assertThat(Printable.of("🌙🌙🌙", 3)).isEqualTo("🌙🌙🌙");
    }
}
