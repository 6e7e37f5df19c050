package nocturne.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import nocturne.problem.SickMachine;
import org.jspecify.annotations.Nullable;

/// NVIDIA's libraries as this machine has them, and the way to load them.
///
/// Nothing is put on a library path, which could only be done before a process starts: each library is loaded by its
/// absolute path, before the class of JavaCPP that binds to it. The binding then finds it by its name in memory.
public final class CudaLibraries {
    private static final Set<Path> LOADED = new HashSet<>();

    private final Map<CudaLibrary, Path> files = new EnumMap<>(CudaLibrary.class);

    private CudaLibraries() {}

    /// Looks in all the usual places.
    ///
    /// @param asked a folder to look in first; null for none
    public static CudaLibraries find(@Nullable Path asked) {
        return in(LibraryPlaces.of(asked, System.getenv()), CudaLibraries::knownToTheLoader);
    }

    /// @param folders in the order in which they are looked through
    /// @param known   asked only if something was not found: paths by file name that the system's loader knows
    static CudaLibraries in(List<Path> folders, Supplier<Map<String, Path>> known) {
        CudaLibraries libraries = new CudaLibraries();
        for (CudaLibrary library : CudaLibrary.values()) {
            folders.stream().filter(folder -> isWhole(library, folder)).findFirst()
                    .ifPresent(folder -> libraries.files.put(library, folder.resolve(library.file())));
        }
        if (libraries.files.size() == CudaLibrary.values().length) return libraries;
        Map<String, Path> others = known.get();
        for (CudaLibrary library : CudaLibrary.values()) {
            Path file = others.get(library.file());
            if (file != null && isWhole(library, file.resolveSibling(""))) {
                libraries.files.putIfAbsent(library, file);
            }
        }
        return libraries;
    }

    /// Where a library lies, if it was found.
    public Optional<Path> file(CudaLibrary library) {
        return Optional.ofNullable(files.get(library));
    }

    /// Whether there is an image of every kernel for a card, or a compiler to make it.
    public boolean haveKernelsFor(Card card) {
        return file(CudaLibrary.NVRTC).isPresent() || KernelImages.ofProgram(this).hasPacked(card);
    }

    /// Loads a library and what it needs; once loaded, nothing happens.
    ///
    /// @throws SickMachine `DEVICE_LIBRARIES` if it was not found or cannot be loaded
    void load(CudaLibrary library) {
        Path file = file(library).orElseThrow(() -> new SickMachine("DEVICE_LIBRARIES",
                "%s was not found: %s. %s".formatted(library.file(), library.without(), library.remedy()), null));
        companions(library, file.resolveSibling("")).forEach(CudaLibraries::load);
        load(file);
    }

    private static void load(Path file) {
        synchronized (LOADED) {
            if (LOADED.contains(file)) return;
            try {
                System.load(file.toString());
            } catch (UnsatisfiedLinkError unusable) {
                throw new SickMachine("DEVICE_LIBRARIES", ("loading %s failed: %s. Install it anew, or name another"
                        + " folder with --cuda-libs.").formatted(file, unusable.getMessage()), unusable);
            }
            LOADED.add(file);
        }
    }

    private static boolean isWhole(CudaLibrary library, Path folder) {
        return Files.isRegularFile(folder.resolve(library.file()))
                && library.companions().stream().noneMatch(pattern -> matching(folder, pattern).isEmpty());
    }

    private static List<Path> companions(CudaLibrary library, Path folder) {
        List<Path> found = new ArrayList<>();
        for (String pattern : library.companions()) found.addAll(matching(folder, pattern));
        return found;
    }

    private static List<Path> matching(Path folder, String pattern) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, pattern)) {
            return StreamSupport.stream(files.spliterator(), false).sorted(Comparator.naturalOrder()).toList();
        } catch (IOException unreadable) {
            return List.of();
        }
    }

    private static Map<String, Path> knownToTheLoader() {
        try {
            Process process = new ProcessBuilder("/sbin/ldconfig", "-p")
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            process.getOutputStream().close();
            try (var answer = process.getInputStream()) {
                return parsed(new String(answer.readAllBytes(), StandardCharsets.UTF_8));
            }
        } catch (IOException noSuchProgram) {
            return Map.of();
        }
    }

    /// Reads what `ldconfig -p` prints: `libx.so.1 (libc6,x86-64) => /usr/lib/libx.so.1`. The first of a name counts.
    static Map<String, Path> parsed(String listing) {
        Map<String, Path> found = new TreeMap<>();
        for (String line : listing.lines().toList()) {
            String[] parts = line.strip().split(" => ", 2);
            if (parts.length == 2) found.putIfAbsent(parts[0].replaceFirst(" .*", ""), Path.of(parts[1]));
        }
        return found;
    }
}
