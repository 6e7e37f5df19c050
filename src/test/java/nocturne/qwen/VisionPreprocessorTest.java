package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VisionPreprocessorTest {
    private static final Path TINY = Path.of("models/qwen-image-tiny/processor");

    @Test
    void aPictureLikeAThreadIsRefused() {
        VisionPreprocessor preprocessor = VisionPreprocessor.open(TINY);
        assertThat(preprocessor.seenSize(4000, 20)).isNotNull();
        assertThatThrownBy(() -> preprocessor.seenSize(4001, 20)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("4001 x 20");
    }

    @Test
    void newerFilesNameTheBoundsOtherwise(@TempDir Path folder) throws IOException {
        String config = Files.readString(TINY.resolve("preprocessor_config.json"));
        Files.writeString(folder.resolve("preprocessor_config.json"), config.replace("\"min_pixels\": 3136,", "")
                .replace("\"max_pixels\": 12845056",
                        "\"size\": {\"shortest_edge\": 3136, \"longest_edge\": 12845056}"));
        assertThat(VisionPreprocessor.open(folder).settings())
                .isEqualTo(VisionPreprocessor.open(TINY).settings());
    }

    @Test
    void everythingWrongWithTheSettingsIsToldAtOnce(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("preprocessor_config.json");
        assertThatThrownBy(() -> VisionPreprocessor.open(folder)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("is missing");
        Files.writeString(file, "{\"do_normalize\": false, \"min_pixels\": 0, \"max_pixels\": 12845056, "
                + "\"patch_size\": 14, \"merge_size\": 2, \"temporal_patch_size\": 2, \"image_mean\": [0.5, 0.5], "
                + "\"image_std\": [0.5, 0, 0.5]}");
        assertThatThrownBy(() -> VisionPreprocessor.open(folder))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.report())
                        .contains("do_normalize").contains("min_pixels").contains("image_mean").contains("image_std"));
        Files.writeString(file, "[");
        assertThatThrownBy(() -> VisionPreprocessor.open(folder)).isInstanceOf(UserMistake.class);
    }
}
