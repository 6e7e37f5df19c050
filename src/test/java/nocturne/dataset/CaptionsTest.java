package nocturne.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.ledger.Ledger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CaptionsTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "a photo of [trigger]      | maya | a photo of maya",
        "[name] and [trigger]      | maya | maya and maya",
        "maya in a park            | maya | maya in a park",
        "a park                    | maya | maya a park",
        "amaya in a park           | maya | maya amaya in a park",
        "mayas, amaya and maya.    | maya | mayas, amaya and maya.",
        "woman                     | man  | man woman",
        "a maya_2 in a park        | maya | maya a maya_2 in a park",
        "a <maya>, in a park       | maya | a <maya>, in a park",
        "photo of<maya>            | <maya> | photo of<maya>",
        "一张maya的照片            | maya | 一张maya的照片",
        "我的小猫照片              | 小猫 | 我的小猫照片",
        "Äöhwx                     | öhwx | öhwx Äöhwx",
        "a photo of [trigger]      | ''   | a photo of",
        "''                        | maya | maya",
        "''                        | ''   | ''"
    })
    void theTriggerReplacesItsPlaceholderOrComesFirst(String caption, String trigger, String expected) {
        assertThat(Captions.withTrigger(caption, trigger, true)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "maya in a park            | maya, body, in a park",
        "maya, in a park           | maya, body, in a park",
        "in a park                 | maya, body, in a park",
        "a park with maya          | body, a park with maya",
        "maya, body, in a park     | maya, body, in a park",
        "maya, somebody in a park  | maya, body, somebody in a park",
        "''                        | maya, body"
    })
    @Ledger("S2-58")
    void aTagComesBehindTheTriggerWordWhereItIsMissing(String caption, String expected) {
        assertThat(Captions.withWords(caption, "maya", true, "body")).isEqualTo(expected);
        assertThat(Captions.withWords(caption, "maya", true, ""))
                .isEqualTo(Captions.withTrigger(caption, "maya", true));
    }

    @Test
    void aRegularisationCaptionIsNotGivenTheTrigger() {
        assertThat(Captions.withTrigger("a park", "maya", false)).isEqualTo("a park");
    }

    @Test
    void linesBecomeOne() {
        assertThat(Captions.oneLine("  a park \r\n\n at night.\nIt rains\n")).isEqualTo("a park, at night. It rains");
    }

    @Test
    void theByteOrderMarkOfAWindowsEditorIsNoPartOfTheCaption() throws Exception {
        assertThat(Captions.read(Files.writeString(folder.resolve("a.txt"), "\ufeffa park"))).isEqualTo("a park");
    }

    @Test
    void otherEncodingsAndLongFilesAreRefused() throws IOException {
        Path latin = Files.write(folder.resolve("a.txt"), "caf\u00e9".getBytes(StandardCharsets.ISO_8859_1));
        Path longest = Files.writeString(folder.resolve("b.txt"), "x".repeat(64 << 10));
        Path tooLong = Files.writeString(folder.resolve("c.txt"), "x".repeat((64 << 10) + 1));
        assertThatThrownBy(() -> Captions.read(latin)).hasMessageContaining("not UTF-8");
        assertThatThrownBy(() -> Captions.read(tooLong)).hasMessageContaining("longer than 64 KB");
        try {
            assertThat(Captions.read(longest)).hasSize(64 << 10);
        } catch (Captions.Unusable e) {
            throw new AssertionError(e);
        }
    }
}
