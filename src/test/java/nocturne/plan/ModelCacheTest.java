package nocturne.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import nocturne.hub.HubCache;
import nocturne.io.FolderTree;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Models that the hub's own programs have fetched, as those leave them: snapshots of links into `blobs/`.
final class ModelCacheTest {
    private static final String OLD = "0".repeat(40);
    private static final String NEW = "1".repeat(40);
    private static final String KNOWN = "Qwen/Qwen-Image-Edit-2509";

    @TempDir
    private Path scratch;

    private Path home = Path.of("");
    private Path root = Path.of("");
    private Path cache = Path.of("");
    private Path bundle = Path.of("");

    @BeforeEach
    void make() throws IOException {
        scratch = scratch.toRealPath();
        home = Files.createDirectories(scratch.resolve("home"));
        root = Files.createDirectories(home.resolve("models"));
        cache = Files.createDirectories(scratch.resolve("user/.cache/huggingface/hub"));
        bundle = Files.createDirectories(scratch.resolve("bundle"));
    }

    @Test
    void theSnapshotThatMainNamesIsTaken() throws IOException {
        Path old = snapshot(cache, KNOWN, OLD);
        Path latest = snapshot(cache, KNOWN, NEW);
        main(cache, KNOWN, NEW + "\n");
        assertThat(sender().find(KNOWN, bundle)).isEqualTo(latest);
        assertThat(person().find(KNOWN, bundle)).isEqualTo(latest);
        main(cache, KNOWN, OLD);
        assertThat(sender().find(KNOWN, bundle)).isEqualTo(old);
    }

    @Test
    void withoutMainTheOnlySnapshotIsTakenAndOfTwoNone() throws IOException {
        Path only = snapshot(cache, KNOWN, OLD);
        assertThat(sender().find(KNOWN, bundle)).isEqualTo(only);
        snapshot(cache, KNOWN, NEW);
        assertCode(sender(), KNOWN, "MODEL_NOT_FOUND");
    }

    @Test
    void aRootMayBeACacheOfAnyModels() throws IOException {
        Path there = snapshot(root, "Somebody/Else", OLD);
        assertThat(sender().find("Somebody/Else", bundle)).isEqualTo(there);
    }

    @Test
    void whatElseTheServicesUserHasFetchedIsNobodysBusiness() throws IOException {
        snapshot(cache, "Somebody/Else", OLD);
        String there = assertCode(sender(), "Somebody/Else", "MODEL_NOT_FOUND");
        String missing = assertCode(sender(), "Somebody/Nowhere", "MODEL_NOT_FOUND");
        assertThat(there).isEqualTo(missing.replace("Nowhere", "Else"));
        assertThat(person().find("Somebody/Else", bundle)).as("a person's own").exists();
    }

    @Test
    void aFolderOfTheOperatorsGoesBeforeACacheUnlessItLacksFiles() throws IOException {
        Path fetched = snapshot(cache, KNOWN, OLD);
        Path own = pipeline(root.resolve("Qwen-Image-Edit-2509"));
        assertThat(sender().find(KNOWN, bundle)).isEqualTo(own);
        Files.delete(own.resolve("transformer/b.safetensors"));
        assertThat(sender().find(KNOWN, bundle)).isEqualTo(fetched);
    }

    @Test
    void whatIsMissingIsToldWithTheCommandAndWithoutOurFolders() throws IOException {
        Path own = pipeline(root.resolve("Qwen-Image-Edit-2509"));
        Files.delete(own.resolve("transformer/b.safetensors"));
        Files.writeString(own.resolve("transformer/a.safetensors"), "");
        for (ModelSearch search : List.of(sender(), person())) {
            assertThat(assertCode(search, KNOWN, "MODEL_INCOMPLETE")).contains("transformer/a.safetensors",
                    "transformer/b.safetensors", "are missing", "./nocturne pull " + KNOWN)
                    .doesNotContain(scratch.toString());
        }
    }

    /// The hub's programs make a link when its file is whole, and whole folders are missing until then.
    @ParameterizedTest
    @ValueSource(strings = {"transformer/b.safetensors", "vae", "vae/model.safetensors", "tokenizer", "transformer"})
    void aSnapshotThatWasLeftInTheMiddleIsNotWhole(String missing) throws IOException {
        Path there = snapshot(cache, KNOWN, OLD);
        delete(there.resolve(missing));
        assertThat(assertCode(sender(), KNOWN, "MODEL_INCOMPLETE")).contains(missing.replaceFirst("/model", "/*"));
    }

