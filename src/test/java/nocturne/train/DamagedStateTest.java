package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A run of 40 steps, saved every 10, that was stopped after 25; then something happens to its saved state.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DamagedStateTest {
    private static final String NEWEST = ".state/step-000000025.safetensors";
    private static final String BEFORE = ".state/step-000000020.safetensors";

    private Path scratch = Path.of("");
    private Path bundle = Path.of("");
    private Path stopped = Path.of("");
    private SortedMap<String, String> undisturbed = new TreeMap<>();

    @BeforeAll
    void stopOneRunAndLetAnotherFinish(@TempDir Path shared) {
        scratch = shared;
        bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
        Path whole = scratch.resolve("whole/run");
        assertThat(train(whole, Stop.NEVER)).isTrue();
        undisturbed = ShortRun.results(whole);
        stopped = scratch.resolve("stopped/run");
        assertThat(train(stopped, ShortRun.stopAfter(stopped, 25))).isFalse();
        assertThat(stopped.resolve(NEWEST)).exists();
    }

    /// What can happen to a file.
    enum Damage {
        FLIPPED_BYTE_OF_A_TENSOR {
            @Override
            void happen(Path file) throws IOException {
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length - 1000] ^= 4;
                Files.write(file, bytes);
            }
        },
        FLIPPED_BYTE_OF_THE_HEADER {
            @Override
            void happen(Path file) throws IOException {
                byte[] bytes = Files.readAllBytes(file);
                bytes[40] ^= 4;
                Files.write(file, bytes);
            }
        },
        TRUNCATED {
            @Override
            void happen(Path file) throws IOException {
                Files.write(file, Arrays.copyOf(Files.readAllBytes(file), (int) Files.size(file) / 2));
            }
        },
        ZEROED {
            @Override
            void happen(Path file) throws IOException {
                Files.write(file, new byte[(int) Files.size(file)]);
            }
        },
        EMPTIED {
            @Override
            void happen(Path file) throws IOException {
                Files.write(file, new byte[0]);
            }
        },
        DELETED {
            @Override
            void happen(Path file) throws IOException {
                Files.delete(file);
            }
        };

        abstract void happen(Path file) throws IOException;
    }

    @ParameterizedTest
    @EnumSource(Damage.class)
    @Promise(row = 4, fault = "the newest state's file: byte flipped, truncated, zeroed, emptied, deleted")
    void aDamagedNewestStateCostsOneIntervalAndChangesNothing(Damage damage) throws IOException {
        Path out = copyOfStopped(damage.name());
        damage.happen(out.resolve(NEWEST));
        assertThat(train(out, Stop.NEVER)).isTrue();
        assertThat(ShortRun.events(out, "nocturne.checkpoint.rejected.v1")).singleElement().satisfies(event -> {
            assertThat(event.at("/data/step").asInt()).isEqualTo(25);
            assertThat(event.at("/data/path").asText()).isEqualTo(NEWEST);
            assertThat(event.at("/data/reason").asText()).isNotBlank();
        });
        assertThat(resumed(out)).containsExactly(20);
        assertThat(ShortRun.results(out)).isEqualTo(undisturbed);
    }

    @Test
    @Promise(row = 4, fault = "both states damaged")
    void withoutAnySoundStateItBeginsAgainAndEndsTheSame() throws IOException {
        Path out = copyOfStopped("both");
        Damage.ZEROED.happen(out.resolve(NEWEST));
        Damage.TRUNCATED.happen(out.resolve(BEFORE));
        assertThat(train(out, Stop.NEVER)).isTrue();
        assertThat(ShortRun.events(out, "nocturne.checkpoint.rejected.v1"))
                .extracting(event -> event.at("/data/step").asInt()).containsExactly(25, 20);
        assertThat(resumed(out)).containsExactly(0);
        assertThat(ShortRun.results(out)).isEqualTo(undisturbed);
    }

    /// Rejected once, it is gone: the next start has nothing to reject any more.
    @Test
    void aRejectedFileIsRejectedOnce() throws IOException {
        Path out = copyOfStopped("once");
        Damage.TRUNCATED.happen(out.resolve(NEWEST));
        assertThat(train(out, ShortRun.stopAfter(out, 28))).isFalse();
        assertThat(train(out, Stop.NEVER)).isTrue();
        assertThat(ShortRun.events(out, "nocturne.checkpoint.rejected.v1")).hasSize(1);
        assertThat(resumed(out)).containsExactly(20, 23);
        assertThat(ShortRun.results(out)).isEqualTo(undisturbed);
    }

    private static List<Integer> resumed(Path out) {
        return ShortRun.events(out, "nocturne.job.resumed.v1").stream()
                .map((JsonNode event) -> event.at("/data/step").asInt()).toList();
    }

    private Path copyOfStopped(String name) throws IOException {
        Path out = scratch.resolve(name).resolve("run");
        for (Path file : ShortRun.files(stopped)) {
            Path copy = out.resolve(stopped.relativize(file).toString());
            Files.createDirectories(copy.getParent());
            Files.copy(file, copy);
        }
        return out;
    }

    /// Asks to stop once so many steps have been announced.
    private boolean train(Path out, Stop stop) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return Training.run(new TrainingRequest(bundle, null, out, ShortRun.MODEL, 2, scratch.resolve("home"),
                "test", nowhere, false, null, stop));
    }
}
