package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.cpu.CpuBackend;
import nocturne.ledger.Ledger;
import nocturne.plan.ModelSearch;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.recipe.Rung;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where memory is short a job gives up what costs least, says so, and stays what it became.
class MemoryLadderTest {
    private static final Path HOME = Path.of("").toAbsolutePath();
    private static final long MOST = MemoryBudget.CONTEXT_BYTES + (1L << 26);
    private static final long NEARLY = 1 << 13;

    private static @Nullable Bound whole;

    @TempDir
    private Path folder;
    private Path bundle = Path.of("");

    @BeforeEach
    void writeBundle() throws IOException {
        bundle = ShortRun.bundleIn(Files.createDirectories(folder.resolve("bundle")));
        change("steps: 40", "steps: 6");
        change("batch_size: 1", "batch_size: 2");
        change("linear: 4, linear_alpha: 4", "linear: 32, linear_alpha: 16");
        change("sample_every: 20", "sample_every: 3");
        change("save_every: 10", "save_every: 2");
        change("validate_every_n_steps: 10", "validate_every_n_steps: 6");
    }

    private void change(String from, String to) throws IOException {
        Path recipe = bundle.resolve("recipe.yaml");
        String text = Files.readString(recipe);
        assertThat(text).contains(from);
        Files.writeString(recipe, text.replace(from, to));
    }

    private Forecast forecast(long bytes) {
        Bundle opened = Bundle.open(bundle, folder.resolve("bundles"), BundleLimits.STANDARD);
        Forecast.Device device = new Forecast.Device("here", 0, MemoryBudget.of(bytes), Optional.empty(),
                OptionalLong.empty(), () -> {
                    try (CpuBackend processor = new CpuBackend(1)) {
                        return processor.rehearsal();
                    }
                });
        return Forecast.of(opened, "tiny", ShortRun.MODEL.toString(), new ModelSearch.Anywhere(HOME),
                folder.resolve("cache"), device);
    }

    /// About the least memory for which no more than something is given up.
    ///
    /// @param less   is too little for that
    /// @param enough is enough
    private record Bound(long less, long enough) {}

    /// Of the whole recipe; found once.
    private Bound whole() {
        Bound known = whole;
        if (known == null) {
            known = boundOf(List.of());
            whole = known;
        }
        return known;
    }

    private Bound boundOf(List<Rung> most) {
        long low = MemoryBudget.CONTEXT_BYTES;
        long high = MOST;
        while (high - low > NEARLY) {
            long middle = (low + high) / 2;
            if (gives(middle).map(most::containsAll).orElse(false)) high = middle;
            else low = middle;
        }
        return new Bound(low, high);
    }

    private Optional<List<Rung>> gives(long bytes) {
        try {
            return Optional.of(forecast(bytes).device().rungs());
        } catch (UserMistake tooSmall) {
            return Optional.empty();
        }
    }

    @Ledger({"X-06", "S1-76", "S2-63"})
    @Test
    void whatCostsLeastGoesFirstAndNoMoreThanIsNeeded() {
        assertThat(forecast(MOST).device().rungs()).isEmpty();
        Bound whole = whole();
        assertThat(forecast(whole.less).device().rungs()).containsExactly(Rung.SPLIT_BATCH);
        Bound split = boundOf(List.of(Rung.SPLIT_BATCH));
        Forecast shorter = forecast(split.less);
        // Beside it the batch is no longer in the way.
        assertThat(shorter.device().rungs()).containsExactly(Rung.HALF_RANK);
        assertThat(shorter.memory().runBytes()).isLessThan(split.less);
        assertThat(shorter.notices()).filteredOn(notice -> notice.code().equals(Rung.ID)).isNotEmpty()
                .allSatisfy(notice -> assertThat(notice.text()).contains("gives way to"));
    }

    @Test
    void whereAllOfItIsNotEnoughThatIsSaid() {
        assertThatThrownBy(() -> forecast(MemoryBudget.CONTEXT_BYTES + 1000)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("Giving up what can be (pictures one by one").hasMessageContaining("MiB");
    }

    @Test
    void whoWantsTheRecipeAsItIsIsRefused() throws IOException {
        Bound whole = whole();
        change("name: tiny", "name: tiny\non_oom: fail");
        assertThat(forecast(whole.enough).device().rungs()).isEmpty();
        assertThatThrownBy(() -> forecast(whole.less)).isInstanceOfSatisfying(UserMistake.class, mistake ->
                assertThat(mistake.problems().getFirst().code()).isEqualTo("DEVICE_TOO_SMALL"));
    }

    private boolean train(Path out, Stop stop, MemoryBudget memory) {
        TrainingRequest request = new TrainingRequest(bundle, null, out, ShortRun.MODEL, 1, folder.resolve("home"),
                "test", new PrintStream(OutputStream.nullOutputStream()), false, null, stop);
        return Training.run(request, CpuBackend::new, memory);
    }

    /// What was given up is told, stands in the resolved recipe, and holds after an interruption even where there is
    /// more memory by then.
    @Test
    void aRunThatGaveUpSomethingGoesOnAsItBegan() throws IOException {
        MemoryBudget tight = MemoryBudget.of(whole().less);
        Path whole = folder.resolve("whole/run");
        assertThat(train(whole, Stop.NEVER, tight)).isTrue();
        assertThat(whole.resolve("recipe.resolved.yaml")).content()
                .containsPattern("batch_size: 1 +# planner, instead of 2, X-06")
                .containsPattern("gradient_accumulation: 4 +# planner, instead of 2, X-06");
        assertThat(whole.resolve("events.jsonl")).content().contains("\"code\":\"X-06\"");

        Path stopped = folder.resolve("stopped/run");
        assertThat(train(stopped, ShortRun.stopAtSomeStepOf(stopped, 6), tight)).isFalse();
        assertThat(train(stopped, Stop.NEVER, MemoryBudget.FREE)).isTrue();
        assertThat(ShortRun.results(stopped)).isEqualTo(ShortRun.results(whole));
        assertThat(ShortRun.results(stopped)).isNotEmpty();

        // What has nothing to go on from chooses anew, and keeps no picture of what it was before.
        Path lost = folder.resolve("lost/run");
        assertThat(train(lost, ShortRun.stopAtSomeStepOf(lost, 6), MemoryBudget.FREE)).isFalse();
        try (Stream<Path> state = Files.list(lost.resolve(".state"))) {
            for (Path file : state.filter(each -> each.toString().contains("step-")).toList()) Files.delete(file);
        }
        assertThat(train(lost, Stop.NEVER, tight)).isTrue();
        assertThat(ShortRun.results(lost)).isEqualTo(ShortRun.results(whole));
    }

    /// The job is sound and may go on when there is room again.
    @Test
    void aRunThatBeganWithMoreRoomWaitsForIt() {
        Bound whole = whole();
        Path out = folder.resolve("run");
        assertThat(train(out, ShortRun.stopAtSomeStepOf(out, 6), MemoryBudget.of(whole.enough))).isFalse();
        assertThatThrownBy(() -> train(out, Stop.NEVER, MemoryBudget.of(whole.less)))
                .isInstanceOfSatisfying(SickMachine.class, sick -> assertThat(sick.code()).isEqualTo("MEMORY_TAKEN"))
                .hasMessageContaining("had more room");
        assertThat(train(out, Stop.NEVER, MemoryBudget.of(whole.enough))).isTrue();
    }
}
