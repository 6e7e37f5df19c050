package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape.Keep;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Same numbers in, same bits out: that a run killed anywhere and resumed ends as one that was not rests on it.
class SameBitsTest {
    private static final int LAYERS = 2;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aStepRepeatedGivesTheSameBits(int threads) {
        String first;
        try (Backend backend = new CpuBackend(threads); OneStep step = new OneStep(backend, LAYERS)) {
            first = step.run(Keep.ALL).digest();
            assertThat(step.run(Keep.ALL).digest()).as("same backend").isEqualTo(first);
        }
        try (Backend backend = new CpuBackend(threads); OneStep step = new OneStep(backend, LAYERS)) {
            assertThat(step.run(Keep.ALL).digest()).as("fresh backend").isEqualTo(first);
        }
    }

    /// The compiler replaces the interpreter piece by piece while a run goes on; no replacement may show.
    @Test
    void everyOneOfTwoHundredRepetitionsGivesTheSameBits() {
        try (Backend backend = new CpuBackend(2); OneStep step = new OneStep(backend, LAYERS)) {
            String first = step.run(Keep.ALL).digest();
            for (int i = 0; i < 200; i++) {
                assertThat(step.run(Keep.ALL).digest()).as("repetition %d", i).isEqualTo(first);
            }
        }
    }

    /// A virtual machine that only interprets, one with the quick compiler alone, and one that has compiled everything
    /// that is hot agree to the bit. The quick compiler knows no vectors and is slow, but ten steps are hot enough for
    /// it.
    @Test
    void interpreterAndCompilersAgree() throws IOException, InterruptedException {
        String interpreted = digestOf(1, "-Xint");
        assertThat(digestOf(10, "-XX:TieredStopAtLevel=1")).as("quick compiler").isEqualTo(interpreted);
        assertThat(digestOf(100)).as("both compilers").isEqualTo(interpreted);
        try (Backend backend = new CpuBackend(2); OneStep step = new OneStep(backend, LAYERS)) {
            assertThat(step.run(Keep.ALL).digest()).as("this virtual machine").isEqualTo(interpreted);
        }
    }

    private static String digestOf(int repetitions, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(Arrays.asList(options));
        command.addAll(List.of("--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-cp",
                System.getProperty("java.class.path"), OneStep.class.getName(), "2", Integer.toString(LAYERS),
                Integer.toString(repetitions)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output.lines().filter(line -> line.startsWith("digest ")).map(line -> line.substring("digest ".length()))
                .findFirst().orElseThrow();
    }
}
