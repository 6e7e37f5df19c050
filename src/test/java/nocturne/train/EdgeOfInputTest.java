package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import nocturne.plan.ModelSearch;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Bundles at the edge of what is allowed, trained for a step on the small pipeline.
class EdgeOfInputTest {
    private static final Path PICTURE = Path.of("examples/ohwx/dataset/10_ohwx/0001.png");
    private static final Path MODEL = Path.of("models/qwen-image-tiny");
    private static final String ONE_STEP = """
            trigger_word: ohwx
            network: {type: lora, linear: 1, linear_alpha: 1}
            datasets: [{folder_path: pictures, resolution: 64}]
            train: {steps: 1, batch_size: 8, gradient_accumulation: 1, optimizer: adamw%s}
            save: {save_every: 100}
            sample: {prompts: []}
            """;

    @TempDir
    Path home = Path.of("");

    /// The rate of a warm-up's first step is 0, so the LoRA rightly changes nothing yet.
    @Test
    void oneStepThatIsAllWarmUpStillEndsInAFile() throws IOException {
        Path bundle = bundle(ONE_STEP.formatted(
                ", lr_scheduler: constant_with_warmup, lr_scheduler_params: {num_warmup_steps: 5}"));
        assertThat(train(bundle)).isTrue();
        assertThat(home.resolve("outbox/bündle of one/b_ndle of one.safetensors")).exists();
    }

    /// The folder a zip is unpacked to is named by a hash, which nobody would recognise in the morning.
    @Test
    void filesFromAZipAreNamedAfterTheZip() throws IOException {
        Path bundle = bundle(ONE_STEP.formatted(""));
        Path zip = home.resolve("maya.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
            for (String name : List.of("recipe.yaml", "pictures/one.png", "pictures/one.txt")) {
                out.putNextEntry(new ZipEntry(name));
                Files.copy(bundle.resolve(name), out);
            }
        }
        assertThat(train(zip)).isTrue();
        assertThat(home.resolve("outbox/maya/maya.safetensors")).exists();
    }

    /// As the service starts it: the recipe, and who asks, only say what the model is called.
    @Test
    void aModelWhoseFolderIsKnownIsNotLookedForAndKeepsItsName() throws IOException {
        Path bundle = bundle(ONE_STEP.formatted(""));
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        assertThat(Training.run(new TrainingRequest(bundle, "maya", home.resolve("out"), Path.of("No/Such-Model"), 2,
                home, "test", nowhere, false, null, Stop.NEVER, null, new ModelSearch.At(MODEL, List.of())))).isTrue();
        assertThat(Files.readString(home.resolve("out/recipe.resolved.yaml"))).contains("name_or_path: No/Such-Model");
    }

    /// A learning rate beyond all reason: the numbers leave the range of floats at once.
    @Test
    void aRunThatFailsSaysSoInItsEvents() throws IOException {
        Path bundle = bundle(ONE_STEP.formatted(", lr: 1, optimizer_params: {eps: 1.0e-40, weight_decay: 10}")
                .replace("steps: 1", "steps: 40").replace("linear_alpha: 1", "linear_alpha: 512"));
        assertThatThrownBy(() -> train(bundle)).isInstanceOf(UserMistake.class);
        String events = Files.readString(home.resolve("outbox/bündle of one/events.jsonl"));
        assertThat(events.lines().reduce((first, last) -> last).orElseThrow())
                .contains("\"type\":\"nocturne.job.failed.v1\"", "TRAINING_DIVERGED");
    }

    private Path bundle(String recipe) throws IOException {
        Path bundle = home.resolve("bündle of one");
        Files.createDirectories(bundle.resolve("pictures"));
        Files.copy(PICTURE, bundle.resolve("pictures/one.png"));
        Files.writeString(bundle.resolve("pictures/one.txt"), "a ohwx");
        Files.writeString(bundle.resolve("recipe.yaml"), recipe);
        return bundle;
    }

    private boolean train(Path bundle) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return Training.run(new TrainingRequest(bundle, null, MODEL.toAbsolutePath(), 2, home, "test", nowhere));
    }
}
