package nocturne.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Compiles kernels with g++ into a shared library, once for each state of their sources.
///
/// Objects and libraries lie in `target/kernels` under the hash of all that went into them.
final class HostCompiler {
    static final Path KERNELS = Path.of("kernels");

    /// Which stands for a file of kernels, to give it a namespace of its own.
    private static final Path KERNEL_FILE = KERNELS.resolve("simulator").resolve("kernel_file.h");
    private static final Path OUTPUT = Path.of("target", "kernels");
    private static final String COMPILER = "g++";
    /// Contraction into fused multiply-adds would make results depend on the compiler's mood; kernels say `fmaf` where
    /// they want one. Kernels know `#pragma unroll`, g++ does not.
    private static final List<String> OPTIONS = List.of("-std=c++17", "-O2", "-march=native", "-ffp-contract=off",
            "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas",
            "-I.", "-I" + KERNELS);
    /// Lines of `readelf --symbols` about a kernel and about a thread-local variable, which static shared memory is.
    private static final Pattern KERNEL = Pattern.compile(" (\\w+)__call$");
    private static final Pattern SHARED_VARIABLE = Pattern.compile("^ *\\d+: \\p{XDigit}+ +(\\w+) TLS ");

    /// @param staticSharedBytes for each kernel, of all kernels of its file: which of them it uses itself is not known
    record Library(Path file, Map<String, Integer> staticSharedBytes) {}

    private HostCompiler() {}

    static boolean isInstalled() {
        return Programs.find(COMPILER);
    }

    /// Makes a shared library of these sources and the simulator.
    ///
    /// @throws IllegalStateException with the compiler's words, if it refuses or warns
    static Library library(List<Path> sources) throws IOException {
        String common = common();
        List<Path> units = new ArrayList<>(sources);
        units.addAll(filesIn(KERNELS.resolve("simulator"), ".cpp"));
        List<String> objects = units.parallelStream().map(unit -> object(unit, common).toString()).toList();
        Path library = OUTPUT.resolve(Programs.hash(String.join("\n", objects))).resolve("libkernels.so");
        Programs.make(library, unfinished -> {
            List<String> command = new ArrayList<>(List.of(COMPILER, "-shared", "-pthread"));
            command.addAll(objects);
            command.addAll(List.of("-o", unfinished.toString()));
            Programs.run(command);
        });
        Map<String, Integer> staticSharedBytes = new HashMap<>();
        for (String object : objects.subList(0, sources.size())) {
            String symbols = Programs.run(List.of("readelf", "--symbols", "--wide", object));
            staticSharedBytes.putAll(staticSharedBytes(symbols));
        }
        return new Library(library.toAbsolutePath(), staticSharedBytes);
    }

    private static Map<String, Integer> staticSharedBytes(String symbols) {
        int bytes = 0;
        List<String> kernels = new ArrayList<>();
        for (String line : symbols.lines().toList()) {
            Matcher kernel = KERNEL.matcher(line);
            Matcher variable = SHARED_VARIABLE.matcher(line);
            if (kernel.find()) kernels.add(kernel.group(1));
            if (variable.find()) bytes += Integer.decode(variable.group(1));
        }
        Map<String, Integer> byKernel = new HashMap<>();
        for (String kernel : kernels) byKernel.put(kernel, bytes);
        return byKernel;
    }

    private static Path object(Path source, String common) {
        try {
            String hash = Programs.hash(common + source + Files.readString(source));
            Path object = OUTPUT.resolve("objects").resolve(hash + ".o");
            Programs.make(object, unfinished -> {
                List<String> command = new ArrayList<>(List.of(COMPILER));
                command.addAll(OPTIONS);
                command.addAll(List.of("-x", "c++", "-c"));
                command.addAll(isKernels(source) ? inNamespace(source) : List.of(source.toString()));
                command.addAll(List.of("-o", unfinished.toString()));
                Programs.run(command);
            });
            return object;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static boolean isKernels(Path source) {
        return source.toString().endsWith(".cu");
    }

    private static List<String> inNamespace(Path source) {
        String namespace = "in_" + source.getFileName().toString().replaceAll("\\W", "_");
        return List.of("-DKERNEL_FILE=\"" + source + "\"", "-DKERNEL_NAMESPACE=" + namespace, KERNEL_FILE.toString());
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
