package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentHashTest {
    /// FIPS 180-4's example message and its digest.
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @Test
    void plainHashesAreThoseOfSha256sum(@TempDir Path folder) throws Exception {
        byte[] abc = "abc".getBytes(StandardCharsets.UTF_8);
        assertThat(ContentHash.ofBytes(abc)).isEqualTo(ABC);
        assertThat(ContentHash.ofFile(Files.write(folder.resolve("abc"), abc))).isEqualTo(ABC);
        assertThatThrownBy(() -> ContentHash.ofFile(folder.resolve("def"))).isInstanceOf(UserMistake.class);
    }

    @Test
    void partsDoNotRunIntoOneAnother() {
        String apart = new ContentHash().add("ab").add("c").hex();
        assertThat(apart).isNotEqualTo(new ContentHash().add("a").add("bc").hex());
        assertThat(apart).isNotEqualTo(new ContentHash().add("abc").hex());
        assertThat(apart).isNotEqualTo(new ContentHash().add("ab").add("c").add("").hex());
        assertThat(apart).isEqualTo(new ContentHash().add("ab").add("c").hex());
    }

    @Test
    void numbersAndFilesCount(@TempDir Path folder) throws Exception {
        assertThat(new ContentHash().add(1).hex()).isNotEqualTo(new ContentHash().add(256).hex());
        Path one = Files.writeString(folder.resolve("one"), "same");
        Path two = Files.writeString(folder.resolve("two"), "same");
        String hash = new ContentHash().addFile(one).hex();
        assertThat(new ContentHash().addFile(two).hex()).as("the name does not matter").isEqualTo(hash);
        Files.writeString(two, "Same");
        assertThat(new ContentHash().addFile(two).hex()).isNotEqualTo(hash);
    }
}
