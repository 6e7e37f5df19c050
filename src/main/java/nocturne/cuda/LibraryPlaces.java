package nocturne.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/// Where NVIDIA's libraries may lie, in the order in which they are looked for:
///
/// 1. the folder that was asked for, and where an installation below it keeps them,
/// 2. `LD_LIBRARY_PATH`,
/// 3. `$CUDA_HOME` and `$CUDA_PATH`,
/// 4. `/usr/local/cuda*`, the newest first but for the one without a number, which somebody has chosen,
/// 5. Python's packages: those of the active environment, of the `python3` on the path, and the system's.
///
/// What the system's loader knows comes last, and is not a folder; see [CudaLibraries].
final class LibraryPlaces {
    private final Path root;
    private final Map<String, String> environment;
    private final Set<Path> folders = new LinkedHashSet<>();

    private LibraryPlaces(Path root, Map<String, String> environment) {
        this.root = root;
        this.environment = environment;
    }

    /// @param asked       by the person, as with `--cuda-libs`; null for nowhere in particular
    /// @param environment of this process
    static List<Path> of(@Nullable Path asked, Map<String, String> environment) {
        return of(asked, environment, Path.of("/"));
    }

    /// @param root where the file system begins; another one in tests
    static List<Path> of(@Nullable Path asked, Map<String, String> environment, Path root) {
        LibraryPlaces places = new LibraryPlaces(root, environment);
        if (asked != null) {
            places.add(asked);
            places.addInstallation(asked);
            places.addPackages(asked);
        }
        places.paths("LD_LIBRARY_PATH").forEach(places::add);
        places.paths("CUDA_HOME").forEach(places::addInstallation);
        places.paths("CUDA_PATH").forEach(places::addInstallation);
        places.toolkits().forEach(places::addInstallation);
        places.pythons().forEach(places::addPython);
        return places.folders.stream().filter(Files::isDirectory).toList();
    }

    private void add(Path folder) {
        folders.add(folder.toAbsolutePath().normalize());
    }

    private void addInstallation(Path toolkit) {
        add(toolkit.resolve("lib64"));
        add(toolkit.resolve("lib"));
    }

    /// NVIDIA's wheels unpack into `nvidia/<name>/lib`: `cu13` holds most of CUDA 13, `cudnn` is by itself.
    private void addPackages(Path sitePackages) {
        for (Path packaged : children(sitePackages.resolve("nvidia"), "*")) add(packaged.resolve("lib"));
    }

    /// @param prefix under which a Python is installed
    private void addPython(Path prefix) {
        for (Path version : children(prefix.resolve("lib"), "python3*")) {
            addPackages(version.resolve("site-packages"));
            addPackages(version.resolve("dist-packages"));
        }
    }

    private List<Path> toolkits() {
        return children(root.resolve("usr/local"), "cuda*").stream()
                .sorted(Comparator.comparing((Path folder) -> !folder.endsWith("cuda"))
                        .thenComparing(LibraryPlaces::version, Comparator.reverseOrder())).toList();
    }

    /// `cuda-13.1` is 13001; whatever bears no version comes last.
    private static int version(Path toolkit) {
        String[] numbers = toolkit.getFileName().toString().replaceFirst("^cuda-?", "").split("\\.");
        int version = 0;
        for (int i = 0; i < 2; i++) {
            boolean isNumber = i < numbers.length && numbers[i].matches("\\d{1,3}");
            version = version * 1000 + (isNumber ? Integer.parseInt(numbers[i]) : 0);
        }
        return version;
    }

    private Collection<Path> pythons() {
        Set<Path> prefixes = new LinkedHashSet<>();
        prefixes.addAll(paths("VIRTUAL_ENV"));
        prefixes.addAll(paths("CONDA_PREFIX"));
        for (Path programs : paths("PATH")) {
            Path python = programs.resolve("python3");
            if (Files.isExecutable(python)) {
                prefixes.add(programs.resolveSibling(""));
                // The name may be a link from elsewhere into the installation.
                prefixes.add(installationOf(python));
            }
        }
        for (Path home : paths("HOME")) prefixes.add(home.resolve(".local"));
        Stream.of("usr", "usr/local", "opt/conda").map(root::resolve).forEach(prefixes::add);
        return prefixes;
    }

    private static Path installationOf(Path program) {
        try {
            return program.toRealPath().resolve("../..").normalize();
        } catch (IOException gone) {
            return program.resolve("../..").normalize();
        }
    }

    private List<Path> paths(String variable) {
        List<Path> paths = new ArrayList<>();
        for (String path : environment.getOrDefault(variable, "").split(File.pathSeparator)) {
            // An empty entry means the working directory, which is no place to take programs from.
            if (!path.isBlank()) paths.add(Path.of(path));
        }
        return paths;
    }

    private static List<Path> children(Path folder, String pattern) {
        if (!Files.isDirectory(folder)) return List.of();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, pattern)) {
            return StreamSupport.stream(found.spliterator(), false).sorted(Comparator.reverseOrder()).toList();
        } catch (IOException unreadable) {
            return List.of();
        }
    }
}
