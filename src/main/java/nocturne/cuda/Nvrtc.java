package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/// NVIDIA's run-time compiler, called by address: unlike JavaCPP's binding, that works without a driver and a card.
///
/// It reads no files: headers are given to it by name. Several threads may compile at once.
final class Nvrtc implements KernelCompiler {
    private static final int COMPILATION_FAILED = 6;

    private final MethodHandle create;
    private final MethodHandle compile;
    private final MethodHandle logSize;
    private final MethodHandle log;
    private final MethodHandle imageSize;
    private final MethodHandle image;
    private final MethodHandle destroy;
    private final String version;
    private final List<String> moreOptions;

    /// @param moreOptions beside [KernelCompiler#OPTIONS]
    private Nvrtc(NativeLibrary library, List<String> moreOptions) {
        ValueLayout.OfInt i = ValueLayout.JAVA_INT;
        ValueLayout.OfLong address = NativeLibrary.ADDRESS;
        create = library.function("nvrtcCreateProgram", address, address, address, i, address, address);
        compile = library.function("nvrtcCompileProgram", address, i, address);
        logSize = library.function("nvrtcGetProgramLogSize", address, address);
        log = library.function("nvrtcGetProgramLog", address, address);
        imageSize = library.function("nvrtcGetCUBINSize", address, address);
        image = library.function("nvrtcGetCUBIN", address, address);
        destroy = library.function("nvrtcDestroyProgram", address);
        version = version(library.function("nvrtcVersion", address, address));
        this.moreOptions = List.copyOf(moreOptions);
    }

    /// @param libraries have [CudaLibrary#NVRTC]
    static Nvrtc of(CudaLibraries libraries, String... moreOptions) {
        libraries.load(CudaLibrary.NVRTC);
        return new Nvrtc(NativeLibrary.at(libraries.file(CudaLibrary.NVRTC).orElseThrow()), List.of(moreOptions));
    }

    private static String version(MethodHandle function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(2L * Integer.BYTES, Integer.BYTES);
            call("nvrtcVersion", () -> (int) function.invokeExact(numbers.address(),
                    numbers.address() + Integer.BYTES));
            return "NVRTC %d.%d".formatted(numbers.getAtIndex(ValueLayout.JAVA_INT, 0),
                    numbers.getAtIndex(ValueLayout.JAVA_INT, 1));
        }
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public byte[] compile(KernelSources sources, String family, String architecture) {
        return compiled(sources, family, architecture).bytes();
    }

    /// The same with the compiler's words.
    KernelImage compiled(KernelSources sources, String family, String architecture) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment program = arena.allocate(NativeLibrary.ADDRESS);
            MemorySegment headers = strings(arena, sources.headers().values());
            MemorySegment names = strings(arena, sources.headers().keySet());
            long text = arena.allocateFrom(sources.unit(family)).address();
            long file = arena.allocateFrom(KernelSources.file(family)).address();
            call("nvrtcCreateProgram", () -> (int) create.invokeExact(program.address(), text, file,
                    sources.headers().size(), headers.address(), names.address()));
            try {
                return compiled(program.get(NativeLibrary.ADDRESS, 0), family, architecture, arena);
            } finally {
                call("nvrtcDestroyProgram", () -> (int) destroy.invokeExact(program.address()));
            }
        }
    }

    private KernelImage compiled(long program, String family, String architecture, Arena arena) {
        List<String> options = new ArrayList<>(OPTIONS);
        options.add("--gpu-architecture=" + architecture);
        options.addAll(moreOptions);
        MemorySegment words = strings(arena, options);
        int code = code(() -> (int) compile.invokeExact(program, options.size(), words.address()));
        String said = said(program, arena);
        if (code == COMPILATION_FAILED) throw KernelCompiler.refused(family, architecture, version, said);
        if (code != 0) {
            throw new IllegalStateException("%s failed with %d on %s for %s: %s".formatted(version, code,
                    KernelSources.file(family), architecture, said));
        }
        MemorySegment size = arena.allocate(NativeLibrary.ADDRESS);
        call("nvrtcGetCUBINSize", () -> (int) imageSize.invokeExact(program, size.address()));
        MemorySegment made = arena.allocate(size.get(NativeLibrary.ADDRESS, 0));
        call("nvrtcGetCUBIN", () -> (int) image.invokeExact(program, made.address()));
        return new KernelImage(made.toArray(ValueLayout.JAVA_BYTE), said);
    }

    private String said(long program, Arena arena) {
        MemorySegment size = arena.allocate(NativeLibrary.ADDRESS);
        call("nvrtcGetProgramLogSize", () -> (int) logSize.invokeExact(program, size.address()));
        MemorySegment text = arena.allocate(Math.max(1, size.get(NativeLibrary.ADDRESS, 0)));
        call("nvrtcGetProgramLog", () -> (int) log.invokeExact(program, text.address()));
        return text.getString(0).strip();
    }

    /// An array of pointers to strings.
    private static MemorySegment strings(Arena arena, Iterable<String> texts) {
        List<MemorySegment> each = new ArrayList<>();
        for (String text : texts) each.add(arena.allocateFrom(text));
        MemorySegment array = arena.allocate(NativeLibrary.ADDRESS, Math.max(1, each.size()));
        for (int i = 0; i < each.size(); i++) array.setAtIndex(NativeLibrary.ADDRESS, i, each.get(i).address());
        return array;
    }

    private interface Call {
        int make() throws Throwable;
    }

    private static void call(String function, Call call) {
        int code = code(call);
        if (code != 0) throw new IllegalStateException(function + " failed with " + code);
    }

    private static int code(Call call) {
        try {
            return call.make();
        } catch (Throwable impossible) {
            throw new IllegalStateException("NVRTC", impossible);
        }
    }
}
