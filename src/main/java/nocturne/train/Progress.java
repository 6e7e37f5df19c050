package nocturne.train;

import java.io.Console;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.LongSupplier;

/// Tells the person at the terminal how far the run is: one line that is redrawn in place, or, where the output
/// goes into a file or a pipe, a plain line now and then.
///
/// A step that draws nothing allocates nothing. All methods may be called from any thread.
public final class Progress implements AutoCloseable {
    private static final long REDRAW_NANOS = 100_000_000L;              // ten times a second
    private static final long PLAIN_NANOS = 10_000_000_000L;
    private static final int PLAIN_LINES_PER_RUN = 20;
    private static final double LOSS_MEMORY = 0.95;
    private static final double PACE_MEMORY = 0.9;
    private static final String CLEAR = "\r\033[K";
    // A line that is wider than the window would wrap, and the next redraw would start in the wrong row.
    private static final String WRAP_OFF = "\033[?7l";
    private static final String WRAP_ON = "\033[?7h";

    /// What the output can show.
    ///
    /// @param live    lines can be redrawn in place
    /// @param colour  parts may be dimmed
    /// @param columns characters that fit beside each other
    public record Terminal(boolean live, boolean colour, int columns) {
        private static final int USUAL_COLUMNS = 80;
        /// A file or a pipe.
        public static final Terminal PLAIN = new Terminal(false, false, USUAL_COLUMNS);

        /// @param interactive whether a person's terminal is at the other end
        /// @param environment `TERM`, `NO_COLOR` (see no-color.org) and `COLUMNS` count
        public static Terminal of(boolean interactive, Map<String, String> environment) {
            boolean live = interactive && !"dumb".equals(environment.get("TERM"));
            boolean colour = live && environment.getOrDefault("NO_COLOR", "").isEmpty();
            return new Terminal(live, colour, columns(environment.getOrDefault("COLUMNS", "")));
        }

        /// The terminal this process was started from.
        public static Terminal here() {
            Console console = System.console();
            return of(console != null && console.isTerminal(), System.getenv());
        }

        private static int columns(String text) {
            try {
                int columns = Integer.parseInt(text.strip());
                return columns > 0 ? columns : USUAL_COLUMNS;
            } catch (NumberFormatException notANumber) {
                return USUAL_COLUMNS;
            }
        }
    }

    private final PrintStream out;
    private final Terminal terminal;
    private final LongSupplier nanos;
    private final LongSupplier residentBytes;
    private final long steps;
    private final long firstStep;
    private final Average loss = new Average(LOSS_MEMORY);
    private final Average secondsPerStep = new Average(PACE_MEMORY);
    private long step;
    private double lastLoss = Double.NaN;
    private long started;
    private long lastStepAt;
    private boolean paceKnown;
    private long lastDrawn;
    private long lastDrawnStep;
    private boolean drawnAny;
    private String shown = "";
    private boolean closed;

    /// @param out           where to write
    /// @param terminal      what it can show
    /// @param steps         of the whole run
    /// @param done          steps that earlier runs of the job made
    /// @param nanos         a clock that only runs forwards, such as `System::nanoTime`
    /// @param residentBytes memory of this process, negative if unknown, such as [#residentBytes()]
    public Progress(PrintStream out, Terminal terminal, long steps, long done, LongSupplier nanos,
                    LongSupplier residentBytes) {
        this.out = out;
        this.terminal = terminal;
        this.steps = steps;
        this.step = done;
        this.firstStep = done;
        this.nanos = nanos;
        this.residentBytes = residentBytes;
        this.started = nanos.getAsLong();
    }

    /// Something else than a step is under way, such as `caching latents` or `sampling`.
    public synchronized void doing(String what, long done, long total) {
        paceKnown = false;
        long now = nanos.getAsLong();
        if (step == firstStep) started = now;               // caching is not part of the steps' time
        if (!due(now, done == total)) return;
        draw(printable(what) + " " + done + "/" + total, now);
    }

    /// A step was made.
    ///
    /// @param step counts from 1 over the whole run
    /// @param loss of this step; it is shown smoothed
    public synchronized void step(long step, double loss) {
        long now = nanos.getAsLong();
        if (paceKnown) secondsPerStep.add((now - lastStepAt) / 1e9);
        paceKnown = true;
        lastStepAt = now;
        this.step = step;
        lastLoss = loss;
        if (Double.isFinite(loss)) this.loss.add(loss);
        boolean end = step == steps;
        boolean turn = !terminal.live() && step - lastDrawnStep >= Math.max(1, steps / PLAIN_LINES_PER_RUN);
        if (!due(now, end || turn)) return;
        lastDrawnStep = step;
        draw(line(now), now);
    }

    /// How long a step takes lately; empty before the second one.
    synchronized OptionalDouble secondsPerStep() {
        return secondsPerStep.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(secondsPerStep.value());
    }

