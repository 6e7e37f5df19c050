package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.ledger.Ledger;
import nocturne.promise.Promise;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is drawn with the recommended checkpoint when training is over: eleven pictures here.
class ProbeTest {
    private static final int PICTURES = 11;

    @TempDir
    private Path scratch = Path.of("");

    private Path bundle = Path.of("");

    @BeforeEach
    void writeBundle() throws IOException {
        bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
        Path recipe = bundle.resolve("recipe.yaml");
        Files.writeString(recipe, Files.readString(recipe).replace("steps: 40", "steps: 4")
                .replace("save_every: 10", "save_every: 2").replace("validate_every_n_steps: 10",
                        "validate_every_n_steps: 2")
                .replace("probe: {enabled: false}", """
                        probe:
                          guidance_scales: [3.0, 4.0]
                          strengths: [0.6, 1.0]
                          seeds: 2
                          prompts: ["a small ohwx", "a ohwx on a beach"]
                        """));
    }

    @Test
    @Ledger({"S1-73", "S2-67", "S2-68", "S2-69", "S2-71", "S2-73", "S2-74"})
    @Promise(row = 3, fault = "kill -9 and a stop while the grid is drawn")
    void theGridIsDrawnAndGoesOnWithTheSameBytesAfterAKillAndAStop() throws IOException {
        Path whole = scratch.resolve("whole/run");
        assertThat(run(whole, null, Stop.NEVER)).isTrue();
        assertThat(grid(whole)).hasSize(PICTURES);
        // The sheet shows single pictures of a strength, of a guidance, of other noise and words: all of them differ.
        assertThat(grid(whole).stream().map(ContentHash::ofFile)).doesNotHaveDuplicates();
        assertThat(Files.readString(whole.resolve("report.html")))
                .contains("What it can do", "Without the trigger word")
                .doesNotContain("pictures were drawn");
        assertThat(ShortRun.events(whole, "nocturne.sample.written.v1"))
                .extracting(event -> event.at("/data/path").asText())
                .contains("samples/grid/" + grid(whole).getFirst().getFileName());

        Path out = scratch.resolve("broken/run");
        ShortRun.Child child = ShortRun.start(bundle, scratch.resolve("home"), out, "--threads", "2");
        child.runUntil(() -> grid(out).size() >= 2);
        child.process().destroyForcibly();
        child.exitCode();
        assertThat(run(out, null, whenThere(out, 5))).as("asked to stop").isFalse();
        assertThat(Files.readString(out.resolve("job.json"))).contains("\"interrupted\"");
        assertThat(grid(out)).hasSizeBetween(5, PICTURES - 1);
        assertThat(out.resolve("tiny.safetensors")).as("the adapter was there before").exists();
        assertThat(run(out, null, Stop.NEVER)).isTrue();
        assertThat(pictures(out)).isEqualTo(pictures(whole)).containsKey("grid.png");
    }

    /// Without the adapters, which name the program's version, and here that is not the same in all attempts.
    private static Map<String, String> pictures(Path out) {
        Map<String, String> results = ShortRun.results(out);
        results.keySet().removeIf(name -> name.endsWith(".safetensors"));
        return results;
    }

    @Test
    @Promise(row = 42, fault = "a time limit that is over before the grid is drawn")
    void aRunThatIsOutOfTimeDrawsNoGrid() throws IOException {
        Path out = scratch.resolve("late/run");
        assertThat(run(out, Duration.ofMillis(1), Stop.NEVER)).isTrue();
        assertThat(grid(out)).isEmpty();
        assertThat(codes(out)).as("said once").containsOnlyOnce("TIME_LIMIT");
        assertThat(Files.readString(out.resolve("report.html"))).contains("0 of 11 pictures were drawn")
                .contains("and is not tried out");
        assertThat(Files.readString(out.resolve("job.json"))).contains("\"completed\"");
    }

