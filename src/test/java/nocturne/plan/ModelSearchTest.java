package nocturne.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A home with `models/tiny` and `models/Qwen/Qwen-Image`, a second folder for models on "another disk", and beside
/// them what no sender is to hear of.
class ModelSearchTest {
    @TempDir
    private Path scratch = Path.of("");
    private Path home = Path.of("");
    private Path disk = Path.of("");
    private Path bundle = Path.of("");
    private Path secret = Path.of("");

    @BeforeEach
    void make() throws IOException {
        scratch = scratch.toRealPath();
        home = Files.createDirectories(scratch.resolve("home"));
        disk = Files.createDirectories(scratch.resolve("disk/models"));
        bundle = Files.createDirectories(scratch.resolve("work/incoming/bundle-1/bundle-0a"));
        secret = Files.createDirectories(scratch.resolve("secret/project-x"));
        Files.createDirectories(home.resolve("models/tiny"));
        Files.createDirectories(home.resolve("models/Qwen/Qwen-Image"));
        Files.createDirectories(disk.resolve("large"));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "tiny,                             home/models/tiny",
        "models/tiny,                      home/models/tiny",
        "./models/../models/tiny/,         home/models/tiny",
        "Somebody/tiny,                    home/models/tiny",
        "/elsewhere/on/my/laptop/tiny,     home/models/tiny",
        "Qwen/Qwen-Image,                  home/models/Qwen/Qwen-Image",
        "models/Qwen/Qwen-Image,           home/models/Qwen/Qwen-Image",
        "large,                            disk/models/large",
        "SCRATCH/disk/models/large,        disk/models/large",
        "../disk/models/large,             disk/models/large"
    })
    void aSenderHasWhatLiesBelowTheRootsByNameOrPath(String asked, String found) {
        assertThat(search(home.resolve("models"), disk).find(asked.replace("SCRATCH", scratch.toString()), bundle))
                .isEqualTo(scratch.resolve(found));
    }

    /// What a person tries by hand is what a service would train on, also where his own folder has one of that name.
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"tiny", "models/tiny", "Somebody/tiny", "Qwen/Qwen-Image", "Qwen-Image", "large",
        "Somebody/large", "SCRATCH/disk/models/large", "../disk/models/large", "own", "models/own2", "own2"})
    void aPersonFindsWhatAServiceFinds(String name) throws IOException {
        for (String own : List.of("own", "models/own2")) Files.createDirectories(bundle.resolve(own));
        Files.createDirectories(home.resolve("models/large"));
        Files.createDirectories(disk.resolve("Qwen-Image"));
        String asked = name.replace("SCRATCH", scratch.toString());
        for (List<Path> roots : List.of(List.of(disk, home.resolve("models")), List.of(home.resolve("models"), disk))) {
            ModelSearch person = new ModelSearch.Anywhere(home, roots, null);
            ModelSearch service = new ModelSearch.Below(home, roots);
            assertThat(person.find(asked, bundle)).as("%s in %s", asked, roots).isEqualTo(service.find(asked, bundle));
            assertThat(person.folders()).isEqualTo(service.folders());
        }
    }

    /// So that the trainer means the same folder later, whatever becomes of the links.
    @Test
    void aRootMayBeALinkAndWhatIsFoundHoldsNone() throws IOException {
        Path alias = Files.createSymbolicLink(scratch.resolve("alias"), disk);
        Files.createSymbolicLink(disk.resolve("latest"), Path.of("large"));
        for (String asked : List.of("latest", alias + "/latest", disk + "/latest", "large")) {
            assertThat(search(alias).find(asked, bundle)).as(asked).isEqualTo(disk.resolve("large"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"own", "./own", "models/own2", "own2", "Somebody/own2", "tiny"})
    void aModelMayComeInTheBundleAndGoesBeforeOthers(String asked) throws IOException {
        for (String own : List.of("own", "models/own2", "tiny")) Files.createDirectories(bundle.resolve(own));
        assertThat(search(home.resolve("models")).find(asked, bundle)).startsWith(bundle).isDirectory();
    }

    /// Each is asked for twice: where it is there, and where nothing is.
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"/SCRATCH/secret/NAME", "../secret/NAME", "../../../../secret/NAME",
        "models/../../secret/NAME", "SCRATCH/home/models/../../secret/NAME", "link-to-NAME", "models/link-to-NAME",
        "link-up/secret/NAME", "models/link-up/secret/NAME", "/proc/self/root/SCRATCH/secret/NAME", "linked/NAME"})
    @Promise(row = 34, fault = "models by absolute paths, .., and links out of models and bundle, there and not")
    void whatLiesElsewhereIsAnsweredLikeWhatDoesNotExist(String asked) throws IOException {
        // In a folder for models, in Nocturne's own, and in the bundle, where links never are, but if they were.
        for (Path folder : List.of(home.resolve("models"), home, bundle)) {
            Files.createSymbolicLink(folder.resolve("link-to-project-x"), secret);
            Files.createSymbolicLink(folder.resolve("link-to-project-y"), secret.resolveSibling("project-y"));
            Files.createSymbolicLink(folder.resolve("link-up"), scratch);
            Files.createSymbolicLink(folder.resolve("linked"), secret.getParent());
        }
        String there = asked.replace("SCRATCH", scratch.toString()).replace("NAME", "project-x");
        String missing = there.replace("project-x", "project-y");
        ModelSearch search = search(home.resolve("models"), disk);
        String answer = answer(search, there);
        assertThat(answer).isEqualTo(answer(search, missing).replace("project-y", "project-x"));
        assertThat(answer.replace(there, "")).as("of its own accord").doesNotContain(scratch.toString());
    }

    @Test
    void aRootItselfAndWhatIsNoPathAreNoModels() {
        for (String asked : List.of("/", ".", "..", "models", "models/", "~", "~/x", "../models", "a\u0000b", "\ud800",
                "nothing\nhere", "C:\\models", " ", disk.toString(), disk.getParent().toString(), scratch.toString(),
                "x".repeat(5_000))) {
            assertThat(answer(search(disk), asked)).startsWith(asked + ": is no model that jobs can have here");
        }
    }

    @Test
    void rootsMayBeMissingOrNone() {
        assertThat(answer(search(), "tiny")).isEqualTo(answer(search(scratch.resolve("not mounted")), "tiny"));
    }

    @Test
    void aPersonHasWhateverHeNamesAndHearsWhereItWasLookedFor() throws IOException {
        ModelSearch search = new ModelSearch.Anywhere(home);
        assertThat(search.find(secret.toString(), bundle)).isEqualTo(secret);
        assertThat(search.find("../secret/project-x", bundle)).isEqualTo(secret);
        assertThat(search.find("Somebody/tiny", bundle)).isEqualTo(home.resolve("models/tiny"));
        Path link = Files.createSymbolicLink(scratch.resolve("link"), secret);
        assertThat(search.find(link.toString(), bundle)).isEqualTo(link);
        assertThat(search.find("models/qwen-image-tiny", bundle)).as("from where it is asked")
                .isEqualTo(Path.of("models/qwen-image-tiny").toAbsolutePath());
        assertThat(answer(search, "large")).contains(home.resolve("models/large").toString(), "--model");
        assertThat(answer(search, "a\u0000b")).contains("cannot be the path of a folder");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "Qwen/Qwen-Image-Edit-2508 | Did you mean Qwen/Qwen-Image-Edit-2509?",
        "qwen/qwen_image           | Did you mean Qwen/Qwen-Image?",
        "qwen-image-edit           | Did you mean Qwen/Qwen-Image-Edit?",
        "somebody/else             | Models by name: Qwen/Qwen-Image-Edit-2509, Qwen/Qwen-Image,"
    })
    void whoMisspellsANameHearsTheRightOne(String written, String expected) {
        assertThat(answer(new ModelSearch.Anywhere(home, List.of(disk), null), written))
                .contains(expected, "Qwen-Image-2512");
        assertThat(answer(search(disk), written)).contains(expected, "Qwen-Image-2512");
    }

    @Test
    void whoNamesAKnownModelOrAPathHearsNoNames() {
        for (String asked : List.of("Qwen/Qwen-Image", "/no/where", "../nowhere")) {
            assertThat(answer(new ModelSearch.Anywhere(home, List.of(disk), null), asked))
                    .doesNotContain("Models by name");
        }
    }

    @Test
    void aPlanNeedsNoRecoveryAdapter() {
        ModelSearch search = new ModelSearch.Anywhere(home, List.of(disk), null);
        assertThatThrownBy(() -> search.recovery("ara.safetensors", bundle)).isInstanceOf(UserMistake.class);
        assertThat(new ModelSearch.WithoutRecovery(search).recovery("ara.safetensors", bundle)).isNull();
    }

    @Test
    void aTrainerTakesTheFolderThatWasFoundWhateverTheModelIsCalled() {
        ModelSearch search = new ModelSearch.At(disk.resolve("large"), List.of(disk));
        assertThat(search.find("models/tiny", bundle)).isEqualTo(disk.resolve("large"));
        assertThat(search.folders()).as("where what goes with it lies").containsExactly(disk);
        ModelSearch gone = new ModelSearch.At(disk.resolve("gone"), List.of());
        assertThatThrownBy(() -> gone.find("models/tiny", bundle)).isInstanceOfSatisfying(UserMistake.class,
                mistake -> assertThat(mistake.report()).contains("models/tiny", disk.resolve("gone").toString()));
    }

    private ModelSearch search(Path... roots) {
        return new ModelSearch.Below(home, List.of(roots));
    }

    private String answer(ModelSearch search, String asked) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> search.find(asked, bundle));
        assertThat(mistake).as(asked).isNotNull();
        assertThat(mistake.problems()).extracting(Problem::code).containsExactly("MODEL_NOT_FOUND");
        return mistake.report();
    }
}
