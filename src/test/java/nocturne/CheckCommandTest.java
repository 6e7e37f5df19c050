package nocturne;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `check` answers for people and for programs; its exit code says whether a bundle would be taken.
class CheckCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    private int run(String... words) {
        return new Main().run(new PrintWriter(out, true), new PrintWriter(err, true), words);
    }

    @Test
    void aGoodBundleIsAcceptedWithItsPlan() {
        assertThat(run("check", "examples/ohwx")).isZero();
        assertThat(out.toString()).contains("ohwx: accepted; character, trigger ohwx",
                "24 pictures, 200 samples an epoch; 600 steps of 4 = 12.0 epochs", "[S2-41]", "optimiser",
                "checkpoints, at most", "time: not known");
    }

    @Test
    void aCardThatIsNotHereIsPlannedFor() {
        assertThat(run("check", "examples/ohwx", "--gpu", "24GB")).isZero();
        assertThat(out.toString()).contains("memory (card with 24GB)", "all 6 blocks stay on the device",
                "on a card such as the RTX 4090, estimated");
    }

    @Test
    void programsGetTheSameAsJson() throws IOException {
        assertThat(run("check", "examples/ohwx", "--json", "--gpu", "80GB")).isZero();
        JsonNode said = new ObjectMapper().readTree(out.toString());
        assertThat(said.path("verdict").asText()).isEqualTo("accepted");
        assertThat(said.path("trigger").asText()).isEqualTo("ohwx");
        assertThat(said.path("pictures").path("samplesPerEpoch").asLong()).isEqualTo(200);
        assertThat(said.path("notices").findValuesAsText("code")).contains("S2-41");
        assertThat(said.path("memory").path("parts").findValuesAsText("name")).contains("adapter", "at the peak");
        assertThat(said.path("disk").path("adapter").asLong()).isPositive();
        assertThat(said.path("estimatedSeconds").isMissingNode()).isTrue();
        assertThat(said.path("work").path("estimatedSeconds").asLong()).isPositive();
    }

    @Test
    void aBadOneIsRefusedWithAllItsProblems() throws IOException {
        Files.writeString(folder.resolve("recipe.yaml"), "train: {steps: 0, lr: fast}\nnetwerk: {}\n");
        assertThat(run("check", folder.toString())).isEqualTo(64);
        assertThat(err.toString()).contains("train.steps", "train.lr", "netwerk");
    }

    @Test
    void programsGetTheProblemsOfABadOne() throws IOException {
        Files.writeString(folder.resolve("recipe.yaml"), "train: {steps: 0}\n");
        assertThat(run("check", folder.toString(), "--json")).isEqualTo(64);
        JsonNode said = new ObjectMapper().readTree(out.toString());
        assertThat(said.path("verdict").asText()).isEqualTo("refused");
        assertThat(said.path("problems").findValuesAsText("where")).contains("line 1  train.steps");
    }

    @ParameterizedTest
    @ValueSource(strings = {"plenty", "0GB", "24"})
    void aSizeThatIsNoneIsAMistakeOfTheCommandLine(String size) {
        assertThat(run("check", "examples/ohwx", "--gpu", size)).isEqualTo(64);
        assertThat(err.toString()).contains("--gpu " + size + ": a size such as 24GB");
    }

    /// The recipe in JSON with comments is a recipe; one rank more than numbers can be counted is too much.
    @Test
    void aRankOfMoreNumbersThanCanBeTrainedIsRefused() throws IOException {
        Path pictures = Files.createDirectories(folder.resolve("dataset/2_maya"));
        Files.copy(Path.of("examples/ohwx/dataset/10_ohwx/0001.png"), pictures.resolve("1.png"));
        Path recipe = folder.resolve("recipe.jsonc");
        Files.writeString(recipe, "{\"network\": {\"linear\": 233}, // most\n \"i_know\": [\"S2-09\"]}\n");
        assertThat(run("check", folder.toString(), "--gpu", "80GB")).as("%s", err).isZero();
        assertThat(out.toString()).contains("[MODEL_NOT_FOUND]", "trigger maya");
        Files.writeString(recipe, "{\"network\": {\"linear\": 234}, \"i_know\": [\"S2-09\"]}\n");
        assertThat(run("check", folder.toString(), "--gpu", "80GB")).isEqualTo(64);
        assertThat(err.toString()).contains("network.linear", "a rank of 233");
    }
}
