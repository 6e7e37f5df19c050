package nocturne.cuda;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import nocturne.cuda.KernelImage.Usage;

/// Compiles all kernels for all architectures of a release, into the folder from which the jar is packed: the build
/// profile `cubins` runs it.
///
/// By nvcc where that is installed, else by NVRTC: the images come out alike.
public final class CubinBuild {
    private final KernelSources sources;
    private final Path target;
    private final PrintStream report;

    private CubinBuild(KernelSources sources, Path target, PrintStream report) {
        this.sources = sources;
        this.target = target;
        this.report = report;
    }

    /// One family for one architecture.
    private interface Compiler {
        KernelImage compile(KernelSources sources, String family, String architecture) throws IOException;
    }

    /// @param words `nvcc`, or `none` to do without it; the folder of sources; the folder for images; a folder that may
    ///     hold NVRTC; a file for the table of what each kernel takes
    public static void main(String[] words) throws IOException {
        if (words.length != 5) throw new IllegalArgumentException("nvcc|none SOURCES TARGET NVRTC REPORT");
        KernelSources sources = KernelSources.in(Path.of(words[1]));
        CudaLibraries libraries = CudaLibraries.find(Path.of(words[3]));
        Optional<Nvcc> nvcc = words[0].equals("none") ? Optional.empty() : Nvcc.find(System.getenv());
        Path report = Path.of(words[4]).toAbsolutePath();
        Files.createDirectories(report.getParent());
        try (PrintStream table = new PrintStream(report.toFile())) {
            CubinBuild build = new CubinBuild(sources, Path.of(words[2]), table);
            if (nvcc.isPresent()) {
                System.out.println("compiling kernels by " + nvcc.get());
                build.run(nvcc.get()::compile);
            } else {
                Nvrtc nvrtc = Nvrtc.of(libraries, "--ptxas-options=-v");
                System.out.println("compiling kernels by " + nvrtc.version());
                build.run(nvrtc::compiled);
            }
        }
        System.out.println("registers and spills of each kernel: " + report);
    }

    private void run(Compiler compiler) throws IOException {
        // First of all, so that images are never taken for those of sources they were not made of.
        Files.deleteIfExists(target.resolve(KernelImages.SOURCES_HASH));
        report.printf("%-9s %-48s %9s %8s %8s%n", "for", "kernel", "registers", "spilled", "shared");
        for (String architecture : Architecture.SHIPPED) {
            List<Usage> usages = new ArrayList<>();
            long bytes = 0;
            for (String family : sources.units().keySet()) {
                KernelImage image = compiler.compile(sources, family, architecture);
                Path file = target.resolve(architecture).resolve(family + ".cubin");
                Files.createDirectories(file.getParent());
                Files.write(file, image.bytes());
                bytes += image.bytes().length;
                usages.addAll(image.usages());
            }
            for (Usage usage : usages) {
                report.printf("%-9s %-48s %9d %8d %8d%n", architecture, usage.kernel(), usage.registers(),
                        usage.spilledBytes(), usage.sharedBytes());
            }
            System.out.printf("  %-8s %d kernels, %d KB, %d of them spill%n", architecture, usages.size(), bytes / 1024,
                    usages.stream().filter(usage -> usage.spilledBytes() > 0).count());
        }
        Files.writeString(target.resolve(KernelImages.SOURCES_HASH), sources.hash() + "\n");
    }
}
