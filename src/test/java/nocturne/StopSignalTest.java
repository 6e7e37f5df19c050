package nocturne;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;

/// How a process leaves whose step never ends, or that had nothing to lose yet; each in a process of its own.
final class StopSignalTest {

    /// Stands for a trainer: says that it is there, and then does nothing, for ever.
    static final class Stuck {
        private Stuck() {}

        public static void main(String[] args) throws InterruptedException {
            StopSignal stop = new StopSignal();
            stop.onSignal();
            stop.onEndOf(System.in);
            if (args.length > 0) stop.workBegins();
            System.out.println("here");
            new CountDownLatch(1).await();
        }
    }

    @Test
    @Promise(row = 23, fault = "the parent's pipe closed while a step hangs")
    void aStepThatHangsDoesNotKeepAnOrphanAlive() throws Exception {
        Process stuck = start("working");
        stuck.getOutputStream().close();
        assertThat(stuck.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(stuck.exitValue()).isEqualTo(ExitCode.SICK_MACHINE.number());
    }

    @Test
    void whatHasNotBegunIsNotWaitedFor() throws Exception {
        Process orphan = start();
        orphan.getOutputStream().close();
        assertThat(orphan.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(orphan.exitValue()).isEqualTo(ExitCode.STOPPED.number());

        Process asked = start();
        asked.destroy();
        assertThat(asked.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(asked.exitValue()).isEqualTo(ExitCode.STOPPED.number());
    }

    private static Process start(String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"), Stuck.class.getName());
        builder.command().addAll(List.of(arguments));
        Process process = builder.redirectErrorStream(true).start();
        byte[] word = process.getInputStream().readNBytes(4);
        assertThat(new String(word, StandardCharsets.US_ASCII)).isEqualTo("here");
        return process;
    }
}
