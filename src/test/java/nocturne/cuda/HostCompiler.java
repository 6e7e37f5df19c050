package nocturne.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Compiles kernels with g++ into a shared library, once for each state of their sources.
///
/// Objects and libraries lie in `target/kernels` under the hash of all that went into them.
final class HostCompiler {
    static final Path KERNELS = Path.of("kernels");

    private static final Path OUTPUT = Path.of("target", "kernels");
    private static final String COMPILER = "g++";
    /// Contraction into fused multiply-adds would make results depend on the compiler's mood; kernels say `fmaf` where
    /// they want one. Kernels know `#pragma unroll`, g++ does not.
    private static final List<String> OPTIONS = List.of("-std=c++17", "-O2", "-march=native", "-ffp-contract=off",
            "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-I" + KERNELS);

    private HostCompiler() {}

    static boolean isInstalled() {
        return Programs.find(COMPILER);
    }

    /// @return the shared library of these sources and the simulator
    /// @throws IllegalStateException with the compiler's words, if it refuses or warns
    static Path library(List<Path> sources) throws IOException {
        String common = common();
        List<Path> units = new ArrayList<>(filesIn(KERNELS.resolve("simulator"), ".cpp"));
        units.addAll(sources);
        List<String> objects = units.parallelStream().map(unit -> object(unit, common).toString()).toList();
        Path library = OUTPUT.resolve(Programs.hash(String.join("\n", objects))).resolve("libkernels.so");
        Programs.make(library, unfinished -> {
            List<String> command = new ArrayList<>(List.of(COMPILER, "-shared", "-pthread"));
            command.addAll(objects);
            command.addAll(List.of("-o", unfinished.toString()));
            Programs.run(command);
        });
        return library.toAbsolutePath();
    }

    private static Path object(Path source, String common) {
        try {
            String hash = Programs.hash(common + source + Files.readString(source));
            Path object = OUTPUT.resolve("objects").resolve(hash + ".o");
            Programs.make(object, unfinished -> {
                List<String> command = new ArrayList<>(List.of(COMPILER));
                command.addAll(OPTIONS);
                command.addAll(List.of("-x", "c++", "-c", source.toString(), "-o", unfinished.toString()));
                Programs.run(command);
            });
            return object;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// What every object depends on: the headers, the compiler, its options and the processor they speak of.
    private static String common() throws IOException {
        StringBuilder text = new StringBuilder(String.join(" ", OPTIONS));
        text.append(Programs.run(List.of(COMPILER, "--version")));
        List<Path> headers = new ArrayList<>(filesIn(KERNELS, ".cuh"));
        headers.addAll(filesIn(KERNELS.resolve("simulator"), ".h"));
        for (Path header : headers) text.append(header).append(Files.readString(header));
        Path processor = Path.of("/proc/cpuinfo");
        if (Files.isReadable(processor)) {
            try (Stream<String> lines = Files.lines(processor)) {
                lines.filter(line -> line.startsWith("flags")).findFirst().ifPresent(text::append);
            }
        }
        return text.toString();
    }

    /// Files with this ending, by name.
    static List<Path> filesIn(Path folder, String ending) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
