package nocturne;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Gets the process's own standard error back from the launcher.
///
/// The launcher starts Java with a filter at descriptor 2, because the virtual machine greets with a warning about the
/// incubating vector module, and keeps the real one open beside it. A filter is a second process that may still hold
/// our last words when we have ended, so it is left as soon as there is something of our own to say.
final class StandardError {
    private static final int STANDARD_ERROR = 2;

    private StandardError() {}

    /// Makes descriptor 2 what the launcher was given; does nothing where there is no launcher or no `dup2`.
    static void restore() {
        Integer kept = Integer.getInteger("nocturne.stderr");
        Linker linker = Linker.nativeLinker();
        Optional<MemorySegment> dup2 = kept == null ? Optional.empty() : linker.defaultLookup().find("dup2");
        if (kept == null || dup2.isEmpty()) return;
        MethodHandle call = linker.downcallHandle(dup2.get(), FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
        try {
            // A failure (-1) leaves the filter in place, which is as good a standard error as any.
            int _ = (int) call.invokeExact((int) kept, STANDARD_ERROR);
        } catch (Throwable impossible) {
            throw new AssertionError("dup2 throws nothing", impossible);
        }
    }
}
