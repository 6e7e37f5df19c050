package nocturne.hub;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The folder in which Hugging Face's own programs keep what they have fetched:
/// `models--<owner>--<name>/snapshots/<commit>/`, whose files are links into `blobs/` beside it, and `refs/main` with
/// the commit that was the newest then. It is read and never written.
///
/// @param root such as `~/.cache/huggingface/hub`; need not be there
public record HubCache(Path root) {
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final int LONGEST_REF = 200;

    /// Where those programs would look: `HF_HUB_CACHE`, `HF_HOME`, `XDG_CACHE_HOME`, the user's `.cache`, in this
    /// order; the first that is set counts alone.
    ///
    /// @param environment variables
    /// @param userHome    the user's folder
    /// @return empty where what is set cannot be a path
    public static Optional<HubCache> of(Map<String, String> environment, String userHome) {
        try {
            return Optional.of(new HubCache(place(environment, userHome).toAbsolutePath().normalize()));
        } catch (InvalidPathException noPath) {
            return Optional.empty();
        }
    }

    /// The cache of whoever runs this process.
    public static Optional<HubCache> ofThisUser() {
        return of(System.getenv(), System.getProperty("user.home", ""));
    }

    private static Path place(Map<String, String> environment, String userHome) {
        String cache = environment.getOrDefault("HF_HUB_CACHE", "");
        if (!cache.isBlank()) return expanded(cache, userHome);
        String home = environment.getOrDefault("HF_HOME", "");
        if (!home.isBlank()) return expanded(home, userHome).resolve("hub");
        String caches = environment.getOrDefault("XDG_CACHE_HOME", "");
        Path above = caches.isBlank() ? Path.of(userHome, ".cache") : expanded(caches, userHome);
        return above.resolve("huggingface/hub");
    }

    private static Path expanded(String path, String userHome) {
        return path.startsWith("~/") ? Path.of(userHome, path.substring(2)) : Path.of(path);
    }

    /// The folder with a model's files as of `main`, or, where only one commit was ever fetched, of that.
    ///
    /// @return by its real path, below the real [#root]; that it is there is known, what is in it is not
    public Optional<Path> snapshot(ModelId id) {
        Path model = root.resolve("models--%s--%s".formatted(id.owner(), id.name()));
        try {
            Path snapshots = model.resolve("snapshots");
            Optional<String> commit = main(model).or(() -> only(snapshots));
            if (commit.isEmpty()) return Optional.empty();
            Path real = snapshots.resolve(commit.get()).toRealPath();
            return real.startsWith(root.toRealPath()) && Files.isDirectory(real)
                    ? Optional.of(real)
                    : Optional.empty();
        } catch (IOException notThere) {
            return Optional.empty();
        }
    }

    private static Optional<String> main(Path model) {
        Path ref = model.resolve("refs/main");
        try {
            if (!Files.isRegularFile(ref) || Files.size(ref) > LONGEST_REF) return Optional.empty();
            String commit = new String(Files.readAllBytes(ref), StandardCharsets.UTF_8).strip();
            // It becomes part of a path.
            return Optional.of(commit).filter(text -> COMMIT.matcher(text).matches());
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    private static Optional<String> only(Path snapshots) {
        try (Stream<Path> commits = Files.list(snapshots)) {
            List<String> names = commits.map(path -> path.getFileName().toString())
                    .filter(name -> COMMIT.matcher(name).matches()).limit(2).toList();
            return names.size() == 1 ? Optional.of(names.getFirst()) : Optional.empty();
        } catch (IOException notThere) {
            return Optional.empty();
        }
    }
}
