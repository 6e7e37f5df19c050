package nocturne;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import nocturne.image.PictureFiles;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.train.ShortRun;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What people really hand in: each is refused with all that is wrong in words that say where and what to do, and the
/// output folder is left free for the mended input.
class BadInputTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String WEIGHTS = "diffusion_pytorch_model";

    @TempDir
    private Path folder = Path.of("");

    private Path bundle = Path.of("");
    private Path dataset = Path.of("");
    private Path out = Path.of("");
    private @Nullable String homeBefore;

    @BeforeEach
    void writeSoundBundle() {
        homeBefore = System.getProperty("nocturne.home");
        System.setProperty("nocturne.home", folder.resolve("home").toString());
        bundle = ShortRun.bundleIn(folder.resolve("bundle"));
        dataset = bundle.resolve("dataset/2_ohwx");
        out = folder.resolve("out");
    }

    @AfterEach
    void restoreHome() {
        if (homeBefore == null) System.clearProperty("nocturne.home");
        else System.setProperty("nocturne.home", homeBefore);
    }

    @Test
    void everyPictureThatCannotBeReadIsNamedAtOnce() throws IOException {
        truncate(dataset.resolve("0001.png"), 0.5);
        Files.writeString(dataset.resolve("0002.png"), "not a picture");
        PictureFiles.write(dataset.resolve("0003.png"), bomb());
        Files.write(dataset.resolve("0004.png"), new byte[0]);
        truncate(bundle.resolve("heldout/0001.png"), 0.5);
        assertThat(refusal())
                .contains("0001.png", "0002.png", "0003.png", "60,000 x 60,000", "0004.png", "heldout/0001.png")
                .contains("5 problems", "no training time was spent");
        assertThat(out).doesNotExist();
    }

    @Test
    void aCaptionWhosePictureIsMissingIsNamed() throws IOException {
        Files.delete(dataset.resolve("0002.png"));
        Files.delete(dataset.resolve("0004.png"));
        assertThat(refusal()).contains("0002.txt", "0004.txt", "without a picture");
        assertThat(out).doesNotExist();
    }

    @Test
    void aDatasetWithoutPicturesIsNamed() throws IOException {
        for (Path file : list(dataset)) Files.delete(file);
        Files.writeString(dataset.resolve("notes.md"), "pictures to come");
        assertThat(refusal()).contains("2_ohwx", "no pictures");
    }

    @Test
    void aDatasetFolderThatIsNotThereIsNamed() throws IOException {
        recipe("dataset/2_ohwx", "dataset/ohwx");
        assertThat(refusal()).contains("dataset/ohwx", "no such folder");
    }

    @Test
    void controlPicturesAndPicturesNeedPartnersInBothDirections() throws IOException {
        Path controls = Files.createDirectories(bundle.resolve("controls"));
        for (String name : List.of("0001", "0002", "0003", "0009")) {
            PictureFiles.write(controls.resolve(name + ".png"), PictureFiles.png(64, 64));
        }
        recipe("folder_path: dataset/2_ohwx,", "folder_path: dataset/2_ohwx, control_path: controls,");
        recipe("save: {", "model: {arch: qwen_image_edit_plus}\nsave: {");
        assertThat(refusal()).contains("0004.png", "0005.png", "no control picture in controls", "0009.png");
    }

    @Test
    void aTrainingWithControlPicturesNeedsTheModelsProcessor() throws IOException {
        Path controls = Files.createDirectories(bundle.resolve("controls"));
        for (int i = 1; i <= 5; i++) {
            PictureFiles.write(controls.resolve("000" + i + ".png"), PictureFiles.png(64, 64));
        }
        recipe("folder_path: dataset/2_ohwx,", "folder_path: dataset/2_ohwx, control_path: controls,");
        recipe("save: {", "model: {arch: qwen_image_edit_plus}\nsave: {");
        Path model = copyOfModel();
        delete(model.resolve("processor"));
        assertThat(refusal(model)).contains("processor");
    }

    @ParameterizedTest
    @CsvSource({
        "transformer, diffusion_pytorch_model-00002-of-00004.safetensors",
        "vae, diffusion_pytorch_model.safetensors",
        "text_encoder, model.safetensors"
    })
    void aTruncatedModelFileIsNamedAndTheFolderStaysFreeForTheMendedModel(String part, String file) throws IOException {
        Path model = copyOfModel();
        truncate(model.resolve(part).resolve(file), 0.7);
        assertThat(refusal(model)).contains(file, "truncated copy");

        delete(model.resolve(part));
        copy(ShortRun.MODEL.resolve(part), model.resolve(part));
        recipe("steps: 40", "steps: 1");
        assertThat(run(model)).as(err.toString()).isZero();
        assertThat(out.resolve("tiny.safetensors")).isNotEmptyFile();
    }

    @ParameterizedTest
    @ValueSource(strings = {"transformer/" + WEIGHTS + "-00003-of-00004.safetensors", "vae/" + WEIGHTS + ".safetensors",
        "text_encoder/model.safetensors"})
    void aModelFileWhoseHeaderMakesNoSenseIsNamed(String file) throws IOException {
        Path model = copyOfModel();
        try (RandomAccessFile damaged = new RandomAccessFile(model.resolve(file).toFile(), "rw")) {
            damaged.seek(20);
            damaged.write("][".getBytes(StandardCharsets.US_ASCII));
        }
        assertThat(refusal(model)).contains(file.substring(file.indexOf('/') + 1));
    }

    @Test
    void allMissingPartsOfAModelAreNamedAtOnce() throws IOException {
        Path model = copyOfModel();
        delete(model.resolve("vae"));
        delete(model.resolve("tokenizer"));
        assertThat(refusal(model)).contains("2 parts are missing", "vae: is missing", "tokenizer: is missing");
        assertThat(out).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"transformer/config.json", "vae/config.json", "text_encoder/config.json",
        "scheduler/scheduler_config.json", "tokenizer/tokenizer.json", "vae/" + WEIGHTS + ".safetensors",
        "transformer/" + WEIGHTS + "-00004-of-00004.safetensors", "transformer/" + WEIGHTS + ".safetensors.index.json"})
    void aModelFileThatIsMissingOrEmptyIsNamed(String file) throws IOException {
        Path model = copyOfModel();
        Files.write(model.resolve(file), new byte[0]);
        String part = file.substring(0, file.indexOf('/'));
        assertThat(refusal(model)).contains(part);
        // Without the index the shards are still found by their names.
        if (file.endsWith("index.json")) return;
        Files.delete(model.resolve(file));
        assertThat(refusal(model)).contains(part);
    }

    @ParameterizedTest
    @CsvSource({
        "transformer, num_attention_heads, 3",
        "transformer, attention_head_dim, 48",
        "transformer, num_layers, 9",
        "transformer, joint_attention_dim, 100",
        "transformer, in_channels, 32",
        "transformer, num_layers, -1",
        "transformer, num_layers, 2000000000",
        "vae, base_dim, 24",
        "vae, z_dim, 8",
        "text_encoder, hidden_size, 96",
        "text_encoder, num_hidden_layers, 7",
        "text_encoder, vocab_size, 5"
    })
    void weightsThatDoNotFitTheConfigAreNamed(String part, String key, int value) throws IOException {
        Path model = copyOfModel();
        Path config = model.resolve(part).resolve("config.json");
        ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
        ObjectNode holder = json.has(key) || !json.has("text_config") ? json : (ObjectNode) json.get("text_config");
        assertThat(holder.has(key)).as(holder.toString()).isTrue();
        holder.put(key, value);
        Files.writeString(config, json.toString());
        assertThat(refusal(model)).contains(part);
    }

    @Test
    void everythingThatIsWrongWithARecipeIsSaidAtOnceWithItsLine() throws IOException {
        recipe("linear: 4", "linear: 0");
        recipe("resolution: 64", "resolution: 1000");
        recipe("  steps: 40", "  steps: minus forty\n  stepz: 4");
        recipe("lr: 5e-4", "lr: -1");
        recipe("save_every: 10", "save_every: 0");
        assertThat(refusal()).contains("recipe.yaml has 6 problems", "line 3", "network.linear", "resolution", "992",
                "train.steps", "train.stepz", "train.lr", "save.save_every");
        assertThat(out).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(strings = {"name: [", "- 1\n- 2\n", "name: \"\\0\"\n", "\0\0\0\0", "network: {type: loha}\n",
        "datasets: [{folder_path: \"a\\0b\"}]\n", "a: &a [*a]\n"})
    void aRecipeThatIsNoRecipeIsRefused(String text) throws IOException {
        Files.writeString(bundle.resolve("recipe.yaml"), text);
        assertThat(refusal()).contains("recipe.yaml");
        assertThat(out).doesNotExist();
    }

    @Test
    void twoRecipesAreOneTooMany() throws IOException {
        Files.copy(bundle.resolve("recipe.yaml"), bundle.resolve("other.yml"));
        assertThat(refusal()).contains("recipe.yaml", "other.yml");
    }

    @Test
    void filtersThatLeaveNothingToTrainAreRefusedAndTheFolderStaysFree() throws IOException {
        recipe("linear_alpha: 4", "linear_alpha: 4, network_kwargs: {only_if_contains: [nothing_is_called_so]}");
        assertThat(refusal()).contains("network_kwargs", "no layer");
        Files.delete(bundle.resolve("recipe.yaml"));
        ShortRun.bundleIn(empty(bundle));
        recipe("steps: 40", "steps: 1");
        assertThat(run(ShortRun.MODEL)).as(err.toString()).isZero();
    }

    @Test
    void aModelThatIsNowhereIsNamedWithThePlacesLookedAt() {
        assertThat(refusal(folder.resolve("no-such-model"))).contains("no-such-model", "--model");
    }

    @Test
    void aBundleThatIsNotThereIsNamed() {
        bundle = folder.resolve("no-such-bundle");
        assertThat(refusal()).contains("no-such-bundle", "no such file or folder");
    }

    @Test
    void aZipThatIsNoZipIsRefused() throws IOException {
        bundle = Files.writeString(folder.resolve("bundle.zip"), "PK, he said, and fell silent");
        assertThat(refusal()).contains("bundle.zip", "neither a folder nor a zip");
        Files.write(bundle, new byte[] {'P', 'K', 3, 4, 9, 9, 9, 9});
        assertThat(refusal()).contains("bundle.zip");
    }

    @Test
    void aZipThatWantsOutOfItsFolderIsRefusedAndLeavesNothing() throws IOException {
        Path zip = folder.resolve("bundle.zip");
        try (ZipOutputStream entries = new ZipOutputStream(Files.newOutputStream(zip))) {
            entries.putNextEntry(new ZipEntry("../../evil.png"));
            entries.write(PictureFiles.png(8, 8));
        }
        bundle = zip;
        assertThat(refusal()).contains("leads out of the bundle");
        assertThat(files(folder.resolve("home"))).isEmpty();
        assertThat(folder.resolve("evil.png")).doesNotExist();
    }

    @Test
    void aFolderOfAnotherRunStaysAsItIsByteForByte() throws IOException {
        recipe("steps: 40", "steps: 1");
        assertThat(run(ShortRun.MODEL)).as(err.toString()).isZero();
        SortedMap<String, String> before = files(out);
        recipe("lr: 5e-4", "lr: 4e-4");
        assertThat(inUse()).contains(out.toString(), "another run", "--out");
        assertThat(files(out)).isEqualTo(before);
    }

    @Test
    void aFolderWhoseJobFileIsDamagedStaysAsItIs() throws IOException {
        Files.createDirectories(out);
        Files.writeString(out.resolve("job.json"), "{\"job\": ");
        assertThat(inUse()).contains("job.json", "damaged");
        assertThat(files(out)).hasSize(1);
    }

    @Test
    void aFolderWithSomebodyElsesFilesStaysAsItIs() throws IOException {
        Files.createDirectories(out);
        Files.writeString(out.resolve("thesis.txt"), "the only copy");
        assertThat(inUse()).contains(out.toString(), "not empty");
        assertThat(files(out)).hasSize(1);
    }

    @Test
    void anOutputFolderThatIsAFileOrLiesInTheBundleOrInAFileIsRefused() throws IOException {
        out = Files.writeString(folder.resolve("out"), "a file");
        assertThat(inUse()).contains(out.toString(), "is a file");
        out = folder.resolve("out/below");
        assertThat(refusal()).contains(out.toString());
        out = bundle.resolve("results");
        assertThat(refusal()).contains("inside the bundle");
        assertThat(out).doesNotExist();
        assertThat(folder.resolve("out")).hasContent("a file");
    }

    private StringWriter err = new StringWriter();

    private int run(Path model) {
        err = new StringWriter();
        StringWriter said = new StringWriter();
        return new Main().run(new PrintWriter(said), new PrintWriter(err),
                "train", bundle.toString(), "--out", out.toString(), "--model", model.toString());
    }

    private String refusal() {
        return refusal(ShortRun.MODEL);
    }

    private String refusal(Path model) {
        return refusal(model, ExitCode.USER_MISTAKE);
    }

    /// A folder that this run may not have, whoever has it.
    private String inUse() {
        return refusal(ShortRun.MODEL, ExitCode.IN_USE);
    }

    /// Runs, and answers with the complaint, having checked what holds for all of them.
    private String refusal(Path model, ExitCode code) {
        assertThat(run(model)).as(err.toString()).isEqualTo(code.number());
        String complaint = err.toString();
        assertThat(complaint).isNotBlank().doesNotContain("Exception", "\tat ", "at nocturne.", "null");
        for (Path file : list(folder)) assertThat(AtomicFiles.isLeftover(file)).as(file.toString()).isFalse();
        assertThat(out.resolve("tiny.safetensors")).satisfiesAnyOf(
                adapter -> assertThat(adapter).doesNotExist(),
                adapter -> assertThat(complaint).contains("another run"));
        return complaint;
    }

    private void recipe(String from, String to) throws IOException {
        Path file = bundle.resolve("recipe.yaml");
        String text = Files.readString(file);
        assertThat(text).contains(from);
        Files.writeString(file, text.replace(from, to));
    }

    private Path copyOfModel() {
        return copy(ShortRun.MODEL, folder.resolve("model"));
    }

    private static Path copy(Path from, Path to) {
        try {
            for (Path file : list(from)) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
            return to;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path empty(Path folder) throws IOException {
        for (Path file : list(folder)) Files.delete(file);
        return folder;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) Files.delete(path);
        }
    }

    private static void truncate(Path file, double share) throws IOException {
        try (RandomAccessFile shortened = new RandomAccessFile(file.toFile(), "rw")) {
            shortened.setLength((long) (shortened.length() * share));
        }
    }

    /// A PNG of a few bytes whose header claims 60 000 x 60 000 pixels.
    private static byte[] bomb() {
        return PictureFiles.pngClaiming(60_000, 60_000);
    }

    private static List<Path> list(Path folder) {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// SHA-256 by path.
    private static SortedMap<String, String> files(Path folder) {
        SortedMap<String, String> files = new TreeMap<>();
        for (Path file : list(folder)) files.put(folder.relativize(file).toString(), ContentHash.ofFile(file));
        return files;
    }
}
