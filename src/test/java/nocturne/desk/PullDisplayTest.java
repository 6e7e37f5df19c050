package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/// What a person sees of a pull, with a clock of our own.
final class PullDisplayTest {
    private final StringWriter out = new StringWriter();
    private long now;

    @Test
    void withoutATerminalThereAreLinesAndNotTooMany() {
        PullDisplay display = display(false);
        display.begins(2, 1_000_000_000, 100_000_000);
        for (int i = 0; i < 40; i++) {
            now += Duration.ofSeconds(1).toNanos();
            display.moved(10_000_000);
        }
        display.arrived("vae/x.safetensors", 400_000_000);
        display.close();
        assertThat(out.toString()).isEqualTo("""
                2 files, 1.0 GB, of which 100 MB are here
                 20 %, 200 MB of 1.0 GB, 10 MB/s, 1m 20s left
                 30 %, 300 MB of 1.0 GB, 10 MB/s, 1m 10s left
                 40 %, 400 MB of 1.0 GB, 10 MB/s, 1m 00s left
                 50 %, 500 MB of 1.0 GB, 10 MB/s, 50s left
                vae/x.safetensors, 400 MB
                """);
    }

    @Test
    void inATerminalABarMovesAndIsSweptAway() {
        PullDisplay display = display(true);
        display.begins(1, 1000, 0);
        now += Duration.ofSeconds(1).toNanos();
        display.moved(500);
        display.arrived("x", 500);
        display.close();
        assertThat(out.toString()).isEqualTo("1 file, 1.0 kB\n"
                + "\r[############............]  50 %, 500 B of 1.0 kB, 500 B/s, 1s left\u001b[K"
                + "\r\u001b[Kx, 500 B\n"
                + "\r[############............]  50 %, 500 B of 1.0 kB, 500 B/s, 1s left\u001b[K\n");
    }

    @Test
    void whatAHubNamesMovesNoCursor() {
        PullDisplay display = display(true);
        display.arrived("x\u001b[2Jy\nz", 1);
        assertThat(out.toString()).isEqualTo("x\ufffd[2Jy z, 1 B\n");
    }

    @Test
    void nothingToFetchIsNoDivisionByNothing() {
        PullDisplay display = display(true);
        display.begins(1, 0, 0);
        now += Duration.ofSeconds(1).toNanos();
        display.moved(0);
        display.close();
        assertThat(out.toString()).contains("100 %");
    }

    private PullDisplay display(boolean bar) {
        return new PullDisplay(new PrintWriter(out, true), bar, () -> now);
    }
}
