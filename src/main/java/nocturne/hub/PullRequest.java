package nocturne.hub;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What to fetch, and where to.
///
/// @param id          of the model
/// @param revision    a branch, tag or commit; null for `main`, or whatever is there already
/// @param folder      the model's own, absolute; need not be there yet
/// @param include     patterns of the files wanted; empty for those that a pipeline needs
/// @param connections files at a time
/// @param reserve     bytes that stay free on the disk
public record PullRequest(ModelId id, @Nullable String revision, Path folder, List<String> include, int connections,
        long reserve) {
    public PullRequest {
        include = List.copyOf(include);
        if (connections < 1) throw new IllegalArgumentException("at least one connection");
        if (!folder.isAbsolute()) throw new IllegalArgumentException("absolute, please: " + folder);
    }

    String revisionOrMain() {
        return revision == null ? "main" : revision;
    }
}
