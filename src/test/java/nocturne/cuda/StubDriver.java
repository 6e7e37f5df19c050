package nocturne.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import nocturne.cuda.Card.Capability;

/// A `libcuda.so.1` of a few lines that pretends to be a driver, for processes that are told to look for it in its
/// folder.
///
/// @param init       what `cuInit` answers
/// @param version    of CUDA that it speaks, such as 13000
/// @param countCode  what `cuDeviceGetCount` answers
/// @param cards      how many there are, all alike
/// @param name       of each
/// @param capability of each
/// @param bytes      of memory of each
public record StubDriver(int init, int version, int countCode, int cards, String name, Capability capability,
        long bytes) {
    /// With one card like this.
    public static StubDriver of(Capability capability) {
        return new StubDriver(0, 13_000, 0, 1, "NVIDIA Pretended 24GB", capability, 24L << 30);
    }

    public StubDriver answeringInit(int code) {
        return new StubDriver(code, version, countCode, cards, name, capability, bytes);
    }

    public StubDriver speaking(int version) {
        return new StubDriver(init, version, countCode, cards, name, capability, bytes);
    }

    public StubDriver answeringCount(int code) {
        return new StubDriver(init, version, code, cards, name, capability, bytes);
    }

    public StubDriver withCards(int cards) {
        return new StubDriver(init, version, countCode, cards, name, capability, bytes);
    }

    public StubDriver called(String name) {
        return new StubDriver(init, version, countCode, cards, name, capability, bytes);
    }

    String source() {
        return """
                #include <cstring>
                #define API extern "C" __attribute__((visibility("default")))
                API int cuInit(unsigned) { return %d; }
                API int cuDriverGetVersion(int* version) { *version = %d; return 0; }
                API int cuDeviceGetCount(int* count) { *count = %d; return %d; }
                API int cuDeviceGet(int* device, int ordinal) { *device = 100 + ordinal; return 0; }
                API int cuDeviceGetName(char* name, int length, int) { strncpy(name, "%s", length); return 0; }
                API int cuDeviceGetAttribute(int* value, int which, int) {
                    *value = which == 75 ? %d : which == 76 ? %d : -1;
                    return 0;
                }
                API int cuDeviceTotalMem_v2(size_t* bytes, int) { *bytes = %dL; return 0; }
                """.formatted(init, version, cards, countCode, name, capability.major(), capability.minor(), bytes);
    }

    /// Makes the library in a folder.
    public void build(Path folder) throws IOException, InterruptedException {
        compile(source(), folder.resolve("libcuda.so.1"));
    }

    /// Makes a shared library of C++.
    static void compile(String source, Path library) throws IOException, InterruptedException {
        compile(source, library, List.of());
    }

    /// Makes a shared library of C++ whose functions have its name for their version, as those of NVIDIA's have: a
    /// binding that asks for that version is not loaded with another one.
    static void compileVersioned(String source, Path library) throws IOException, InterruptedException {
        Path versions = Files.writeString(library.resolveSibling(library.getFileName() + ".map"),
                library.getFileName() + " { global: *; };");
        compile(source, library, List.of("-Wl,--version-script=" + versions));
        Files.delete(versions);
    }

    private static void compile(String source, Path library, List<String> options)
            throws IOException, InterruptedException {
        assumeTrue(hasCompiler(), "this machine has no g++ to make a pretended driver with");
        Path file = Files.writeString(library.resolveSibling(library.getFileName() + ".cpp"), source);
        List<String> command = new ArrayList<>(List.of("g++", "-shared", "-fPIC", "-O0", "-Wl,-soname,"
                + library.getFileName(), "-o", library.toString(), file.toString()));
        command.addAll(options);
        Process compiler = new ProcessBuilder(command).inheritIO().start();
        if (!compiler.waitFor(2, TimeUnit.MINUTES) || compiler.exitValue() != 0) {
            throw new IOException("g++ could not make " + library);
        }
        Files.delete(file);
    }

    private static boolean hasCompiler() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "g++")));
    }
}
