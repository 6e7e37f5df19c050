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
import java.util.SortedMap;
import java.util.function.LongPredicate;
import nocturne.cpu.CpuBackend;
import nocturne.io.Safetensors;
import nocturne.ledger.Ledger;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Trainings of 40 steps, saved every 10, on a device whose loss is not a number at chosen steps.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StumblingTrainingTest {
    private static final int LOSSES_PER_STEP = 2;
    private static final String STEPPED = "nocturne.job.stepped.v1";

    private Path scratch = Path.of("");
    private Path bundle = Path.of("");

    @BeforeAll
    void writeBundle(@TempDir Path shared) {
        scratch = shared;
        bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
    }

    @Test
    @Promise(row = 30, fault = "NaN at step 17", with = "a backend that answers NaN at chosen steps")
    void oneStepThatIsNotFiniteIsLeftOut() throws IOException {
        Path out = out("once");
        assertThat(train(out, steps(17, 17))).isTrue();
        assertThat(notices(out, "STEP_SKIPPED")).singleElement().asString().contains("step 17");
        assertThat(ShortRun.events(out, STEPPED)).hasSize(39);
        assertThat(Files.readString(out.resolve("report.html"))).contains("1 update was left out");
        requireFiniteFiles(out);
    }

    @Test
    @Promise(row = 30, fault = "NaN at 3 steps in a row, and at the last step of all",
            with = "a backend that answers NaN at chosen steps")
    void severalAndTheLastOfAllAreLeftOutToo() throws IOException {
        Path out = out("thrice");
        assertThat(train(out, steps(20, 22).or(steps(40, 40)))).isTrue();
        assertThat(notices(out, "STEP_SKIPPED")).hasSize(4);
        assertThat(notices(out, "WENT_BACK")).isEmpty();
        requireFiniteFiles(out);
    }

    @Test
    @Promise(row = 30, fault = "NaN at 10 steps in a row, and not when they are repeated",
            with = "a backend that answers NaN at chosen steps")
    @Ledger({"S1-26", "S2-61"})
    void afterTenInARowItGoesBackAndIfThatHelpsNothingShows() throws IOException {
        Path out = out("back");
        assertThat(train(out, steps(23, 32))).isTrue();
        assertThat(notices(out, "WENT_BACK")).singleElement().asString().contains("step 23", "step 32", "to step 20");
        assertThat(ShortRun.results(out)).isEqualTo(undisturbed());
        requireFiniteFiles(out);
    }

    @Test
    @Promise(row = 30, fault = "NaN at every step from 23 on", with = "a backend that answers NaN at chosen steps")
    void theSecondTimeItFailsWithTheStepAndTheSuspects() throws IOException {
        Path out = out("always");
        long[] repeated = {0};
        // After 32 steps it goes back to 20, and step 23 is the third from there.
        LongPredicate always = loss -> loss >= 44 && loss < 64 || loss >= 68 && ++repeated[0] > 0;
        assertThatThrownBy(() -> train(out, always)).isInstanceOfSatisfying(UserMistake.class, mistake -> {
            assertThat(mistake.problems()).allSatisfy(
                    problem -> assertThat(problem.code()).isEqualTo("TRAINING_DIVERGED"));
            assertThat(mistake.report()).contains("step 23", "to step 32", "again", "train.lr", ".png");
        });
        assertThat(repeated[0]).isEqualTo(10L * LOSSES_PER_STEP);
        assertThat(notices(out, "WENT_BACK")).hasSize(1);
        assertThat(ShortRun.events(out, "").getLast().at("/data/code").asText()).isEqualTo("TRAINING_DIVERGED");
        assertThat(out.resolve("tiny_000000020.safetensors")).exists();
        assertThat(out.resolve("tiny.safetensors")).doesNotExist();
        requireFiniteFiles(out);
    }

    @Test
    @Promise(row = 30, fault = "NaN at every step", with = "a backend that answers NaN at chosen steps")
    void withoutOneSoundStepThereIsNothingToGoBackTo() throws IOException {
        Path out = out("never");
        assertThatThrownBy(() -> train(out, loss -> true)).isInstanceOfSatisfying(UserMistake.class,
                mistake -> assertThat(mistake.report()).contains("from step 1 to step 10"));
        assertThat(notices(out, "WENT_BACK")).isEmpty();
        requireFiniteFiles(out);
    }

    @Test
    @Promise(row = 3, fault = "stopped between two steps that are left out, and started again",
            with = "a backend that answers NaN at chosen steps")
    @Promise(row = 30, fault = "stopped between two steps that are left out, and started again",
            with = "a backend that answers NaN at chosen steps")
    void aRunThatIsStoppedWhileItStumblesEndsAsOneThatIsNot() throws IOException {
        Path whole = out("whole");
        assertThat(train(whole, steps(12, 14).or(steps(25, 25)))).isTrue();

        Path parts = out("parts");
        long[] losses = {0};
        StopAfter stop = new StopAfter(losses, 13L * LOSSES_PER_STEP);
        assertThat(train(parts, counting(losses, steps(12, 14)), stop)).isFalse();
        assertThat(ShortRun.events(parts, STEPPED)).hasSize(11);
        // Step 14 is the first of the second run.
        assertThat(train(parts, shifted(steps(12, 14).or(steps(25, 25)), 13))).isTrue();
        assertThat(ShortRun.results(parts)).isEqualTo(ShortRun.results(whole));
    }

    /// Asks to stop once so many losses have been computed.
    private record StopAfter(long[] losses, long count) implements Stop {
        @Override
        public boolean isRequested() {
            return losses[0] >= count;
        }

        @Override
        public void workBegins() {}
    }

    private static LongPredicate steps(int first, int last) {
        return loss -> loss >= (first - 1L) * LOSSES_PER_STEP && loss < (long) last * LOSSES_PER_STEP;
    }

    /// For a run that goes on after so many steps.
    private static LongPredicate shifted(LongPredicate stumbles, int steps) {
        return loss -> stumbles.test(loss + (long) steps * LOSSES_PER_STEP);
    }

    private static LongPredicate counting(long[] losses, LongPredicate stumbles) {
        return loss -> {
            losses[0] = loss + 1;
            return stumbles.test(loss);
        };
    }

    private SortedMap<String, String> undisturbed() {
        Path out = out("undisturbed");
        assertThat(train(out, loss -> false)).isTrue();
        return ShortRun.results(out);
    }

    private boolean train(Path out, LongPredicate stumbles) {
        return train(out, stumbles, Stop.NEVER);
    }

    private boolean train(Path out, LongPredicate stumbles, Stop stop) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        TrainingRequest request = new TrainingRequest(bundle, null, out, ShortRun.MODEL, 2, scratch.resolve("home"),
                "test", nowhere, false, null, stop);
        return Training.run(request, threads -> new StumblingBackend(new CpuBackend(threads), stumbles));
    }

    private Path out(String name) {
        return scratch.resolve(name).resolve("run");
    }

    private static List<String> notices(Path out, String code) {
        return ShortRun.events(out, "nocturne.job.notice.v1").stream()
                .filter(event -> event.at("/data/code").asText().equals(code))
                .map(event -> event.at("/data/message").asText()).toList();
    }

    private static void requireFiniteFiles(Path out) throws IOException {
        for (Path file : ShortRun.files(out)) {
            String name = file.toString();
            if (name.endsWith(".csv")) assertThat(file).content().doesNotContain("NaN", "Infinity");
            if (!name.endsWith(".safetensors")) continue;
            try (Safetensors tensors = Safetensors.open(file)) {
                for (String tensor : tensors.tensors().keySet()) {
                    for (float value : tensors.floats(tensor)) assertThat(value).as(name + " " + tensor).isFinite();
                }
            }
        }
    }
}