    /// A line of its own that stays: a notice, a checkpoint, a sample.
    public synchronized void say(String text) {
        String safe = printable(text);
        if (!terminal.live()) {
            out.println(safe);
        } else {
            out.print((shown.isEmpty() ? "" : CLEAR) + safe + "\n" + shown);
        }
        out.flush();
    }

    /// Leaves the last line standing and ends it.
    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        if (terminal.live() && !shown.isEmpty()) out.println();
        shown = "";
        out.flush();
    }

    private boolean due(long now, boolean important) {
        return important || !drawnAny || now - lastDrawn >= (terminal.live() ? REDRAW_NANOS : PLAIN_NANOS);
    }

    private void draw(String text, long now) {
        if (closed) return;
        lastDrawn = now;
        drawnAny = true;
        if (terminal.live()) {
            // The last column stays free: some terminals wrap as soon as it is filled.
            int most = Math.max(0, terminal.columns() - 1);
            String fitting = text.length() > most ? text.substring(0, most) : text;
            shown = WRAP_OFF + dimmed(fitting) + WRAP_ON;
            out.print(CLEAR + shown);
        } else {
            out.println(text);
        }
        out.flush();
    }

    /// What matters least comes last in the line and is the first to go where the terminal is narrow.
    private String line(long now) {
        int room = terminal.live() ? terminal.columns() - 1 : Integer.MAX_VALUE;
        String position = "step " + step + "/" + steps;
        String lossPart = "  loss " + (Double.isFinite(lastLoss) ? decimals(loss.value()) : "not finite");
        String pacePart = secondsPerStep.isEmpty() ? "" : "  " + pace(secondsPerStep.value()) + " s/step";
        String leftPart = step > firstStep && step < steps ? "  " + left(now) + " left" : "";
        long bytes = residentBytes.getAsLong();
        String memoryPart = bytes < 0 ? "" : "  " + bytes / (1 << 20) + " MiB";

        int used = position.length();
        String tail = "";
        for (String part : List.of(lossPart, leftPart, pacePart, memoryPart)) {
            if (used + tail.length() + part.length() <= room) tail += part;
        }
        int barRoom = terminal.live() ? Math.min(30, room - used - tail.length() - 4) : 0;
        return position + (barRoom >= 8 ? "  " + bar(barRoom) : "") + tail;
    }

    private String bar(int inner) {
        int full = Math.clamp(steps == 0 ? inner : inner * step / steps, 0, inner);
        return "[" + "=".repeat(full) + " ".repeat(inner - full) + "]";
    }

    private String left(long now) {
        // From the whole run so far, because samples and checkpoints take their time as well.
        double each = (now - started) / 1e9 / (step - firstStep);
        long seconds = Math.round(each * (steps - step));
        if (seconds < 60) return seconds + " s";
        if (seconds < 3600) return String.format(Locale.ROOT, "%d:%02d min", seconds / 60, seconds % 60);
        return String.format(Locale.ROOT, "%d:%02d h", seconds / 3600, seconds / 60 % 60);
    }

    private String dimmed(String text) {
        int lossAt = text.indexOf("  loss ");
        int tail = lossAt < 0 ? -1 : text.indexOf("  ", lossAt + 2);
        if (!terminal.colour() || tail < 0) return text;
        return text.substring(0, tail) + "\033[2m" + text.substring(tail) + "\033[0m";
    }

    private static String decimals(double value) {
        return String.format(Locale.ROOT, Math.abs(value) < 100 ? "%.4f" : "%.3g", value);
    }

    private static String pace(double seconds) {
        return String.format(Locale.ROOT, seconds < 1 ? "%.3f" : seconds < 10 ? "%.2f" : "%.1f", seconds);
    }

    /// Control characters in text from users must not move the cursor.
    private static String printable(String text) {
        return text.codePoints().map(point -> Character.isISOControl(point) ? ' ' : point)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    }

    /// Memory this process holds, from `/proc/self/status`; -1 where there is no such file.
    public static long residentBytes() {
        return status("VmRSS:");
    }

    /// The most memory this process has held; -1 where it is not known.
    static long peakResidentBytes() {
        return status("VmHWM:");
    }

    private static long status(String entry) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith(entry)) return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        } catch (IOException | NumberFormatException e) {
            // Another operating system, or a kernel that says it differently: unknown, as for any other.
            return -1;
        }
        return -1;
    }

    /// An exponential mean that is right from its first value on (not drawn towards zero).
    private static final class Average {
        private final double memory;
        private double sum;
        private double weight;

        Average(double memory) {
            this.memory = memory;
        }

        void add(double value) {
            sum = memory * sum + (1 - memory) * value;
            weight = memory * weight + (1 - memory);
        }

        boolean isEmpty() {
            return weight == 0;
        }

        double value() {
            return sum / weight;
        }
    }
}
