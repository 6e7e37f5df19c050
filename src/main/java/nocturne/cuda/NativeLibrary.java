package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// A shared library whose functions are called by address, without bindings: what must work before, or without, those
/// of JavaCPP. Every function here answers with an `int`, 0 meaning success.
///
/// A library that was opened stays open: NVIDIA's cannot be unloaded safely.
final class NativeLibrary {
    /// For `T*`, `T**` and handles.
    static final ValueLayout.OfLong ADDRESS = ValueLayout.JAVA_LONG;

    private final String name;
    private final SymbolLookup symbols;

    private NativeLibrary(String name, SymbolLookup symbols) {
        this.name = name;
        this.symbols = symbols;
    }

    /// Lets the system's loader look for it.
    ///
    /// @throws IllegalArgumentException if it finds none that can be opened
    static NativeLibrary named(String name) {
        return new NativeLibrary(name, SymbolLookup.libraryLookup(name, Arena.global()));
    }

    /// @throws IllegalArgumentException if the file cannot be opened as a library
    static NativeLibrary at(Path file) {
        return new NativeLibrary(file.toString(), SymbolLookup.libraryLookup(file, Arena.global()));
    }

    /// @param parameters layouts of the arguments
    /// @throws UnsatisfiedLinkError if there is no such function
    MethodHandle function(String function, MemoryLayout... parameters) {
        return Linker.nativeLinker().downcallHandle(
                symbols.find(function)
                        .orElseThrow(() -> new UnsatisfiedLinkError(name + " has no function " + function)),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
    }
}
