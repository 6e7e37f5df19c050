package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFolderTest {
    private static final String ONE = "m-00001-of-00002.safetensors";
    private static final String TWO = "m-00002-of-00002.safetensors";
    private static final String INDEX = "m.safetensors.index.json";

    @TempDir
    Path folder;

    @BeforeEach
    void twoShards() {
        shard(ONE, "a", 1);
        shard(TWO, "b", 2);
    }

    private void shard(String file, String tensor, int value) {
        SafetensorsWriter.write(folder.resolve(file), Map.of("format", "pt", "from", file),
                List.of(TensorData.ints(tensor, List.of(1L), new int[] {value})));
    }

    private void index(String json) {
        AtomicFiles.writeString(folder.resolve(INDEX), json);
    }

    @Test
    void shardsWithAnIndexReadAsOneInTheOrderOfTheIndex() {
        index("{\"metadata\":{\"total_size\":8},\"weight_map\":{\"b\":\"%s\",\"a\":\"%s\"}}".formatted(TWO, ONE));
        for (Path path : List.of(folder, folder.resolve(INDEX))) {
            try (TensorSource tensors = SafetensorsFolder.open(path)) {
                assertThat(tensors.tensors().keySet()).containsExactly("b", "a");
                assertThat(tensors.ints("a")).containsExactly(1);
                assertThat(tensors.floats("b")).containsExactly(2);
                assertThat(tensors.metadata()).containsEntry("from", ONE);
                assertThatThrownBy(() -> tensors.bytes("c")).isInstanceOf(UserMistake.class);
            }
        }
    }

    @Test
    void theShippedModelReadsAsOne() {
        try (TensorSource tensors = SafetensorsFolder.open(Path.of("models/qwen-image-tiny/transformer"))) {
            assertThat(tensors.has("img_in.weight")).isTrue();
            for (TensorEntry entry : tensors.tensors().values()) {
                assertThat(tensors.floats(entry.name())).as(entry.name()).hasSize((int) entry.elements());
            }
        }
    }

    @Test
    void shardsWithoutAnIndexReadAsOne() {
        try (TensorSource tensors = SafetensorsFolder.open(folder)) {
            assertThat(tensors.tensors().keySet()).containsExactly("a", "b");
            assertThat(tensors.ints("b")).containsExactly(2);
        }
    }

    @Test
    void oneFileReadsAsItself() {
        try (TensorSource tensors = SafetensorsFolder.open(folder.resolve(TWO))) {
            assertThat(tensors.ints("b")).containsExactly(2);
        }
    }

    @Test
    void aShardThatIsNotThereIsNamed() throws Exception {
        index("{\"weight_map\":{\"a\":\"%s\",\"b\":\"%s\"}}".formatted(ONE, TWO));
        Files.delete(folder.resolve(TWO));
        refuses(TWO + ", which is not there");
        Files.delete(folder.resolve(INDEX));
        refuses("lacks " + TWO);
    }

    @Test
    void aTensorThatItsShardLacksIsNamed() {
        index("{\"weight_map\":{\"a\":\"%s\",\"b\":\"%s\",\"c\":\"%s\"}}".formatted(ONE, ONE, TWO));
        refuses("lacks tensor b");
        refuses("lacks tensor c");
    }

    @Test
    void aTensorInTwoFilesIsNamed() {
        shard("other.safetensors", "a", 3);
        refuses("holds tensor a, which is also in " + ONE);
    }

    @Test
    void anIndexCannotReachOutsideItsFolder() {
        index("{\"weight_map\":{\"a\":\"../secret.safetensors\"}}");
        refuses("not a file name");
    }

    @Test
    void anIndexThatIsNoneIsRefused() {
        for (String json : List.of("", "[]", "{}", "{\"weight_map\":{}}", "{\"weight_map\":{\"a\":1}}",
                "{\"weight_map\":",
                "{\"weight_map\":{\"a\":\"%s\",\"a\":\"%s\"}}".formatted(ONE, TWO), "[".repeat(100_000))) {
            index(json);
            refuses(INDEX);
        }
    }

    @Test
    void anEmptyFolderIsAMistake(@TempDir Path empty) {
        assertThatThrownBy(() -> SafetensorsFolder.open(empty)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("holds no *.safetensors file");
    }

    private void refuses(String reason) {
        assertThatThrownBy(() -> SafetensorsFolder.open(folder)).isInstanceOfSatisfying(UserMistake.class,
                mistake -> assertThat(mistake.report()).contains(reason));
    }
}
