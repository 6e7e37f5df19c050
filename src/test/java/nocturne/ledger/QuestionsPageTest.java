package nocturne.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// What only a page can answer is answered on one.
class QuestionsPageTest {
    private final String page;

    QuestionsPageTest() throws IOException {
        page = Files.readString(Path.of("docs/qwen.md")).replaceAll("\\s+", " ");
    }

    @Test
    @Ledger({"S2-13", "S2-75", "S2-77"})
    void ranksAndRatesOfOtherModelsAreSetBesideOurs() {
        assertThat(page).contains("16 for a character", "32 to 64 (FLUX) or 64 to 128 (SDXL)", "more sensitive",
                "FLUX and SDXL (1e-4)");
    }

    @Test
    @Ledger({"S1-16", "S2-56", "S2-59"})
    void nodesPromptsAndLoKrAreExplained() {
        assertThat(page).contains("Why no LoKr?", "quality, subject, details, camera, lighting",
                "None beyond its own", "sampler `euler` and scheduler `simple`");
    }
}
