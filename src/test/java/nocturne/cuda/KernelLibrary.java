package nocturne.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Kernels compiled for the processor together with the host simulator (`kernels/simulator`), loaded into this process.
final class KernelLibrary {
    private static final Map<List<Path>, Attempt> LOADED = new ConcurrentHashMap<>();

    /// A library, or why there is none: what the compiler refuses once it is not asked again.
    private record Attempt(KernelLibrary library, RuntimeException failure) {}

    /// How a kernel is called.
    ///
    /// @param signature         one letter for the kind of each of its parameters, see [Arguments#signature]
    /// @param mostThreads       how many a block may have
    /// @param staticSharedBytes at most, see [HostCompiler.Library]
    record Kernel(MemorySegment call, String signature, int mostThreads, int staticSharedBytes) {}

    private final HostCompiler.Library library;
    private final SymbolLookup symbols;
    private final Map<String, Kernel> kernels = new HashMap<>();

    private KernelLibrary(HostCompiler.Library library) {
        this.library = library;
        symbols = SymbolLookup.libraryLookup(library.file(), Arena.global());
    }

    /// All of `kernels/*.cu`.
    static KernelLibrary ofTheProject() {
        return of(HostCompiler.filesIn(HostCompiler.KERNELS, ".cu"));
    }

    /// Compiled at the first call; afterwards the same. Where there is no compiler the calling test is skipped.
    static KernelLibrary of(List<Path> sources) {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the kernel simulator runs on Linux only");
        assumeTrue(HostCompiler.isInstalled(), "g++ is not installed, so kernels cannot be tested without a GPU");
        Attempt attempt = LOADED.computeIfAbsent(sources, files -> {
            try {
                return new Attempt(new KernelLibrary(HostCompiler.library(files)), null);
            } catch (RuntimeException failed) {
                return new Attempt(null, failed);
            } catch (IOException failed) {
                return new Attempt(null, new UncheckedIOException(failed));
            }
        });
        if (attempt.failure != null) throw attempt.failure;
        return attempt.library;
    }

    /// @throws IllegalArgumentException where there is no such kernel
    synchronized Kernel kernel(String name) {
        return kernels.computeIfAbsent(name, this::find);
    }

    private Kernel find(String name) {
        MemorySegment call = symbols.find(name + "__call")
                .orElseThrow(() -> new IllegalArgumentException("there is no kernel " + name + " in kernels/*.cu"));
        MethodHandle signature = function(name + "__signature", FunctionDescriptor.of(ValueLayout.ADDRESS));
        MethodHandle mostThreads = function(name + "__most_threads", FunctionDescriptor.of(ValueLayout.JAVA_INT));
        try {
            MemorySegment text = (MemorySegment) signature.invokeExact();
            return new Kernel(call, text.reinterpret(Long.MAX_VALUE).getString(0), (int) mostThreads.invokeExact(),
                    library.staticSharedBytes().get(name));
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    MethodHandle function(String name, FunctionDescriptor signature) {
        return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(name), signature);
    }
}
