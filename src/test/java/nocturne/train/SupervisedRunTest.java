package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// `nocturne train --supervised`, as a service starts it: what it says of itself, and how it leaves.
///
/// The moments are drawn from a seed that is printed; `-Dseed=...` draws them again.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SupervisedRunTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String STEPPED = "nocturne.job.stepped.v1";
    private static final int STOPPED = 75;

    private final long seed = Long.getLong("seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);
    private Path scratch = Path.of("");
    private Path bundle = Path.of("");

    @BeforeAll
    void writeBundle(@TempDir Path shared) {
        System.out.println("seed=" + seed);
        scratch = shared;
        bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
    }

    @Test
    @Promise(row = 25, fault = "a watcher that reads the heartbeat as fast as it can, from the first moment on")
    void theHeartbeatIsAlwaysWholeAndSaysWhatIsGoingOn() throws Exception {
        Path out = scratch.resolve("watched/run");
        Path file = out.resolve(".state/heartbeat.json");
        ShortRun.Child child = start("watched");
        Set<String> phases = new HashSet<>();
        long beat = 0;
        long work = 0;
        while (child.process().isAlive()) {
            String text = Files.exists(file) ? Files.readString(file) : "";
            if (text.isEmpty()) continue;
            JsonNode heartbeat = JSON.readTree(text);
            assertThat(heartbeat.path("pid").asLong()).isEqualTo(child.process().pid());
            assertThat(heartbeat.path("beat").asLong()).isGreaterThanOrEqualTo(beat);
            assertThat(heartbeat.path("work").asLong()).isGreaterThanOrEqualTo(work);
            beat = heartbeat.path("beat").asLong();
            work = heartbeat.path("work").asLong();
            long step = heartbeat.path("step").asLong();
            if (step > 0) assertThat(ShortRun.events(out, STEPPED)).hasSizeGreaterThanOrEqualTo((int) step);
            phases.add(heartbeat.path("phase").asText());
        }
        assertThat(child.exitCode()).as(child.words()).isZero();
        assertThat(beat).isGreaterThan(3);
        assertThat(phases).contains("loading", "caching")
                .isSubsetOf("loading", "caching", "training", "sampling", "saving");
        assertThat(child.words()).doesNotContain("\r", "\033");
        assertThat(ShortRun.results(out)).isEqualTo(ShortRun.uninterrupted(bundle, scratch));
    }

    @Test
    @Promise(row = 23, fault = "the service's end of the pipe closed at a random step, and while pictures are encoded")
    void whenItsParentIsGoneItSavesItsStateAndLeaves() throws Exception {
        Path out = scratch.resolve("orphaned/run");
        ShortRun.Child early = start("orphaned");
        early.runUntil(() -> beats(early, out));
        assertThat(leaves(early)).as(early.words()).isEqualTo(STOPPED);

        int after = random.nextInt(3, 30);
        ShortRun.Child child = start("orphaned");
        child.runUntil(() -> ShortRun.events(out, STEPPED).size() >= after);
        assertThat(leaves(child)).as(child.words()).isEqualTo(STOPPED);
        JsonNode job = JSON.readTree(Files.readString(out.resolve("job.json")));
        assertThat(job.path("state").asText()).isEqualTo("interrupted");
        assertThat(job.path("step").asInt()).isEqualTo(ShortRun.events(out, STEPPED).size());

        ShortRun.Child last = start("orphaned");
        assertThat(last.exitCode()).as(last.words()).isZero();
        assertThat(ShortRun.events(out, STEPPED)).as("no step was made twice").hasSize(40);
        assertThat(ShortRun.results(out)).isEqualTo(ShortRun.uninterrupted(bundle, scratch));
    }

    @Test
    @Promise(row = 21, fault = "SIGTERM at 6 random moments, from the start of the process on")
    void askedToStopAtAnyMomentItLeavesWithItsStateAndEndsInTheSameBytes() throws Exception {
        Path out = scratch.resolve("asked/run");
        for (int i = 0; i < 6; i++) {
            int after = lines(out) + (i < 2 ? 0 : random.nextInt(0, 12));
            ShortRun.Child child = start("asked");
            // Before its first beat it is not our program yet, but Java, which starts and can be ended by anything.
            child.runUntil(() -> beats(child, out) && lines(out) >= after);
            child.process().waitFor(random.nextInt(0, 400), TimeUnit.MILLISECONDS);
            child.process().destroy();
            assertThat(child.exitCode()).as(child.words()).isIn(0, STOPPED);
        }
        ShortRun.Child last = start("asked");
        assertThat(last.exitCode()).as(last.words()).isZero();
        assertThat(ShortRun.events(out, STEPPED)).as("no step was made twice").hasSize(40);
        assertThat(ShortRun.results(out)).isEqualTo(ShortRun.uninterrupted(bundle, scratch));
    }

    @Test
    @Promise(row = 31, fault = "a file system of 700 KB, full in the middle of the training")
    void aFullDiskIsTheLastWordInItsLogAndInOneLineOnTheConsole() throws IOException {
        try (SmallDisk disk = SmallDisk.mounted(scratch.resolve("full"), "size=700k")) {
            Path out = disk.root().resolve("run");
            ShortRun.Child child = ShortRun.start(bundle, scratch.resolve("home"), out, "--supervised");
            assertThat(child.exitCode()).as(child.words()).isEqualTo(74);
            List<String> words = child.words().lines().toList();
            assertThat(words.getLast()).contains("the disk is full").endsWith("[DISK_FULL]");
            JsonNode last = ShortRun.events(out, "").getLast();
            assertThat(last.path("type").asText()).isEqualTo("nocturne.job.failed.v1");
            assertThat(last.at("/data/code").asText()).isEqualTo("DISK_FULL");
        }
    }

    @Test
    void theNameFromOutsideIsTheOneThatIsUsed() throws IOException {
        Path named = ShortRun.bundleIn(scratch.resolve("bundle-0123abcd"));
        Path recipe = named.resolve("recipe.yaml");
        Files.writeString(recipe,
                Files.readString(recipe).replace("name: tiny\n", "").replace("steps: 40", "steps: 1"));
        Path out = scratch.resolve("named/run");
        ShortRun.Child child =
                ShortRun.start(named, scratch.resolve("home"), out, "--supervised", "--name", "Maya in the rain");
        assertThat(child.exitCode()).as(child.words()).isZero();
        assertThat(out.resolve("Maya in the rain.safetensors")).exists();
    }

    private ShortRun.Child start(String where) {
        Path folder = scratch.resolve(where);
        return ShortRun.start(bundle, folder.resolve("home"), folder.resolve("run"), "--supervised");
    }

    private static int leaves(ShortRun.Child child) throws IOException {
        child.process().getOutputStream().close();
        return child.exitCode();
    }

    private static boolean beats(ShortRun.Child child, Path out) {
        try {
            Path file = out.resolve(".state/heartbeat.json");
            return Files.exists(file)
                    && Files.readString(file).contains("\"pid\":" + child.process().pid() + ",");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int lines(Path out) {
        return ShortRun.events(out, "").size();
    }
}
