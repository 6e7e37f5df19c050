package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import nocturne.train.Progress.Terminal;
import org.junit.jupiter.api.Test;

/// Time is a number that the test moves; the terminal is a few lines that obey the same control codes.
class ProgressTest {
    private static final long MILLISECOND = 1_000_000;
    private static final Terminal WIDE = new Terminal(true, false, 100);
    private static final Terminal PIPE = new Terminal(false, false, 80);

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private long now = 123_456_789;
    private long memory = 812L << 20;

    @Test
    void theLineShowsStepBarLossTimeLeftPaceAndMemory() {
        try (Progress progress = progress(WIDE, 500, 0)) {
            for (int step = 1; step <= 250; step++) {
                now += 200 * MILLISECOND;
                progress.step(step, 0.5);
            }
        }
        assertThat(screen()).containsExactly("step 250/500  [===============               ]  loss 0.5000"
                + "  50 s left  0.200 s/step  812 MiB");
    }

    @Test
    void atMostTenRedrawsASecondAndTheLastStepIsAlwaysShown() {
        try (Progress progress = progress(WIDE, 1000, 0)) {
            for (int step = 1; step <= 1000; step++) {
                now += MILLISECOND;
                progress.step(step, 0.5);
            }
        }
        assertThat(output().split("\r", -1).length - 1).as("redraws in one second").isBetween(8, 12);
        assertThat(screen().getFirst()).startsWith("step 1000/1000");
    }

    @Test
    void withoutATerminalALineEveryTwentiethOfTheRun() {
        try (Progress progress = progress(PIPE, 200, 0)) {
            for (int step = 1; step <= 200; step++) {
                now += 10 * MILLISECOND;
                progress.step(step, 0.5);
            }
        }
        List<String> lines = output().lines().toList();
        assertThat(lines).hasSize(21).allMatch(line -> line.startsWith("step "));
        assertThat(lines.getFirst()).startsWith("step 1/200");
        assertThat(lines.getLast()).startsWith("step 200/200");
        assertThat(output()).doesNotContain("\r", "\033");
    }

    @Test
    void withoutATerminalSlowStepsGetALineEveryTenSeconds() {
        try (Progress progress = progress(PIPE, 100_000, 0)) {
            for (int step = 1; step <= 60; step++) {
                now += 1000 * MILLISECOND;
                progress.step(step, 0.5);
            }
        }
        assertThat(output().lines()).hasSize(6);
    }

    @Test
    void aResumedRunCountsItsPaceFromWhereItWentOn() {
        try (Progress progress = progress(WIDE, 500, 400)) {
            now += 1000 * MILLISECOND;
            progress.step(401, 0.5);
            now += 1000 * MILLISECOND;
            progress.step(402, 0.5);
        }
        assertThat(screen().getFirst()).startsWith("step 402/500").contains("1:38 min left", "1.00 s/step");
    }

    @Test
    void timeSpentOnSamplesCountsForTheTimeLeftButNotForThePace() {
        try (Progress progress = progress(WIDE, 4, 0)) {
            now += 1000 * MILLISECOND;
            progress.step(1, 0.5);
            now += 1000 * MILLISECOND;
            progress.step(2, 0.5);
            progress.doing("sampling", 0, 2);
            now += 6000 * MILLISECOND;
            progress.doing("sampling", 2, 2);
            now += 1000 * MILLISECOND;
            progress.step(3, 0.5);
        }
        // 9 seconds for 3 steps: 3 for the last one.
        assertThat(screen().getFirst()).contains("3 s left", "1.00 s/step");
    }

    @Test
    void cachingBeforeTheFirstStepIsShownAndNotCounted() {
        try (Progress progress = progress(WIDE, 10, 0)) {
            now += 60_000 * MILLISECOND;
            progress.doing("caching latents", 20, 20);
            assertThat(screen()).containsExactly("caching latents 20/20");
            now += 1000 * MILLISECOND;
            progress.step(1, 0.5);
        }
        assertThat(screen().getFirst()).contains("9 s left");
    }

