package nocturne.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// NVIDIA's compiler as a program, for builds on machines that have the toolkit.
final class Nvcc {
    private final Path program;

    private Nvcc(Path program) {
        this.program = program;
    }

    /// The one on the path, or in `$CUDA_HOME`.
    static Optional<Nvcc> find(Map<String, String> environment) {
        List<String> folders = new ArrayList<>(
                Arrays.asList(environment.getOrDefault("PATH", "").split(File.pathSeparator)));
        String home = environment.getOrDefault("CUDA_HOME", "");
        if (!home.isEmpty()) folders.add(home + "/bin");
        return folders.stream().filter(folder -> !folder.isEmpty()).map(folder -> Path.of(folder, "nvcc"))
                .filter(Files::isExecutable).findFirst().map(Nvcc::new);
    }

    /// @return the image, and how many registers each kernel takes
    KernelImage compile(KernelSources sources, String family, String architecture) throws IOException {
        Path folder = Files.createTempDirectory("nocturne-kernels-");
        try {
            Path unit = Files.writeString(folder.resolve(family + ".cu"), sources.unit(family));
            for (Map.Entry<String, String> header : sources.headers().entrySet()) {
                Files.writeString(folder.resolve(header.getKey()), header.getValue());
            }
            Path image = folder.resolve(family + ".cubin");
            List<String> words = new ArrayList<>(List.of(program.toString(), "-cubin", "-arch=" + architecture,
                    "--resource-usage", "-o", image.toString(), unit.toString()));
            words.addAll(KernelCompiler.OPTIONS);
            Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said;
            try (var output = process.getInputStream()) {
                said = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            }
            if (process.waitFor() != 0) throw KernelCompiler.refused(family, architecture, "nvcc", said);
            return new KernelImage(Files.readAllBytes(image), said);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while compiling", e);
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
            }
        }
    }

    @Override
    public String toString() {
        return program.toString();
    }
}
