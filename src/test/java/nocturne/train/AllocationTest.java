package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tensors live outside Java's heap: what a step leaves to the garbage collector are small lists, the batch, and one
/// line of the journal.
class AllocationTest {
    private static final Path EXAMPLE = Path.of("examples/ohwx").toAbsolutePath();
    private static final int FROM = 180;
    private static final int TO = 285;
    /// Measured in a step of four micro-batches: 1.1 million bytes in a JVM of its own, most of it `StrictMath`'s for
    /// the noise; 4.0 million amid the whole suite, where the compiler has seen the loops in other company; 23 million
    /// where it gave up inlining the loops and made every vector an object.
    private static final long BYTES_PER_STEP = 12_000_000;

    @TempDir
    private Path scratch = Path.of("");

    @Test
    void aStepOfTheExampleAllocatesLittleOnTheHeap() throws IOException {
        Path bundle = copy(EXAMPLE, scratch.resolve("bundle"));
        Path recipe = bundle.resolve("recipe.yaml");
        // Steps and nothing else in between.
        Files.writeString(recipe, Files.readString(recipe)
                .replaceFirst(" steps: \\d+", " steps: 300")
                .replaceFirst("validate_every_n_steps: \\d+", "validate_every_n_steps: 1000")
                .replaceFirst("save_every: \\d+", "save_every: 1000")
                .replaceFirst("sample_every: \\d+", "sample_every: 1000"));
        Ledger ledger = new Ledger();
        try (PrintStream console = new PrintStream(ledger, true, StandardCharsets.UTF_8)) {
            Training.run(new TrainingRequest(bundle, scratch.resolve("out"), ShortRun.MODEL, 2,
                    scratch.resolve("home"), "test", console));
        }
        long bytes = ledger.allocated.get(TO) - ledger.allocated.get(FROM);
        assertThat(bytes / (TO - FROM)).isLessThan(BYTES_PER_STEP);
    }

    /// Notes at each line of progress how much the thread that trains, which writes them, has allocated so far.
    private static final class Ledger extends OutputStream {
        private static final Pattern STEP = Pattern.compile("step (\\d+)/");

        private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        private final Map<Integer, Long> allocated = new TreeMap<>();

        @Override
        public void write(byte[] bytes, int from, int count) {
            Matcher line = STEP.matcher(new String(bytes, from, count, StandardCharsets.UTF_8));
            if (line.find()) allocated.put(Integer.valueOf(line.group(1)), threads.getCurrentThreadAllocatedBytes());
        }

        @Override
        public void write(int single) {
            // A line's end.
        }
    }

    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
        return to;
    }
}
