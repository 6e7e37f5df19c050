package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import nocturne.service.slot.DeviceHealth.Reading;
import nocturne.service.slot.DeviceHealth.Recovery;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Drivers name the same things differently; src/test/resources/nvidia-smi/README.md says where the texts come from.
final class NvidiaSmiTest {
    private static final String NO_CUDA_13 =
            "its driver runs CUDA %s, and 13.0 is needed; install driver 580 or newer";

    @TempDir
    private Path folder;

    @Test
    void readsADriverBeforeRecoveryActions() throws IOException {
        assertThat(NvidiaSmi.parse(text("driver-470.xml"))).containsExactly(Map.entry("cuda:0",
                new Reading("cuda:0", "NVIDIA GeForce RTX 2070", Recovery.NONE, 0, List.of("too hot (driver)"),
                        561L << 20, Set.of(), NO_CUDA_13.formatted("11.4"))));
    }

    @Test
    void readsADriverThatAsksForAReset() throws IOException {
        Map<String, Reading> readings = NvidiaSmi.parse(text("driver-535.xml"));
        assertThat(readings.get("cuda:0")).isEqualTo(new Reading("cuda:0", "Tesla V100-SXM2-32GB", Recovery.NONE, 2,
                List.of(), 1024L << 20, Set.of(), ""));
        assertThat(readings.get("cuda:1").recovery()).isEqualTo(Recovery.RESET);
        assertThat(readings.get("cuda:1").uncorrectable()).isEqualTo(3);
    }

    @Test
    void readsADriverWithRecoveryActions() throws IOException {
        Map<String, Reading> readings = NvidiaSmi.parse(text("driver-575.xml"));
        assertThat(readings.get("cuda:0")).isEqualTo(new Reading("cuda:0", "NVIDIA H100 80GB HBM3", Recovery.NONE, 2,
                List.of("hardware slowdown", "too hot (hardware)"), 71000L << 20, Set.of(4711L, 4712L),
                NO_CUDA_13.formatted("12.9")));
        assertThat(readings.get("cuda:1").recovery()).isEqualTo(Recovery.DRAIN_AND_RESET);
        assertThat(readings.get("cuda:2").recovery()).isEqualTo(Recovery.REBOOT);
    }

    @Test
    void seesADeviceThatIsGone() throws IOException {
        Map<String, Reading> readings = NvidiaSmi.parse(text("lost.xml"));
        assertThat(readings.get("cuda:0").recovery()).isEqualTo(Recovery.LOST);
        assertThat(readings.get("cuda:1").recovery()).isEqualTo(Recovery.RESET);
    }

    @Test
    void tellsCardsThatTheEngineCannotUse() throws IOException {
        String old = "<?xml version=\"1.0\" ?><nvidia_smi_log><cuda_version>13.0</cuda_version>"
                + "<gpu><product_architecture>Turing</product_architecture></gpu>"
                + "<gpu><product_architecture>Hopper</product_architecture></gpu></nvidia_smi_log>";
        Map<String, Reading> readings = NvidiaSmi.parse(old);
        assertThat(readings.get("cuda:0").inability()).contains("Turing is older than Ampere");
        assertThat(readings.get("cuda:1").inability()).isEmpty();
    }

    @Test
    void wordsAreNoReading() {
        assertThatThrownBy(() -> NvidiaSmi.parse("NVIDIA-SMI has failed because it couldn't communicate with the"
                + " NVIDIA driver.")).isInstanceOf(IOException.class).hasMessageContaining("couldn't communicate");
        assertThatThrownBy(() -> NvidiaSmi.parse("<?xml version=\"1.0\" ?><nvidia_smi_log><gpu>"))
                .isInstanceOf(IOException.class).hasMessageContaining("cannot be read");
    }

    @Test
    void aMachineWithoutTheProgramHasNoGpus() throws Exception {
        assertThat(new NvidiaSmi(folder.resolve("none").toString(), Duration.ofSeconds(5)).read()).contains(Map.of());
    }

    @Test
    void aProgramThatHangsIsGivenUp() throws Exception {
        NvidiaSmi stuck = new NvidiaSmi(program("exec sleep 1000"), Duration.ofMillis(300));
        assertThatThrownBy(stuck::read).isInstanceOf(IOException.class).hasMessageContaining("no answer");
    }

    @Test
    void runsTheProgram() throws Exception {
        Path answer = Files.writeString(folder.resolve("answer.xml"), text("driver-470.xml"));
        NvidiaSmi program = new NvidiaSmi(program("[ \"$*\" = \"-q -x\" ] && cat '" + answer + "'"),
                Duration.ofSeconds(20));
        assertThat(program.read().orElseThrow()).containsOnlyKeys("cuda:0");
    }

    private String program(String script) throws IOException {
        Path file = Files.writeString(folder.resolve("nvidia-smi"), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return file.toString();
    }

    private static String text(String name) throws IOException {
        try (InputStream in = NvidiaSmiTest.class.getResourceAsStream("/nvidia-smi/" + name)) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
