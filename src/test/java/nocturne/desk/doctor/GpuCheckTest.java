package nocturne.desk.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.desk.doctor.Finding.Level;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the doctor makes of the answers of `nocturne devices` and `nvidia-smi`, both of them scripts.
final class GpuCheckTest {
    private static final String CARD = """
            {"device":"cuda:0","card":"NVIDIA H100 (compute capability 9.0, 79.2 GiB)","usable":true,"kernels":true}""";
    private static final String LIBRARY = """
            {"name":"libcudart.so.13","needed":true,"file":"/lib/libcudart.so.13"}""";

    @TempDir
    private Path devices;

    @Test
    void aCardWithEverythingIsFine() throws Exception {
        assertThat(look(found(CARD, LIBRARY), "true")).containsExactly(
                Finding.ok("GPU", "cuda:0 is NVIDIA H100 (compute capability 9.0, 79.2 GiB), driver for CUDA 13.0"),
                Finding.ok("CUDA", "/lib/libcudart.so.13"));
    }

    @Test
    void wordsOfTheVirtualMachineDoNotDisturb() throws Exception {
        assertThat(look("printf 'WARNING: this and that\\n'; " + found(CARD, LIBRARY), "true")).hasSize(2);
    }

    @Test
    void aMachineWithoutCardsComputesOnItsProcessor() throws Exception {
        String absent = "echo '{\"absent\":{\"reason\":\"there is no driver\",\"remedy\":\"Install it.\"}}'";
        assertThat(look(absent, "false")).containsExactly(Finding.note("GPU", "none: there is no driver",
                "Jobs run on the processor, which is enough for small models only. Install it."));
        Files.createFile(devices.resolve("nvidia0"));
        assertThat(look(absent, "false")).singleElement().satisfies(finding -> {
            assertThat(finding.level()).isEqualTo(Level.PROBLEM);
            assertThat(finding.found()).endsWith("/nvidia*), and it cannot be used: there is no driver");
            assertThat(finding.todo()).isEqualTo("Install it.");
        });
    }

    @Test
    void aDriverThatEndsWhoeverAsksIsAProblem() throws Exception {
        assertThat(look("kill -SEGV $$", "true")).singleElement().satisfies(finding -> {
            assertThat(finding.level()).isEqualTo(Level.PROBLEM);
            assertThat(finding.found()).startsWith("asking the driver ended with code 139");
        });
    }

    @Test
    void whatIsMissingHasItsWeight() throws Exception {
        String card = CARD.replace("\"kernels\":true", "\"kernels\":false");
        String needed = "{\"name\":\"libcudart.so.13\",\"needed\":true,\"without\":\"no card\",\"remedy\":\"Do.\"}";
        String wanted = "{\"name\":\"libcudnn.so.9\",\"needed\":false,\"without\":\"slow\",\"remedy\":\"Do.\"}";
        assertThat(look(found(card, needed + "," + wanted), "exit 9")).extracting(Finding::level)
                .containsExactly(Level.OK, Level.PROBLEM, Level.PROBLEM, Level.NOTE, Level.PROBLEM);
        assertThat(look(found(card.replace("\"usable\":true", "\"usable\":false"), LIBRARY), "true"))
                .extracting(Finding::level).containsExactly(Level.NOTE, Level.OK);
        assertThat(new GpuCheck(shell(found(CARD, LIBRARY)), List.of("no-such-program"), devices).look())
                .extracting(Finding::level).containsExactly(Level.OK, Level.NOTE, Level.OK);
    }

    private static String found(String cards, String libraries) {
        return "echo '{\"driver\":\"13.0\",\"devices\":[" + cards + "],\"libraries\":[" + libraries + "]}'";
    }

    private List<Finding> look(String asking, String health) throws Exception {
        return new GpuCheck(shell(asking), shell(health), devices).look();
    }

    private static List<String> shell(String script) {
        return List.of("sh", "-c", script);
    }
}
