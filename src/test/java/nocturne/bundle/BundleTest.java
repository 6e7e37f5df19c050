package nocturne.bundle;

import static nocturne.bundle.HostileZipTest.noise;
import static nocturne.bundle.HostileZipTest.zip;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.bundle.HostileZipTest.Entry;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundleTest {
    @TempDir
    Path folder;

    private Path work;

    @BeforeEach
    void workFolder() {
        work = folder.resolve("work");
    }

    @Test
    void aZipIsUnpackedWithoutWhatOperatingSystemsLeaveBehind() throws IOException {
        Bundle bundle = open(zip(new Entry("dataset/", ""), new Entry("dataset/40_maya/1.png", noise(3000)),
                new Entry("dataset/40_maya/1.txt", "a caption"), new Entry("recipe.yaml", "job: extension"),
                new Entry("__MACOSX/dataset/40_maya/._1.png", "x"), new Entry("dataset/.DS_Store", "x"),
                new Entry("dataset/Thumbs.db", "x")));
        assertThat(bundle.files()).containsExactly("dataset/40_maya/1.png", "dataset/40_maya/1.txt", "recipe.yaml");
        assertThat(bundle.root().resolve("dataset/40_maya/1.png")).hasBinaryContent(noise(3000));
        assertThat(bundle.recipe()).hasValueSatisfying(recipe -> assertThat(recipe).hasContent("job: extension"));
        assertThat(bundle.pictureFolders()).containsExactly("dataset/40_maya");
    }

    /// A file in the work folder's place stands for a folder that may not be written, which root never meets.
    @Test
    void aWorkFolderThatCannotBeMadeIsNotTheZipsFault() throws IOException {
        Files.createFile(work);
        byte[] zip = zip(new Entry("1.txt", "x"));
        assertThatThrownBy(() -> open(zip)).hasMessageContaining("cannot be written by this user: " + work)
                .hasMessageNotContainingAny("null", "zip it again");
    }

    @Test
    void theFolderThatAZipWrapsEverythingInIsTheRoot() throws IOException {
        Bundle bundle = open(zip(new Entry("maya/recipe.yml", "x"), new Entry("maya/data/1.png", "y")));
        assertThat(bundle.root()).hasFileName("maya");
        assertThat(bundle.recipe()).contains(bundle.root().resolve("recipe.yml"));
        assertThat(bundle.files()).containsExactly("data/1.png", "recipe.yml");
    }

    @Test
    void aFolderIsOpenedWhereItLiesAndTheWorkFolderStaysUntouched() throws IOException {
        Path source = folder.resolve("40_maya");
        write(source.resolve("1.png"), "y");
        write(source.resolve(".hidden/2.png"), "z");
        Bundle bundle = Bundle.open(source, work, BundleLimits.STANDARD);
        assertThat(bundle.root()).isEqualTo(source);
        assertThat(bundle.files()).containsExactly("1.png");
        assertThat(bundle.pictureFolders()).containsExactly("");
        assertThat(bundle.recipe()).isEmpty();
        assertThat(work).doesNotExist();
    }

    @Test
    void severalRecipesAreNamed() throws IOException {
        Path source = folder.resolve("two");
        write(source.resolve("a.yaml"), "x");
        write(source.resolve("sub/B.JSON"), "y");
        write(source.resolve("sub/deep/metadata.json"), "not a recipe at this depth");
        assertThatThrownBy(() -> Bundle.open(source, work, BundleLimits.STANDARD))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.report())
                        .contains("has 2 recipes: a.yaml, sub/B.JSON").doesNotContain("metadata"));
    }

    @Test
    void aPipelinesListOfContentsIsNoRecipe() throws IOException {
        Path source = folder.resolve("with its model");
        write(source.resolve("recipe.yaml"), "x");
        write(source.resolve("model/model_index.json"), "{}");
        write(source.resolve("model/transformer/config.json"), "{}");
        Bundle bundle = Bundle.open(source, work, BundleLimits.STANDARD);
        assertThat(bundle.recipe()).contains(source.resolve("recipe.yaml"));
        assertThat(bundle.files()).contains("model/model_index.json");
    }

    @Test
    void linksOutOfAFolderAreRefusedAndLinksInsideAreFollowed() throws IOException {
        Path source = folder.resolve("linked");
        write(source.resolve("1.png"), "y");
        write(folder.resolve("secret.txt"), "secret");
        Files.createSymbolicLink(source.resolve("2.png"), source.resolve("1.png"));
        assertThat(Bundle.open(source, work, BundleLimits.STANDARD).files()).containsExactly("1.png", "2.png");
        Files.createSymbolicLink(source.resolve("1.txt"), folder.resolve("secret.txt"));
        assertThatThrownBy(() -> Bundle.open(source, work, BundleLimits.STANDARD))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.report())
                        .contains("1.txt: is a link that leads out of the bundle"));
    }

    @Test
    void openingAgainFindsTheSameFolderWithoutWritingIt() throws IOException {
        byte[] zip = zip(new Entry("a.png", noise(3000)));
        Bundle first = open(zip);
        var written = Files.getLastModifiedTime(first.root().resolve("a.png"));
        Object inode = Files.getAttribute(first.root().resolve("a.png"), "unix:ino");
        Bundle second = open(zip);
        assertThat(second.root()).isEqualTo(first.root());
        assertThat(Files.getLastModifiedTime(second.root().resolve("a.png"))).isEqualTo(written);
        assertThat(Files.getAttribute(second.root().resolve("a.png"), "unix:ino")).isEqualTo(inode);
    }

    /// What a killed attempt leaves is the folder under its temporary name.
    @Test
    void afterACrashTheSameZipUnpacksToTheSame() throws IOException {
        byte[] zip = zip(new Entry("a.png", noise(3000)), new Entry("b.txt", "b"));
        Bundle whole = open(zip);
        String hash = whole.contentHash();
        Path part = whole.root().resolveSibling(whole.root().getFileName() + ".part-999999999");
        Files.move(whole.root(), part);
        Files.write(part.resolve("a.png"), noise(10));
        write(part.resolve("stray/c.png"), "left over");
        Bundle again = open(zip);
        assertThat(again.contentHash()).isEqualTo(hash);
        assertThat(again.files()).containsExactly("a.png", "b.txt");
        assertThat(part).doesNotExist();
    }

    /// In a container the service always has the same number: what its last life left is not its own.
    @Test
    void whatAnEarlierProcessWithOurNumberLeftIsSweptToo() throws IOException {
        byte[] zip = zip(new Entry("a.png", noise(3000)));
        Path whole = open(zip).root();
        Path left = whole.resolveSibling(whole.getFileName() + ".part-" + ProcessHandle.current().pid() + "-7");
        Files.move(whole, left);
        open(zip);
        assertThat(left).doesNotExist();
    }

    @Test
    void theHashFollowsContentAndNamesAndNothingElse() throws IOException {
        String one = open(zip(new Entry("a.png", "1"), new Entry("b.png", "2"))).contentHash();
        Entry junk = new Entry(".DS_Store", "x");
        String reordered = open(zip(new Entry("b.png", "2"), junk, new Entry("a.png", "1"))).contentHash();
        String swapped = open(zip(new Entry("a.png", "2"), new Entry("b.png", "1"))).contentHash();
        String renamed = open(zip(new Entry("a.png", "1"), new Entry("c.png", "2"))).contentHash();
        write(folder.resolve("plain/a.png"), "1");
        write(folder.resolve("plain/b.png"), "2");
        String plain = Bundle.open(folder.resolve("plain"), work, BundleLimits.STANDARD).contentHash();
        assertThat(reordered).isEqualTo(one).matches("[0-9a-f]{64}");
        assertThat(plain).isEqualTo(one);
        assertThat(swapped).isNotEqualTo(one);
        assertThat(renamed).isNotEqualTo(one);
    }

    @Test
    void composedAndDecomposedNamesBecomeTheSameFile() throws IOException {
        assertThat(open(zip(new Entry("e\u0301.png", "1"))).files()).containsExactly("\u00e9.png");
    }

    @Test
    void whatIsNeitherFolderNorZipIsSaidSo() throws IOException {
        Path text = write(folder.resolve("notes.zip"), "hello");
        assertThatThrownBy(() -> Bundle.open(text, work, BundleLimits.STANDARD))
                .isInstanceOf(UserMistake.class).hasMessageEndingWith("is neither a folder nor a zip");
        assertThatThrownBy(() -> Bundle.open(folder.resolve("none"), work, BundleLimits.STANDARD))
                .isInstanceOf(UserMistake.class).hasMessageEndingWith("there is no such file or folder");
    }

    private Bundle open(byte[] zip) throws IOException {
        return Bundle.open(Files.write(folder.resolve("drop.zip"), zip), work, BundleLimits.STANDARD);
    }

    private static Path write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }
}
