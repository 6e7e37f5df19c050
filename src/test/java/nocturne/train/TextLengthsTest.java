package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.cpu.CpuBackend;
import nocturne.dataset.CacheFolder;
import nocturne.dataset.SamplePictures;
import nocturne.dataset.findings.CaptionTokens;
import nocturne.image.PictureFiles;
import nocturne.image.PictureReader;
import nocturne.image.Resample;
import nocturne.plan.Inspection;
import nocturne.plan.ModelSearch;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.PromptTemplate;
import nocturne.recipe.Recipe;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;
import nocturne.train.Workloads.Tokens;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is expected of texts before they are encoded is what then comes out: a plan that expected less would end a job
/// that had begun.
class TextLengthsTest {
    private static final Path HOME = Path.of("").toAbsolutePath();
    private static final String LONG = "a large ohwx beside a small green star, ".repeat(12) + "gray background";
    private static final String CHINESE = "一幅画，灰色背景上有一颗大星星。".repeat(6);
    private static final CaptionTokens TOKENIZER = new TokensOfModel(ModelFolder.open(ShortRun.MODEL));

    @TempDir
    private Path folder;

    /// No picture has a caption file; those that are held out have, and short ones.
    @Test
    void theCaptionOfThoseWithoutOneCounts() throws IOException {
        Path bundle = ShortRun.bundleIn(folder.resolve("bundle"));
        for (Path file : captions(bundle.resolve("dataset/2_ohwx"))) Files.delete(file);
        for (Path file : captions(bundle.resolve("heldout"))) Files.writeString(file, "ohwx");
        write(bundle, Files.readString(bundle.resolve("recipe.yaml"))
                .replace("resolution: 64}", "resolution: 64, default_caption: \"%s\"}".formatted(LONG))
                .replace("a green star", CHINESE));
        Inspection found = inspection(bundle);
        Tokens encoded = encoded(found);
        assertThat(encoded.training()).isGreaterThan(encoded.heldOut() + 50);
        assertThat(expected(found, TOKENIZER)).usingRecursiveComparison().ignoringFields("prompts").isEqualTo(encoded);
        assertThat(Collections.max(expected(found, TOKENIZER).prompts()))
                .isEqualTo(Collections.max(encoded.prompts()));
        // The small model's tokenizer knows fewer words than the released one, for which the guess is made.
        assertThat(expected(found, CaptionTokens.UNKNOWN).training()).isGreaterThan(LONG.length() / 3);
    }

    /// Each control picture stands before the words, and takes more than its own tokens.
    @Test
    void controlPicturesAreCountedWithWhatStandsAroundThem() throws IOException {
        Path bundle = folder.resolve("bundle");
        for (String name : List.of("set/a.png", "one/a.png", "two/a.png")) {
            Path file = bundle.resolve(name);
            Files.createDirectories(file.getParent());
            Files.write(file, PictureFiles.png(64, 64));
        }
        Files.writeString(bundle.resolve("set/a.txt"), LONG);
        write(bundle, """
                trigger_word: ohwx
                datasets: [{folder_path: set, control_path: [one, two], resolution: 64}]
                train: {steps: 2}
                sample: {prompts: []}
                probe: {enabled: false}
                """);
        Inspection found = inspection(bundle);
        Tokens encoded = encoded(found);
        Tokens expected = expected(found, TOKENIZER);
        assertThat(expected.training()).isBetween(encoded.training(), encoded.training() + 8);
        assertThat(Collections.max(expected.prompts())).isGreaterThanOrEqualTo(Collections.max(encoded.prompts()));
    }

    @Test
    void whatIsCutOffIsNotCounted() {
        TextLengths texts = new TextLengths(CaptionTokens.UNKNOWN);
        assertThat(texts.alone("word ".repeat(2000))).isEqualTo(PromptTemplate.WORD_LIMIT);
        assertThat(texts.behind(1, 200, "word ".repeat(2000))).isGreaterThan(PromptTemplate.WORD_LIMIT + 200);
    }

    /// Numbers by hand: 0.35 a letter, 1 a character of Asia or a picture, 5 for the template's end.
    @ParameterizedTest
    @CsvSource({"abcdefghij, 9", "'', 5", "一二三四五六七八九十, 15", "жизнь, 7", "ひらがな, 9", "🦊🦊, 7", "ab 一二, 9"})
    void withoutATokenizerCharactersAreCounted(String text, int tokens) {
        assertThat(new TextLengths(CaptionTokens.UNKNOWN).alone(text)).isEqualTo(tokens);
    }

    @Test
    void aCaptionIsCountedOnce() {
        int[] asked = new int[1];
        TextLengths texts = new TextLengths(text -> OptionalInt.of(++asked[0]));
        assertThat(texts.alone("a")).isEqualTo(texts.alone("a"));
        assertThat(asked[0]).isEqualTo(1);
    }

    private static Tokens expected(Inspection found, CaptionTokens tokens) {
        return Tokens.expected(found.resolved().recipe(), found.training(), found.heldOut(), new TextLengths(tokens));
    }

    /// As in a run.
    private Tokens encoded(Inspection found) {
        Recipe recipe = found.resolved().recipe();
        ModelFolder model = ModelFolder.open(ShortRun.MODEL);
        PromptTemplate template = Settings.editTemplate(recipe);
        try (Backend backend = new CpuBackend(1); TensorArena passes = backend.newArena();
                Encoders encoders = new Encoders(model, backend, new CacheFolder(folder.resolve("cache")))) {
            SamplePictures pictures = new SamplePictures(PictureReader.standard(), (picture, width, height) ->
                    Resample.pillow(picture, width, height, Resample.Filter.LANCZOS, Resample.Order.HORIZONTAL_FIRST));
            Examples examples = new Examples(encoders, pictures, template, true);
            Examples.Progress silent = (what, done, total) -> {};
            return Tokens.of(recipe, examples.of(found.training(), silent),
                    found.heldOut() == null ? List.of() : examples.of(found.heldOut(), silent),
                    new Studio(recipe.drawn(), found.bundle().root(), encoders, template, true, model.schedule(),
                            backend, passes));
        }
    }

    private Inspection inspection(Path bundle) {
        return Inspection.of(Bundle.open(bundle, folder.resolve("bundles"), BundleLimits.STANDARD), "tiny", null,
                new ModelSearch.Anywhere(HOME));
    }

    private static void write(Path bundle, String recipe) throws IOException {
        String arch = recipe.contains("control_path") ? ", arch: qwen_image_edit_plus" : "";
        Files.writeString(bundle.resolve("recipe.yaml"),
                recipe + "model: {name_or_path: %s%s}\n".formatted(ShortRun.MODEL, arch));
    }

    private static List<Path> captions(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".txt")).toList();
        }
    }
}
