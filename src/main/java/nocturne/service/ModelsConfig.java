package nocturne.service;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import nocturne.hub.HubCache;
import nocturne.plan.ModelSearch;

/// Which models jobs may have: `nocturne.models`.
///
/// @param roots folders below which a job's model lies, unless it came in the bundle; relative ones are below
///              Nocturne's own folder
/// @param pull  what becomes of a job whose model is not here
@ConfigurationProperties("nocturne.models")
public record ModelsConfig(@Bindable(defaultValue = "models") List<Path> roots,
        @Bindable(defaultValue = "never") Pull pull) {

    /// Whether a job may cause a download.
    public enum Pull {
        /// It is refused: whoever runs the service fetches models by hand.
        NEVER,
        /// A model that Nocturne trains is fetched into the first of the roots, and the job waits for it.
        MISSING
    }

    public ModelsConfig {
        // An empty setting becomes an empty word, which as a folder would be Nocturne's own.
        roots = roots.stream().filter(root -> !root.toString().isBlank()).toList();
        if (pull == Pull.MISSING && roots.isEmpty()) {
            throw new IllegalArgumentException("with pull: missing, nocturne.models.roots must name a folder to put"
                    + " models into");
        }
    }

    /// How a job's model is found.
    ModelSearch search(Path home) {
        return toCome(home).<ModelSearch>map(search -> search).orElseGet(() -> present(home));
    }

    /// The same where models are fetched; empty where they are not.
    public Optional<ModelSearch.OrToCome> toCome(Path home) {
        return pull == Pull.NEVER ? Optional.empty() : Optional.of(new ModelSearch.OrToCome(present(home)));
    }

    private ModelSearch.Below present(Path home) {
        return new ModelSearch.Below(home, below(home), HubCache.ofThisUser().orElse(null));
    }

    /// The roots, absolute.
    public List<Path> below(Path home) {
        return roots.stream().map(root -> home.resolve(root).normalize()).toList();
    }
}
