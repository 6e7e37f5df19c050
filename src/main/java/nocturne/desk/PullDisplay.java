package nocturne.desk;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.LongSupplier;
import nocturne.hub.PullProgress;

/// Shows a pull: a bar that moves in a terminal, plain lines elsewhere.
///
/// Speed and time left are those of the bytes that came since the beginning, so a line that stops and goes on does not
/// make them jump.
public final class PullDisplay implements PullProgress {
    private static final Duration BAR = Duration.ofMillis(250);
    private static final Duration LINE = Duration.ofSeconds(10);
    private static final int BAR_WIDTH = 24;
    private static final String TO_LINE_END = "\u001b[K";

    private final PrintWriter out;
    private final boolean bar;
    private final LongSupplier nanos;
    private long all;
    private long arrived;
    private long before;
    private long began;
    private long shown;
    private boolean isOpen;

    /// @param bar   whether `out` is a terminal
    /// @param nanos a clock, such as [System#nanoTime]
    public PullDisplay(PrintWriter out, boolean bar, LongSupplier nanos) {
        this.out = out;
        this.bar = bar;
        this.nanos = nanos;
    }

    @Override
    public synchronized void notice(String text) {
        line(text);
    }

    @Override
    public synchronized void begins(int files, long bytes, long there) {
        all = bytes;
        arrived = there;
        before = there;
        began = nanos.getAsLong();
        shown = began;
        line("%d file%s, %s%s".formatted(files, files == 1 ? "" : "s", Quantity.bytes(bytes),
                there == 0 ? "" : ", of which %s are here".formatted(Quantity.bytes(there))));
    }

    @Override
    public synchronized void moved(long bytes) {
        arrived += bytes;
        long now = nanos.getAsLong();
        if (now - shown < (bar ? BAR : LINE).toNanos()) return;
        shown = now;
        show(now);
    }

    @Override
    public synchronized void arrived(String path, long bytes) {
        line("%s, %s".formatted(path, Quantity.bytes(bytes)));
        if (bar && arrived < all) show(nanos.getAsLong());
    }

    private void show(long now) {
        double seconds = (now - began) / 1e9;
        double rate = seconds > 0 ? Math.max(0, arrived - before) / seconds : 0;
        String speed = "%s/s".formatted(Quantity.bytes((long) rate));
        Duration time = Duration.ofSeconds(rate > 0 ? (long) ((all - arrived) / rate) : 0);
        String left = rate > 0 ? ", %s left".formatted(Quantity.time(time)) : "";
        String text = "%3d %%, %s of %s, %s%s".formatted(all == 0 ? 100 : (long) (100.0 * arrived / all),
                Quantity.bytes(arrived), Quantity.bytes(all), speed, left);
        if (!bar) {
            out.println(text);
        } else {
            int filled = all == 0 ? BAR_WIDTH : (int) Math.clamp((double) BAR_WIDTH * arrived / all, 0, BAR_WIDTH);
            out.print("\r[%s%s] %s%s".formatted("#".repeat(filled), ".".repeat(BAR_WIDTH - filled), text, TO_LINE_END));
            isOpen = true;
        }
        out.flush();
    }

    /// A whole line, where the bar may have been.
    private void line(String text) {
        out.println((isOpen ? "\r" + TO_LINE_END : "") + Printable.of(text));
        out.flush();
        isOpen = false;
    }

    /// Leaves the cursor at the beginning of a line.
    public synchronized void close() {
        if (isOpen) out.println();
        out.flush();
        isOpen = false;
    }
}