    @Test
    void aLossThatIsNotFiniteIsSaidAndDoesNotSpoilTheMean() {
        try (Progress progress = progress(WIDE, 10, 0)) {
            now += 1000 * MILLISECOND;
            progress.step(1, 0.5);
            now += 1000 * MILLISECOND;
            progress.step(2, Double.NaN);
            assertThat(screen().getFirst()).contains("loss not finite");
            now += 1000 * MILLISECOND;
            progress.step(3, 0.5);
        }
        assertThat(screen().getFirst()).contains("loss 0.5000");
    }

    @Test
    void whatIsSaidStaysAboveTheLine() {
        try (Progress progress = progress(WIDE, 10, 0)) {
            progress.say("checkpoint 0");
            now += 1000 * MILLISECOND;
            progress.step(1, 0.5);
            progress.say("a notice\r\n\033[2Jthat tries to clear the screen");
            now += 1000 * MILLISECOND;
            progress.step(2, 0.5);
        }
        assertThat(screen()).hasSize(3);
        assertThat(screen().get(0)).isEqualTo("checkpoint 0");
        assertThat(screen().get(1)).isEqualTo("a notice   [2Jthat tries to clear the screen");
        assertThat(screen().get(2)).startsWith("step 2/10");
    }

    @Test
    void unknownMemoryIsLeftOut() {
        memory = -1;
        try (Progress progress = progress(WIDE, 10, 0)) {
            progress.step(1, 0.5);
        }
        assertThat(screen().getFirst()).doesNotContain("MiB");
    }

    @Property(tries = 200)
    void noLineEverReachesTheEdgeOfTheTerminal(@ForAll @IntRange(min = 1, max = 200) int columns,
                                              @ForAll @IntRange(min = 1, max = 1_000_000) int steps,
                                              @ForAll boolean colour) {
        ProgressTest fresh = new ProgressTest();
        try (Progress progress = fresh.progress(new Terminal(true, colour, columns), steps, 0)) {
            for (int step : new int[] {1, (steps + 1) / 2, steps}) {
                fresh.now += 3000 * MILLISECOND;
                progress.step(step, 0.43);
            }
            progress.doing("caching text embeddings", 1, 1);
        }
        String visible = fresh.output().replaceAll("\033\\[[?0-9]*[a-zA-Z]", "");
        assertThat(visible.split("[\r\n]")).allMatch(line -> line.length() < columns);
    }

    @Test
    void theTerminalIsJudgedByWhatItSaysOfItself() {
        assertThat(Terminal.of(true, Map.of("TERM", "xterm-256color", "COLUMNS", "120")))
                .isEqualTo(new Terminal(true, true, 120));
        assertThat(Terminal.of(true, Map.of("TERM", "dumb")).live()).isFalse();
        assertThat(Terminal.of(false, Map.of("TERM", "xterm")).live()).isFalse();
        assertThat(Terminal.of(true, Map.of("NO_COLOR", "1"))).isEqualTo(new Terminal(true, false, 80));
        assertThat(Terminal.of(true, Map.of("NO_COLOR", "", "COLUMNS", "wide")))
                .isEqualTo(new Terminal(true, true, 80));
        assertThat(Terminal.of(true, Map.of("COLUMNS", "-3")).columns()).isEqualTo(80);
    }

    @Test
    void theLineIsDimmedOnlyWhereColourIsWelcome() {
        try (Progress progress = progress(new Terminal(true, true, 100), 10, 0)) {
            progress.step(1, 0.5);
        }
        assertThat(output()).contains("loss 0.5000\033[2m");
        bytes.reset();
        try (Progress progress = progress(WIDE, 10, 0)) {
            progress.step(1, 0.5);
        }
        assertThat(output()).doesNotContain("\033[2m");
    }

    private Progress progress(Terminal terminal, long steps, long done) {
        PrintStream out = new PrintStream(bytes, false, StandardCharsets.UTF_8);
        return new Progress(out, terminal, steps, done, () -> now, () -> memory);
    }

    private String output() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /// What a terminal shows: `\r ESC[K` starts the current line over, `\n` begins a new one.
    private List<String> screen() {
        List<String> lines = new ArrayList<>();
        for (String line : output().split("\n")) {
            String last = line.substring(line.lastIndexOf("\r\033[K") + 1);
            lines.add(last.replaceAll("\033\\[[?0-9]*[a-zA-Z]", ""));
        }
        return lines;
    }
}