    /// The adapter of one run is the other LoRA of the next; its rank is more than the third one takes.
    @Test
    @Ledger("S2-72")
    void anotherLoraIsDrawnAloneAndTogetherWithTheNewOne() throws IOException {
        Path recipe = bundle.resolve("recipe.yaml");
        String plain = Files.readString(recipe);
        Files.writeString(recipe, plain.replace("probe:\n", "probe:\n  enabled: false\n"));
        Path first = scratch.resolve("first/run");
        assertThat(run(first, null, Stop.NEVER)).isTrue();
        Files.copy(first.resolve("tiny_raw.safetensors"), bundle.resolve("style.safetensors"));
        String text = plain.replace("probe:\n", "probe:\n  second_lora: style.safetensors\n");
        Files.writeString(recipe, text);
        Path out = scratch.resolve("second/run");
        assertThat(run(out, null, Stop.NEVER)).isTrue();
        assertThat(grid(out)).hasSize(PICTURES + 2).extracting(file -> file.getFileName().toString())
                .contains("tiny_000000004_second_lora.png", "tiny_000000004_second_lora_alone.png");
        assertThat(grid(out).stream().map(ContentHash::ofFile)).as("each changes the picture").doesNotHaveDuplicates();

        Files.writeString(recipe, text.replace("linear: 4, linear_alpha: 4", "linear: 2, linear_alpha: 2"));
        Path small = scratch.resolve("third/run");
        assertThat(run(small, null, Stop.NEVER)).isTrue();
        assertThat(grid(small)).hasSize(PICTURES);
        assertThat(ShortRun.events(small, ""))
                .filteredOn(event -> event.at("/data/message").asText().startsWith("probe.second_lora: "))
                .as("before the training and after it, not for each of its pictures")
                .extracting(event -> event.at("/data/code").asText(), event -> event.at("/data/severity").asText())
                .containsExactly(tuple("SECOND_LORA_UNUSABLE", "warning"), tuple("PROBE_FAILED", "notice"));
        assertThat(ShortRun.events(small, "")).extracting(event -> event.at("/data/code").asText()
                + event.at("/type").asText()).containsSubsequence("SECOND_LORA_UNUSABLEnocturne.job.notice.v1",
                "nocturne.job.stepped.v1", "PROBE_FAILEDnocturne.job.notice.v1");
        assertThat(Files.readString(small.resolve("report.html"))).contains("style.safetensors has rank 4");
    }

    /// The checkpoint is damaged after it was written and the first picture drawn.
    @Test
    void noFailureOfItIsOneOfTheJobAndWhatWasDrawnIsShown() throws IOException {
        Path out = stopped("sick");
        for (Path file : ShortRun.files(out)) {
            if (file.toString().endsWith(".safetensors") && !file.toString().contains(".state")) {
                Files.writeString(file, "damaged");
            }
        }
        assertThat(run(out, null, Stop.NEVER)).isTrue();
        assertThat(codes(out)).containsOnlyOnce("PROBE_FAILED");
        assertThat(Files.readString(out.resolve("job.json"))).contains("\"completed\"");
        assertThat(out.resolve("grid.png")).exists();
        assertThat(Files.readString(out.resolve("report.html"))).contains("1 of 11 pictures were drawn");
    }

    /// Memory that is not the heap's runs out while the third picture is begun.
    @Test
    void anErrorEndsTheProbeAlone() throws IOException {
        Path out = scratch.resolve("short/run");
        assertThat(run(out, null, whenever(() -> {
            if (grid(out).size() == 2) throw new OutOfMemoryError("no room for a picture");
            return false;
        }))).isTrue();
        assertThat(ShortRun.events(out, "nocturne.job.notice.v1")).extracting(event -> event.at("/data/message")
                .asText()).anyMatch(words -> words.contains("no room for a picture"));
        assertThat(Files.readString(out.resolve("job.json"))).contains("\"completed\"");
        assertThat(Files.readString(out.resolve("report.html"))).contains("2 of 11 pictures were drawn");
    }

