package nocturne.cuda;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// Compiles kernels with g++ into a shared library, once for each state of their sources.
///
/// Objects and libraries lie in `target/kernels` under the hash of all that went into them and get their names when
/// they are complete, so several test processes may compile at once: at worst they do the same work.
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
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(File.pathSeparator)).anyMatch(dir -> Files.isExecutable(Path.of(dir, COMPILER)));
    }

    /// @return the shared library of these sources and the simulator
    /// @throws IllegalStateException with the compiler's words, if it refuses
    static Path library(List<Path> sources) throws IOException {
        List<Path> simulator = filesIn(KERNELS.resolve("simulator"), ".cpp");
        String common = common();
        List<Path> units = new ArrayList<>(simulator);
        units.addAll(sources);
        List<Path> objects = units.parallelStream().map(unit -> object(unit, common)).toList();
        List<String> names = objects.stream().map(Path::toString).toList();
        Path library = OUTPUT.resolve(hash(String.join("\n", names))).resolve("libkernels.so");
        make(library, List.of("-shared", "-pthread"), names);
        return library.toAbsolutePath();
    }

    private static Path object(Path source, String common) {
        try {
            String hash = hash(common + source + Files.readString(source));
            Path object = OUTPUT.resolve("objects").resolve(hash + ".o");
            List<String> options = new ArrayList<>(OPTIONS);
            options.addAll(List.of("-x", "c++", "-c"));
            make(object, options, List.of(source.toString()));
            return object;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// What every object depends on: the headers, the compiler, its options and the processor they speak of.
    private static String common() throws IOException {
        StringBuilder text = new StringBuilder(String.join(" ", OPTIONS)).append(run(List.of(COMPILER, "--version")));
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

    private static void make(Path target, List<String> options, List<String> inputs) throws IOException {
        if (Files.exists(target)) return;
        Files.createDirectories(target.getParent());
        Path unfinished = Files.createTempFile(target.getParent(), "unfinished", ".tmp");
        try {
            List<String> command = new ArrayList<>(List.of(COMPILER));
            command.addAll(options);
            command.addAll(inputs);
            command.addAll(List.of("-o", unfinished.toString()));
            run(command);
            Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static String run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) throw new IllegalStateException(String.join(" ", command) + "\n" + said);
        } catch (InterruptedException interrupted) {
            process.destroyForcibly();
            throw new IOException("interrupted while compiling", interrupted);
        }
        return said;
    }

    /// Files with this ending, by name.
    static List<Path> filesIn(Path folder, String ending) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 12);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
