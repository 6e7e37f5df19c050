package nocturne.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Where the file after the bar in `qtype: uint3|file` is looked for.
class RecoverySearchTest {
    private final Path root;
    private final Path bundle;
    private final Path home;

    RecoverySearchTest(@TempDir Path folder) throws IOException {
        root = folder;
        bundle = Files.createDirectories(folder.resolve("bundle"));
        home = Files.createDirectories(folder.resolve("home"));
        Files.createDirectories(home.resolve("models"));
    }

    private Path put(String file) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        return Files.writeString(path, "adapter");
    }

    private Path find(String path) {
        return RecoverySearch.find(path, bundle, List.of(home.resolve("models")));
    }

    @Test
    void theBundlesOwnFileComesFirst() throws IOException {
        Path models = put("home/models/adapters/ara.safetensors");
        assertThat(find("adapters/ara.safetensors")).isEqualTo(models);
        Path own = put("bundle/adapters/ara.safetensors");
        assertThat(find("adapters/ara.safetensors")).isEqualTo(own);
    }

    /// What ai-toolkit would fetch is found by the file's name alone.
    @Test
    void aFileInModelsIsFoundByItsLastName() throws IOException {
        Path models = put("home/models/uint3.safetensors");
        assertThat(find("ostris/accuracy_recovery_adapters/uint3.safetensors")).isEqualTo(models);
    }

    @ParameterizedTest
    @ValueSource(strings = {"../secret.safetensors", "a/../../secret.safetensors", "../home/secret.safetensors", "..",
        ".", "/", "nowhere.safetensors"})
    void nothingOutsideIsLookedAt(String path) throws IOException {
        put("secret.safetensors");
        put("home/secret.safetensors");
        assertThatThrownBy(() -> find(path)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("is not here").hasMessageContaining("models/");
    }

    @Test
    void anAbsolutePathMeansItsLastName() throws IOException {
        Path secret = put("secret.safetensors");
        assertThatThrownBy(() -> find(secret.toString())).isInstanceOf(UserMistake.class);
        Path models = put("home/models/secret.safetensors");
        assertThat(find(secret.toString())).isEqualTo(models);
    }
}
