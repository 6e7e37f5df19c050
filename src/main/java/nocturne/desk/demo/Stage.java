package nocturne.desk.demo;

import java.io.PrintWriter;
import java.util.Locale;
import nocturne.desk.Printable;

/// Tells what happens, each line with the time since the beginning.
final class Stage {
    private final PrintWriter out;
    private final long start = System.nanoTime();

    Stage(PrintWriter out) {
        this.out = out;
    }

    /// @param who what it is about, such as a job; empty for the demonstration itself
    void tell(String who, String what) {
        double seconds = (System.nanoTime() - start) / 1e9;
        out.println(String.format(Locale.ROOT, "%6.1f s  %-24s %s", seconds, Printable.of(who, 24),
                Printable.of(what)));
        out.flush();
    }

    /// A line without a time.
    void say(String words) {
        out.println(words);
        out.flush();
    }
}