    @Test
    void aLinkWhoseBlobIsGoneIsMissing() throws IOException {
        Path there = snapshot(cache, KNOWN, OLD);
        Files.delete(there.resolve("transformer/b.safetensors").toRealPath());
        assertThat(assertCode(sender(), KNOWN, "MODEL_INCOMPLETE")).contains("transformer/b.safetensors");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../../../secret", "/etc", "main", "", "..", "refs/main", "1111"})
    void aReferenceThatIsNoCommitLeadsNowhere(String reference) throws IOException {
        pipeline(scratch.resolve("user/secret"));
        Files.createDirectories(folder(cache, KNOWN).resolve("snapshots/1111"));
        main(cache, KNOWN, reference);
        assertCode(sender(), KNOWN, "MODEL_NOT_FOUND");
    }

    @Test
    void aModelThatIsALinkOutOfTheCacheIsNotTaken() throws IOException {
        Path other = Files.createDirectories(scratch.resolve("other"));
        snapshot(other, KNOWN, OLD);
        Files.createSymbolicLink(folder(cache, KNOWN), folder(other, KNOWN));
        assertCode(sender(), KNOWN, "MODEL_NOT_FOUND");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Qwen/../secret", "../Qwen", "Qwen/Qwen-Image/x", "Qwen--X/Y", "Qwen\\X", "/Qwen", "Qwen/",
        "Qwen/x..y", "Qwen/.hidden", "Qwen/a\u0000b", "datasets/../x"})
    void whatIsNoIdIsNotLookedForInACache(String name) throws IOException {
        snapshot(cache, KNOWN, OLD);
        assertCode(sender(), name, "MODEL_NOT_FOUND");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Qwen/Qwen-Image", "Qwen/Qwen-Image-2512", "Qwen/Qwen-Image-Edit", KNOWN,
        "Qwen/Qwen-Image-Edit-2511"})
    void aModelOfTheFamilyThatIsNotThereIsToldWithItsCommand(String name) {
        assertThat(assertCode(sender(), name, "MODEL_NOT_FOUND")).contains("./nocturne pull " + name);
        assertThat(assertCode(person(), name, "MODEL_NOT_FOUND")).contains("./nocturne pull " + name);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "HF_HUB_CACHE=/a HF_HOME=/b XDG_CACHE_HOME=/c | /a",
        "HF_HUB_CACHE= HF_HOME=/b XDG_CACHE_HOME=/c   | /b/hub",
        "XDG_CACHE_HOME=/c                            | /c/huggingface/hub",
        "HF_HOME=~/models                             | /home/maya/models/hub",
        "OTHER=/x                                     | /home/maya/.cache/huggingface/hub"
    })
    void theCacheIsWhereTheHubsProgramsWouldLook(String variables, Path expected) {
        Map<String, String> environment = new HashMap<>();
        for (String variable : variables.strip().split(" ")) {
            environment.put(variable.split("=", 2)[0], variable.split("=", 2)[1]);
        }
        assertThat(HubCache.of(environment, "/home/maya")).contains(new HubCache(expected));
    }

    private ModelSearch sender() {
        return new ModelSearch.Below(home, List.of(root), new HubCache(cache));
    }

    private ModelSearch person() {
        return new ModelSearch.Anywhere(home, List.of(root), new HubCache(cache));
    }

    private String assertCode(ModelSearch search, String name, String code) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> search.find(name, bundle));
        assertThat(mistake).as(name).isNotNull();
        assertThat(mistake.problems()).extracting(Problem::code).containsExactly(code);
        return mistake.report();
    }

    private static Path folder(Path hub, String id) {
        return hub.resolve("models--" + id.replace("/", "--"));
    }

    private static void main(Path hub, String id, String reference) throws IOException {
        Path refs = Files.createDirectories(folder(hub, id).resolve("refs"));
        Files.writeString(refs.resolve("main"), reference);
    }

    /// A pipeline of which every file is a link to a blob.
    private static Path snapshot(Path hub, String id, String commit) throws IOException {
        Path model = folder(hub, id);
        Path blobs = Files.createDirectories(model.resolve("blobs"));
        Path snapshot = pipeline(model.resolve("snapshots").resolve(commit));
        List<Path> files;
        try (Stream<Path> all = Files.walk(snapshot)) {
            files = all.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            Path blob = blobs.resolve(commit.charAt(0) + snapshot.relativize(file).toString().replace('/', '-'));
            Files.move(file, blob);
            Files.createSymbolicLink(file, file.getParent().relativize(blob));
        }
        return snapshot;
    }

    private static Path pipeline(Path model) throws IOException {
        for (String part : List.of("transformer", "vae", "text_encoder", "tokenizer", "scheduler")) {
            Files.createDirectories(model.resolve(part));
        }
        for (String file : List.of("transformer/a", "transformer/b", "vae/model", "text_encoder/model")) {
            Files.writeString(model.resolve(file + ".safetensors"), "weights");
        }
        Files.writeString(model.resolve("transformer/model.safetensors.index.json"),
                "{\"weight_map\": {\"one\": \"a.safetensors\", \"two\": \"b.safetensors\"}}");
        return model;
    }

    private static void delete(Path fileOrFolder) throws IOException {
        if (Files.isDirectory(fileOrFolder)) FolderTree.delete(fileOrFolder);
        else Files.delete(fileOrFolder);
    }
}
