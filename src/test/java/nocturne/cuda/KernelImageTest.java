package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import nocturne.cuda.KernelImage.Usage;
import org.junit.jupiter.api.Test;

/// What the compilers print about a kernel, in the words of nvcc 13.0 and NVRTC 13.1.
final class KernelImageTest {
    private static final String WORDS = """
            ptxas info    : 0 bytes gmem
            ptxas info    : Compiling entry function 'modulation_gradient_f32' for 'sm_80'
            ptxas info    : Function properties for modulation_gradient_f32
                0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
            ptxas info    : Used 32 registers, used 1 barriers, 1024 bytes smem, 400 bytes cmem[0]
            ptxas info    : Compile time = 9.100 ms
            ptxas info    : Compiling entry function 'attention_backward_bf16' for 'sm_80'
            ptxas info    : Function properties for attention_backward_bf16
                40 bytes stack frame, 20 bytes spill stores, 32 bytes spill loads
            ptxas info    : Used 255 registers, used 1 barriers, 40 bytes cumulative stack size, 436 bytes cmem[0]
            """;

    @Test
    void whatEachKernelTakesIsReadFromTheCompilersWords() {
        assertThat(new KernelImage(new byte[0], WORDS).usages()).containsExactly(
                new Usage("modulation_gradient_f32", 32, 0, 1024),
                new Usage("attention_backward_bf16", 255, 52, 0));
    }
}
