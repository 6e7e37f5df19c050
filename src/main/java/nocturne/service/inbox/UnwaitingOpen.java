package nocturne.service.inbox;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Holds a file open that may turn out to be a pipe: opening one the usual way waits until somebody writes to it, which
/// may be never, and between looking at a name and opening it anybody may have put a pipe there.
///
/// Java cannot ask the system for an open that does not wait, so the system is asked directly, where we know how; then
/// the open file has a name of its own that nobody can swap. Elsewhere the name itself is used.
///
/// @param descriptor -1 if the file is not held open
/// @param path       by which to look at the very file, and to open it in Java's way
record UnwaitingOpen(int descriptor, Path path) implements AutoCloseable {
    private static final Charset FILE_NAMES =
            Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));
    /// Null where the system is not asked directly.
    private static final @Nullable Calls CALLS = Calls.find();

    /// @param flags read only, do not wait, do not follow a link, close when another program is started
    private record Calls(MethodHandle open, MethodHandle close, int flags) {
        private static final int LINUX_NONBLOCK = 0x800;
        private static final int LINUX_CLOEXEC = 0x80000;
        private static final int LINUX_NOFOLLOW_X86 = 0x20000;
        private static final int LINUX_NOFOLLOW_ARM = 0x8000;

        static @Nullable Calls find() {
            if (!System.getProperty("os.name", "").equals("Linux")) return null;
            int noFollow = switch (System.getProperty("os.arch", "").toLowerCase(Locale.ROOT)) {
                case "amd64", "x86_64" -> LINUX_NOFOLLOW_X86;
                case "aarch64" -> LINUX_NOFOLLOW_ARM;
                default -> 0;
            };
            Linker linker = Linker.nativeLinker();
            MemorySegment open = linker.defaultLookup().find("open").orElse(null);
            MemorySegment close = linker.defaultLookup().find("close").orElse(null);
            if (noFollow == 0 || open == null || close == null) return null;
            return new Calls(
                    linker.downcallHandle(open, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT),
                            Linker.Option.firstVariadicArg(2)),
                    linker.downcallHandle(close, FunctionDescriptor.of(JAVA_INT, JAVA_INT)),
                    LINUX_NONBLOCK | LINUX_CLOEXEC | noFollow);
        }
    }

    /// @throws IOException if the system refuses, such as for a link, or a file that is gone
    static UnwaitingOpen of(Path file) throws IOException {
        if (CALLS == null) return new UnwaitingOpen(-1, file);
        int descriptor;
        try (Arena arena = Arena.ofConfined()) {
            descriptor = (int) CALLS.open().invokeExact(arena.allocateFrom(file.toString(), FILE_NAMES), CALLS.flags());
        } catch (Throwable impossible) {
            throw new AssertionError("open throws nothing", impossible);
        }
        if (descriptor < 0) throw new IOException(file + " could not be opened");
        return new UnwaitingOpen(descriptor, Path.of("/proc/self/fd/" + descriptor));
    }

    @Override
    public void close() {
        if (descriptor < 0 || CALLS == null) return;
        try {
            int _ = (int) CALLS.close().invokeExact(descriptor);
        } catch (Throwable impossible) {
            throw new AssertionError("close throws nothing", impossible);
        }
    }
}
