package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import nocturne.image.Background;
import nocturne.image.PictureReader;
import nocturne.io.Safetensors;
import nocturne.ledger.Ledger;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// A run that is interrupted goes on by the same command and ends in the bytes of one that was not.
///
/// The moments are drawn from a seed that is printed; `-Dkill.seed=...` draws them again.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ResumeAfterKillTest {
    private static final int SIGKILL = 128 + 9;
    private static final int STOPPED = 75;

    private Path scratch = Path.of("");

    private Path bundle = Path.of("");
    private final long seed = Long.getLong("kill.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);

    @BeforeAll
    void writeBundle(@TempDir Path shared) {
        scratch = shared;
        bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
    }

    /// With moments in 8 bits, for which the adapter's larger factors are large enough.
    @Test
    @Promise(row = 3, fault = "kill -9 after 7 of 20 steps, then the same command again")
    void sevenStepsAndThirteenAreTwenty() throws IOException {
        Path twenty = ShortRun.bundleIn(scratch.resolve("twenty"));
        Path recipe = twenty.resolve("recipe.yaml");
        Files.writeString(recipe, Files.readString(recipe)
                .replace("linear: 4, linear_alpha: 4", "linear: 16, linear_alpha: 16")
                .replace("optimizer: adamw", "optimizer: adamw8bit")
                .replace("steps: 40", "steps: 20").replace("save_every: 10", "save_every: 7"));
        Path home = scratch.resolve("twenty-home");
        Path whole = scratch.resolve("twenty-whole/run");
        ShortRun.Child undisturbed = ShortRun.start(twenty, home, whole);
        assertThat(undisturbed.exitCode()).as(undisturbed.words()).isZero();

        Path out = scratch.resolve("twenty-killed/run");
        ShortRun.Child first = ShortRun.start(twenty, home, out);
        first.runUntil(() -> Files.exists(out.resolve(".state/step-000000007.safetensors")));
        first.process().destroyForcibly();
        assertThat(first.exitCode()).isEqualTo(SIGKILL);
        ShortRun.Child second = ShortRun.start(twenty, home, out);
        assertThat(second.exitCode()).as(second.words()).isZero();

        assertThat(ShortRun.events(out, "nocturne.job.resumed.v1").getFirst().at("/data/step").asInt())
                .isGreaterThanOrEqualTo(7);
        assertThat(losses(out)).isEqualTo(losses(whole)).hasSize(20);
        assertThat(ShortRun.results(out)).isEqualTo(ShortRun.results(whole));
    }

    /// By step; what was repeated counts as it was the last time.
    private static SortedMap<Integer, Double> losses(Path out) {
        SortedMap<Integer, Double> losses = new TreeMap<>();
        for (JsonNode event : ShortRun.events(out, "nocturne.job.stepped.v1")) {
            losses.put(event.at("/data/step").asInt(), event.at("/data/loss").asDouble());
        }
        return losses;
    }

    @Test
    @Promise(row = 3, fault = "kill -9 five times: while encoding, sampling, training, saving and reporting")
    @Ledger("S1-05")
    void killedFiveTimesItEndsInTheSameBytes() throws Exception {
        System.out.println("kill.seed=" + seed);
        Path home = scratch.resolve("killed/home");
        Path out = scratch.resolve("killed/run");

        int cached = random.nextInt(1, 12);
        killAt("caching, entry " + cached, home, out,
                () -> count(home.resolve("work/cache"), ".safetensors") >= cached);
        int pictures = random.nextInt(1, 4);
        killAt("sampling, picture " + pictures, home, out, () -> count(out.resolve("samples"), ".png") >= pictures);
        int steps = lines(out) + random.nextInt(3, 10);
        killAt("training, event " + steps, home, out, () -> lines(out) >= steps);
        int adapters = count(out, ".safetensors") + random.nextInt(1, 5);
        killAt("saving, file " + adapters, home, out, () -> count(out, ".safetensors") >= adapters);
        String last = List.of("loss.csv", "loss.png", "samples.png").get(random.nextInt(3));
        killAt("the end, " + last, home, out, () -> Files.exists(out.resolve(last)));

        ShortRun.Child child = ShortRun.start(bundle, home, out);
        assertThat(child.exitCode()).as(child.words()).isZero();
        assertThat(ShortRun.results(out)).isEqualTo(ShortRun.uninterrupted(bundle, scratch));
        assertThat(ShortRun.events(out, "nocturne.job.completed.v1").getLast().at("/data/path").asText())
                .isEqualTo("tiny.safetensors");
        assertThat(Files.readString(out.resolve("report.html"))).contains("tiny.safetensors");
        assertThat(leftovers(out)).isEmpty();
    }

    /// The last moment of all: every step is made and saved, and nothing is told yet.
    @Test
    @Promise(row = 3, fault = "kill -9 between the last saved state and the results")
    void killedBetweenTheLastStateAndTheResultsItStillReportsTheFinalAdapter() throws IOException {
        Path home = scratch.resolve("late/home");
        Path out = scratch.resolve("late/run");
        ShortRun.Child first = ShortRun.start(bundle, home, out);
        first.runUntil(() -> Files.exists(out.resolve(".state/step-000000040.safetensors")));
        first.process().destroyForcibly();
        first.exitCode();
        Files.writeString(out.resolve("job.json"),
                Files.readString(out.resolve("job.json")).replace("\"completed\"", "\"running\""));

        ShortRun.Child second = ShortRun.start(bundle, home, out);
        assertThat(second.exitCode()).as(second.words()).isZero();
        assertThat(ShortRun.results(out)).isEqualTo(ShortRun.uninterrupted(bundle, scratch));
        assertThat(ShortRun.events(out, "nocturne.job.completed.v1").getLast().at("/data/path").asText())
                .isEqualTo("tiny.safetensors");
    }

    @Test
    @Promise(row = 21, fault = "SIGTERM at a random step")
    void askedToStopItSavesTheStepItIsAtAndGoesOnFromThere() throws IOException {
        Path home = scratch.resolve("stopped/home");
        Path out = scratch.resolve("stopped/run");
        int after = random.nextInt(11, 19);
        ShortRun.Child first = ShortRun.start(bundle, home, out);
        first.runUntil(() -> ShortRun.events(out, "nocturne.job.stepped.v1").size() >= after);
        first.process().destroy();
        assertThat(first.exitCode()).as(first.words()).isEqualTo(STOPPED);

        JsonNode job = new ObjectMapper().readTree(Files.readString(out.resolve("job.json")));
        int step = job.path("step").asInt();
        assertThat(job.path("state").asText()).isEqualTo("interrupted");
        int made = ShortRun.events(out, "nocturne.job.stepped.v1").size();
        assertThat(step).isGreaterThanOrEqualTo(after).isEqualTo(made);
        assertThat(first.words()).contains("stopped after step " + step);

        ShortRun.Child second = ShortRun.start(bundle, home, out);
        assertThat(second.exitCode()).as(second.words()).isZero();
        assertThat(ShortRun.events(out, "nocturne.job.resumed.v1")).singleElement()
                .satisfies(event -> assertThat(event.at("/data/step").asInt()).isEqualTo(step));
        // No step was made twice.
        assertThat(ShortRun.events(out, "nocturne.job.stepped.v1")).hasSize(40);
        assertThat(ShortRun.results(out)).isEqualTo(ShortRun.uninterrupted(bundle, scratch));
    }

    private void killAt(String moment, Path home, Path out, BooleanSupplier reached) throws Exception {
        int lagMillis = moment.startsWith("the end") ? 0 : random.nextInt(0, 20);
        System.out.println("kill at " + moment + " and " + lagMillis + " ms");
        ShortRun.Child child = ShortRun.start(bundle, home, out);
        child.runUntil(reached);
        child.process().waitFor(lagMillis, TimeUnit.MILLISECONDS);
        child.process().destroyForcibly();
        assertThat(child.exitCode()).as(moment + "\n" + child.words()).isEqualTo(SIGKILL);
        requireNothingHalfWritten(out);
        requireNothingHalfWritten(home);
    }

    /// What has a final name is whole.
    private static void requireNothingHalfWritten(Path folder) {
        for (Path file : ShortRun.files(folder)) {
            String name = file.getFileName().toString();
            if (name.endsWith(".safetensors")) Safetensors.open(file).close();
            if (name.endsWith(".png")) PictureReader.standard().read(file, Background.BLACK);
        }
        ShortRun.events(folder, "");
    }

    private static int lines(Path out) {
        return ShortRun.events(out, "").size();
    }

    private static int count(Path folder, String ending) {
        return (int) ShortRun.files(folder).stream()
                .filter(file -> file.toString().endsWith(ending) && !file.toString().contains(".state"))
                .count();
    }

    private static List<Path> leftovers(Path out) throws IOException {
        try (Stream<Path> files = Files.walk(out)) {
            return files.filter(file -> file.toString().endsWith(".part")).toList();
        }
    }
}
