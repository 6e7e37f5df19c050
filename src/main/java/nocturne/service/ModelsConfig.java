package nocturne.service;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.nio.file.Path;
import java.util.List;

/// Which models jobs may have: `nocturne.models`.
///
/// @param roots folders below which a job's model lies, unless it came in the bundle; relative ones are below
///              Nocturne's own folder
@ConfigurationProperties("nocturne.models")
public record ModelsConfig(@Bindable(defaultValue = "models") List<Path> roots) {
    public ModelsConfig {
        // An empty setting becomes an empty word, which as a folder would be Nocturne's own.
        roots = roots.stream().filter(root -> !root.toString().isBlank()).toList();
    }

    /// The roots, absolute.
    public List<Path> below(Path home) {
        return roots.stream().map(root -> home.resolve(root).normalize()).toList();
    }
}
