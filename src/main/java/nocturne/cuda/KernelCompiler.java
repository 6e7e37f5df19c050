package nocturne.cuda;

import java.util.List;

/// Makes an image that a card can run from a family of kernels.
interface KernelCompiler {
    /// What decides the result beside sources and architecture. Multiplication and addition are contracted as the
    /// compiler likes; nothing else is less exact than IEEE 754 says.
    List<String> OPTIONS = List.of("--std=c++17");

    /// Such as `NVRTC 13.1`; part of the name under which a result is kept.
    String version();

    /// @param architecture such as `sm_90a`
    /// @return a cubin
    /// @throws IllegalStateException with the compiler's words, if the sources cannot be compiled
    byte[] compile(KernelSources sources, String family, String architecture);

    /// What a compiler's refusal means: our bug, in the compiler's words, which name file and line.
    static IllegalStateException refused(String family, String architecture, String compiler, String words) {
        return new IllegalStateException("%s cannot be compiled for %s by %s:%n%s".formatted(
                KernelSources.file(family), architecture, compiler, words.strip()));
    }
}
