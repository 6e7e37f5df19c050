package nocturne.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FolderNameTest {
    @Test
    void repeatsAndTriggerAreReadFromTheName() {
        assertThat(FolderName.of(Path.of("data/40_maya_char"))).contains(new FolderName(40, "maya_char"));
        assertThat(FolderName.of(Path.of("10_ohwx woman"))).contains(new FolderName(10, "ohwx"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"maya", "0_maya", "40", "40_", "40maya", "-4_maya", "1000000_maya", "04_maya", "/"})
    void otherNamesSayNothing(String name) {
        assertThat(FolderName.of(Path.of(name))).isEmpty();
    }
}