    @Test
    void whatAProcessEndedAtIsDrawnLastAndNoOtherNameIsKept() throws IOException {
        Path out = stopped("one-death");
        Path begun = out.resolve(".state/probe");
        assertThat(begun).as("a picture that is there, and a stop, are no deaths").isEmptyFile();
        AtomicFiles.writeString(begun, "base\n");
        assertThat(run(out, null, whenThere(out, PICTURES - 1))).isFalse();
        assertThat(grid(out)).hasSize(PICTURES - 1).noneMatch(file -> file.endsWith("tiny_000000004_base.png"));
        assertThat(run(out, null, Stop.NEVER)).isTrue();
        assertThat(grid(out)).hasSize(PICTURES);
        assertThat(codes(out)).doesNotContain("PROBE_FAILED");
        assertThat(begun).hasContent("base");
    }

    /// A job has three attempts: two deaths, whatever was drawn between them, leave one to complete it.
    @Test
    void afterTwoDeathsAtAnyPicturesTheRestIsLeftOut() throws IOException {
        Path out = stopped("two-deaths");
        AtomicFiles.writeString(out.resolve(".state/probe"), "base\nseed43\n");
        assertThat(run(out, null, Stop.NEVER)).isTrue();
        assertThat(codes(out)).containsOnlyOnce("PROBE_FAILED");
        assertThat(grid(out)).hasSize(1);
        assertThat(out.resolve("grid.png")).exists();
        assertThat(Files.readString(out.resolve("report.html"))).contains("1 of 11 pictures were drawn");
    }

    @Test
    void aSheetThatEndedTheProcessIsLeftOut() throws IOException {
        Path out = stopped("sheet");
        AtomicFiles.writeString(out.resolve(".state/probe"), "sheet\n");
        assertThat(run(out, null, Stop.NEVER)).isTrue();
        assertThat(codes(out)).containsOnlyOnce("PROBE_FAILED");
        assertThat(grid(out)).hasSize(PICTURES);
        assertThat(out.resolve("grid.png")).doesNotExist();
    }

    /// Who asks may kill the process before the picture is there.
    @Test
    void aPictureInWhichAStopIsAskedForIsNotOneThatEndsProcesses() throws IOException {
        Path out = scratch.resolve("impatient/run");
        Path begun = out.resolve(".state/probe");
        List<String> afterwards = new ArrayList<>();
        assertThat(run(out, null, whenever(() -> {
            if (!afterwards.isEmpty() || ShortRun.files(out).contains(begun) && !text(begun).isEmpty()) {
                afterwards.add(text(begun));
            }
            return !afterwards.isEmpty();
        }))).isFalse();
        // Asked after each of four denoising steps, and before the next picture.
        assertThat(afterwards).hasSize(5).startsWith("cfg3.0_strength0.6\n").endsWith("", "", "", "");
        assertThat(grid(out)).hasSize(1);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A run that was asked to stop when its first picture was there.
    private Path stopped(String name) {
        Path out = scratch.resolve(name + "/run");
        assertThat(run(out, null, whenThere(out, 1))).isFalse();
        return out;
    }

    private boolean run(Path out, @Nullable Duration limit, Stop stop) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return Training.run(new TrainingRequest(bundle, null, out, ShortRun.MODEL, 2, scratch.resolve("home"), "test",
                nowhere, false, limit, stop));
    }

    private static Stop whenThere(Path out, int pictures) {
        return whenever(() -> grid(out).size() >= pictures);
    }

    private static Stop whenever(BooleanSupplier asked) {
        return new Stop() {
            @Override
            public boolean isRequested() {
                return asked.getAsBoolean();
            }

            @Override
            public void workBegins() {}
        };
    }

    private static List<Path> grid(Path out) {
        return ShortRun.files(out.resolve("samples/grid"));
    }

    private static List<String> codes(Path out) {
        return ShortRun.events(out, "nocturne.job.notice.v1").stream()
                .map(event -> event.at("/data/code").asText()).toList();
    }
}
