package nocturne;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import nocturne.cuda.Card.Capability;
import nocturne.cuda.ChildJvm;
import nocturne.cuda.StubDriver;
import nocturne.problem.SickMachine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `--device` on machines that were made up: the real command in a process of its own, with a pretended driver.
final class DeviceOptionsTest {
    private static final StubDriver TWO_CARDS = StubDriver.of(new Capability(8, 9)).withCards(2);

    @TempDir
    private Path folder;

    /// With all words that a service may add for a card.
    @Test
    void aCardThatIsNotThereIsTheDevicesFaultAndNobodysBug() throws Exception {
        TWO_CARDS.build(folder);
        ChildJvm.End end = run("train", "a", "--device", "cuda:5", "--vram", "24GB", "--vram-share", "85%",
                "--eight-bit");
        assertThat(end.text()).isEqualTo("--device cuda:5: there is no such card; cuda:0 is NVIDIA Pretended 24GB,"
                + " cuda:1 is NVIDIA Pretended 24GB. CUDA_VISIBLE_DEVICES decides what is counted. [DEVICE_ABSENT]");
        assertThat(end.code()).isEqualTo(76);
    }

    @Test
    void aDriverThatWillNotDoIsToldWithItsRemedy() throws Exception {
        TWO_CARDS.speaking(12_040).build(folder);
        ChildJvm.End end = run("bench", "--device", "cuda:0");
        assertThat(end.text()).isEqualTo("--device cuda:0: the driver speaks CUDA 12.4, and 13.0 is needed. Install"
                + " NVIDIA driver 580 or newer; in a container that is the host's driver. [DEVICE_ABSENT]");
        assertThat(end.code()).isEqualTo(76);
    }

    @Test
    void whatThereIsIsListedForPeopleAndForPrograms() throws Exception {
        TWO_CARDS.build(folder);
        assertThat(run("devices").text()).contains(
                "cuda:0   NVIDIA Pretended 24GB (compute capability 8.9, 24.0 GiB)\n",
                "cuda:1   NVIDIA Pretended 24GB", "driver   for CUDA 13.0\n", "libcudart.so.13");
        assertThat(run("devices", "--json").text())
                .startsWith("{\"driver\":\"13.0\",\"devices\":[{\"device\":\"cuda:0\",")
                .contains("\"usable\":true");
    }

    @Test
    void theProcessorNeedsNothingOfCuda() throws Exception {
        List<String> words = new ArrayList<>(ChildJvm.words(Main.class, "bench", "--steps", "1", "--warmup", "0"));
        words.addAll(1, List.of("-Xlog:class+load", "--add-modules", "jdk.incubator.vector"));
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String loaded = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        assertThat(loaded).contains("tiny size on cpu", "org.bytedeco.openblas").doesNotContain("org.bytedeco.cuda",
                "nocturne.cuda.CudaDriver", "nocturne.cuda.NativeLibrary");
    }

    /// A sick device is left to others (76); too little memory is a question of the job and the card together, which
    /// the service answers by another way to use it (74).
    @Test
    void theCodeDecidesHowTheProcessEnds() {
        assertThat(ExitCode.of(new SickMachine("DEVICE_ERROR_700", "", null)).number()).isEqualTo(76);
        assertThat(ExitCode.of(new SickMachine("DEVICE_LOST", "", null)).number()).isEqualTo(76);
        assertThat(ExitCode.of(new SickMachine("GPU_OUT_OF_MEMORY", "", null)).number()).isEqualTo(74);
    }

    private ChildJvm.End run(String... words) throws Exception {
        return ChildJvm.run(Map.of("LD_LIBRARY_PATH", folder.toString()), Main.class, words);
    }
}
