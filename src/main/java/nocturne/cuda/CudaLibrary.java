package nocturne.cuda;

import java.util.List;

/// A library of NVIDIA's that is looked for when the program runs, beside the driver's own.
///
/// They are in the order in which they must be loaded.
public enum CudaLibrary {
    /// We call the driver and not the runtime, but JavaCPP's binding names both as what it needs, and cannot be loaded
    /// without.
    RUNTIME("libcudart.so.13", List.of(), true, "without it no card can be used",
            "Install the CUDA 13 runtime (the package cuda-cudart-13-0, or pip install nvidia-cuda-runtime), or name"
                    + " the folder that holds it with --cuda-libs."),
    /// Its second half is searched for in no folder but those of the system, so it has to be there before.
    NVRTC("libnvrtc.so.13", List.of("libnvrtc-builtins.so.13.[0-9]"), false,
            "kernels cannot be compiled here; only cards for which this program brings compiled ones can be used",
            "Nothing, unless a card cannot be used for want of it; then install cuda-nvrtc-13-0, or pip install"
                    + " nvidia-cuda-nvrtc."),
    CUBLAS_LT("libcublasLt.so.13", List.of(), false, "matrix products are those of our own kernels",
            "Install cuBLAS for CUDA 13 (the package libcublas-13-0, or pip install nvidia-cublas), or name the folder"
                    + " that holds it with --cuda-libs."),
    /// We call nothing of it, but JavaCPP's binding of the one before names it as what it needs.
    CUBLAS("libcublas.so.13", List.of(), false, "matrix products are those of our own kernels",
            "Install cuBLAS for CUDA 13 (the package libcublas-13-0, or pip install nvidia-cublas), or name the folder"
                    + " that holds it with --cuda-libs."),
    CUDNN("libcudnn.so.9", List.of("libcudnn_graph.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9",
            "libcudnn_adv.so.9", "libcudnn_engines_*.so.9", "libcudnn_heuristic.so.9"), false,
            "attention and convolutions are those of our own kernels",
            "Nothing: this version does not use it.");

    private final String file;
    private final List<String> companions;
    private final boolean needed;
    private final String without;
    private final String remedy;

    CudaLibrary(String file, List<String> companions, boolean needed, String without, String remedy) {
        this.file = file;
        this.companions = companions;
        this.needed = needed;
        this.without = without;
        this.remedy = remedy;
    }

    /// The name that other libraries know it by; the number at its end is the version of its interface.
    public String file() {
        return file;
    }

    /// Patterns of files beside it that have to be loaded before it.
    List<String> companions() {
        return companions;
    }

    /// Whether nothing works without it.
    public boolean isNeeded() {
        return needed;
    }

    /// What follows where it is missing.
    public String without() {
        return without;
    }

    /// What to do about that.
    public String remedy() {
        return remedy;
    }
}
