package nocturne.plan;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import nocturne.hub.ModelId;
import nocturne.recipe.NearestName;

/// Helps whoever has misspelt a model's name.
final class KnownModels {
    private KnownModels() {}

    /// What to say behind "there is no such model": the names there are, and the one that was probably meant; nothing
    /// where it is one of them, or a path.
    static String meant(String written) {
        boolean path = written.startsWith("/") || written.startsWith(".");
        if (path || ModelId.of(written).filter(ModelId::isKnown).isPresent()) return "";
        List<String> ids = ModelId.KNOWN.stream().map(ModelId::toString).toList();
        // Many leave the owner out.
        Optional<String> meant = NearestName.of(written, ids).or(() -> NearestName
                .of(written, ModelId.KNOWN.stream().map(ModelId::name).toList())
                .flatMap(name -> ids.stream().filter(id -> id.endsWith("/" + name)).findFirst()));
        return meant.map(" Did you mean %s?"::formatted).orElse("")
                + ids.stream().collect(Collectors.joining(", ", " Models by name: ", "."));
    }
}
