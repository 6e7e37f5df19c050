package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import nocturne.cuda.Card.Capability;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The probe looks at drivers that were made up for it, each in a process of its own: what a process has loaded once it
/// never loads again.
final class CudaProbeTest {
    private static final StubDriver ADA = StubDriver.of(new Capability(8, 9));

    @TempDir
    private Path folder;

    /// What the child runs.
    static final class Look {
        public static void main(String[] args) {
            System.out.println(switch (CudaProbe.look()) {
                case CudaPresence.Found found -> "found " + found.driver() + " " + found.cards();
                case CudaPresence.Absent absent -> "absent: " + absent.reason() + " -> " + absent.remedy();
            });
        }
    }

    @Test
    void cardsAreDescribedByTheDriver() throws Exception {
        assertThat(lookAt(ADA.withCards(2))).isEqualTo("found 13.0 ["
                + "NVIDIA Pretended 24GB (compute capability 8.9, 24.0 GiB), "
                + "NVIDIA Pretended 24GB (compute capability 8.9, 24.0 GiB)]");
    }

    @Test
    void aNewerDriverWillDo() throws Exception {
        assertThat(lookAt(ADA.speaking(13_020))).startsWith("found 13.2 ");
    }

    @Test
    void anOlderDriverIsTooOld() throws Exception {
        assertThat(lookAt(ADA.speaking(12_090))).isEqualTo("absent: the driver speaks CUDA 12.9, and 13.0 is needed"
                + " -> Install NVIDIA driver 580 or newer; in a container that is the host's driver.");
    }

    @Test
    void aDriverWithoutCardsSaysSoAtOnceOrWhenCounted() throws Exception {
        assertThat(lookAt(ADA.answeringInit(100)))
                .startsWith("absent: cuInit answered with CUDA error 100 (no device) -> ")
                .contains("CUDA_VISIBLE_DEVICES", "--gpus all");
        Files.delete(folder.resolve("libcuda.so.1"));
        assertThat(lookAt(ADA.withCards(0))).startsWith("absent: the driver sees no card -> ");
    }

    @Test
    void aCardBeforeAmpereIsTooOld() throws Exception {
        assertThat(lookAt(StubDriver.of(new Capability(7, 5))))
                .isEqualTo("absent: no card is new enough: NVIDIA Pretended 24GB (compute capability 7.5, 24.0 GiB)"
                        + " -> Compute capability 8.0 or higher is needed: Ampere, which came in 2020, and all that"
                        + " followed.");
    }

    @Test
    void aFailureBelongsToItsFunctionAndHasARemedy() throws Exception {
        assertThat(lookAt(ADA.answeringCount(3))).isEqualTo("absent: cuDeviceGetCount answered with CUDA error 3 ->"
                + " Mend the driver (does nvidia-smi work? is its module loaded?), or start the machine anew.");
        assertThat(lookAt(ADA.answeringInit(803))).contains("error 803 (system driver mismatch)",
                "start the machine anew");
        assertThat(lookAt(ADA.answeringInit(34))).contains("stub");
    }

    @Test
    void aNameAsLongAsItsRoomDoesNotRunOver() throws Exception {
        assertThat(lookAt(ADA.called("N".repeat(300)))).contains("N".repeat(255) + " (compute capability");
    }

    @Test
    void withoutADriverThereIsAReason() throws Exception {
        assumeFalse(Files.exists(Path.of("/dev/nvidiactl")), "this machine has a driver");
        assertThat(look()).startsWith("absent: libcuda.so.1, which comes with NVIDIA's driver, cannot be opened -> ");
    }

    @Test
    void whatIsNoDriverIsNotTakenForOne() throws Exception {
        Files.writeString(folder.resolve("libcuda.so.1"), "not a library");
        assertThat(look()).startsWith("absent: libcuda.so.1, which comes with NVIDIA's driver, cannot be opened -> ");
        StubDriver.compile("extern \"C\" int cuInit(unsigned) { return 0; }", folder.resolve("libcuda.so.1"));
        assertThat(look()).startsWith("absent: libcuda.so.1 is not what it should be: libcuda.so.1 has no function"
                + " cuDriverGetVersion -> ");
    }

    private String lookAt(StubDriver driver) throws IOException, InterruptedException {
        driver.build(folder);
        return look();
    }

    private String look() throws IOException, InterruptedException {
        ChildJvm.End end = ChildJvm.run(Map.of("LD_LIBRARY_PATH", folder.toString()), Look.class);
        assertThat(end.code()).as(end.text()).isZero();
        return end.text();
    }
}
