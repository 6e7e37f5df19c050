package nocturne;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Where `pull` puts a model, `check` and `train` find it, as the service does: in `nocturne.models.roots`.
@DisabledOnOs(OS.WINDOWS)
final class ModelRootsTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder = Path.of("");
    private Path root = Path.of("");
    private Path bundle = Path.of("");

    @BeforeEach
    void place() throws IOException {
        root = Files.createDirectories(folder.resolve("disk"));
        bundle = Files.createDirectories(folder.resolve("maya"));
        Files.copy(Path.of("examples/ohwx/dataset/10_ohwx/0001.png"),
                Files.createDirectories(bundle.resolve("dataset/2_maya")).resolve("1.png"));
        Files.writeString(bundle.resolve("recipe.yaml"), "model: {name_or_path: Maker/Tiny}\n");
    }

    @Test
    void checkFindsItThere() throws IOException {
        assertThat(run("check", bundle.toString(), "-Dnocturne.models.roots=" + root)).isEqualTo(64);
        assertThat(err.toString()).contains("is not here", root.resolve("Maker/Tiny").toString());
        Files.createSymbolicLink(root.resolve("Tiny"), Path.of("models/qwen-image-tiny").toAbsolutePath());
        assertThat(run("check", bundle.toString(), "-Dnocturne.models.roots=" + root)).as("%s", err).isZero();
        assertThat(out.toString()).contains("maya: accepted").doesNotContain("MODEL_NOT_FOUND");
    }

    /// By the settings' file too; the folder that is found there holds no model, which is said of it then.
    @ParameterizedTest
    @ValueSource(strings = {"-D", "--config"})
    void trainLooksThereToo(String way) throws IOException {
        Path file = Files.writeString(folder.resolve("nocturne.yml"),
                "nocturne: {models: {roots: ['" + root + "']}}\n");
        String said = way.equals("-D") ? "-Dnocturne.models.roots=" + root : "--config=" + file;
        Files.createDirectory(root.resolve("Tiny"));
        assertThat(run("train", bundle.toString(), "--out", folder.resolve("out").toString(), said)).isEqualTo(64);
        assertThat(err.toString()).contains(root.resolve("Tiny").toString()).doesNotContain("is not here");
    }

    /// The settings are the service's, and so are its words about them.
    @ParameterizedTest
    @ValueSource(strings = {"check", "train"})
    void settingsThatCannotBeUsedAreNamed(String command) throws IOException {
        Path file = Files.writeString(folder.resolve("nocturne.yml"),
                "nocturne: {models: {pull: missing, roots: ['']}}\n");
        assertThat(run(command, bundle.toString(), "--config=" + file)).isEqualTo(64);
        assertThat(err.toString()).contains("nocturne.models: with pull: missing, nocturne.models.roots must name")
                .doesNotContain("Exception", "\tat ");
        assertThat(run(command, bundle.toString(), "-Dnocturne.models.pull=often")).isEqualTo(64);
        assertThat(err.toString()).contains("nocturne.models.pull: \"often\" is not allowed; one of never, missing")
                .doesNotContain("Exception", "\tat ");
    }

    private int run(String... words) {
        return new Main().run(new PrintWriter(out, true), new PrintWriter(err, true), words);
    }
}
