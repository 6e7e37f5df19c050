package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// NVRTC needs neither a driver nor a card, so its results are looked at here, though nothing can run them.
///
/// It is taken where the machine has it, or from `target/nvrtc`, where a build with -Pcubins may have put it.
final class NvrtcTest {
    private static Nvrtc nvrtc;

    @BeforeAll
    static void find() {
        CudaLibraries libraries = CudaLibraries.find(Path.of("target/nvrtc").toAbsolutePath());
        assumeTrue(libraries.file(CudaLibrary.NVRTC).isPresent(), "this machine has no NVRTC");
        nvrtc = Nvrtc.of(libraries);
    }

    @Test
    void allKernelsCompile() {
        KernelSources sources = KernelSources.ofProgram();
        assertThat(sources.units()).containsKey("elementwise");
        for (String family : sources.units().keySet()) {
            byte[] image = nvrtc.compile(sources, family, "sm_80");
            assertThat(image).as(family).startsWith(0x7f, 'E', 'L', 'F');
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_100a", "sm_120a"})
    void theNamesByWhichKernelsAreLaunchedAreSymbolsOfTheImage(String architecture) {
        byte[] image = nvrtc.compile(KernelSources.ofProgram(), "elementwise", architecture);
        assertThat(new String(image, StandardCharsets.ISO_8859_1)).contains("silu_bf16").contains("silu_f32");
    }

    @Test
    void aMistakeIsToldWithFileAndLine() {
        assertThatThrownBy(() -> nvrtc.compile(sources("""
                #include "numbers.cuh"

                extern "C" __global__ void twice(float* x) { x[0] = TWO * y[0]; }
                """), "broken", "sm_80"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageMatching("(?s)kernels/broken.cu cannot be compiled for sm_80 by NVRTC 13\\.\\d+:\\R"
                        + ".*kernels/broken.cu\\(3\\): error: identifier \"y\" is undefined.*");
    }

    @Test
    void aMistakeInAHeaderIsToldThere() {
        SequencedMap<String, String> headers = new TreeMap<>();
        headers.put("numbers.cuh", "\n\n#error no numbers today\n");
        SequencedMap<String, String> units = new TreeMap<>();
        units.put("broken", "#include \"numbers.cuh\"");
        assertThatThrownBy(() -> nvrtc.compile(new KernelSources(units, headers), "broken", "sm_80"))
                .hasMessageContaining("numbers.cuh(3)").hasMessageContaining("no numbers today");
    }

    @Test
    void whatItSaysBesideTheImageCanBeAskedFor() {
        Nvrtc telling = Nvrtc.of(CudaLibraries.find(Path.of("target/nvrtc").toAbsolutePath()),
                "--ptxas-options=-v");
        assertThat(telling.compiled(sources("""
                #include "numbers.cuh"
                extern "C" __global__ void twice(float* x) { x[0] *= TWO; }
                """), "broken", "sm_80").words()).contains("Used", "registers", "twice");
    }

    private static KernelSources sources(String text) {
        SequencedMap<String, String> headers = new TreeMap<>();
        headers.put("numbers.cuh", "constexpr float TWO = 2.0f;\n");
        SequencedMap<String, String> units = new TreeMap<>();
        units.put("broken", text);
        return new KernelSources(units, headers);
    }
}
