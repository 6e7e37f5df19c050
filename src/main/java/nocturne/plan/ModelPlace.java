package nocturne.plan;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import nocturne.hub.HubCache;
import nocturne.hub.ModelId;
import nocturne.hub.Pipeline;
import nocturne.problem.UserMistake;

/// A folder that a model's name may mean.
///
/// @param isFetched whether a hub's own programs have put it there, who may have left off in the middle; a person may
///                  know better what belongs to a model
record ModelPlace(Path folder, boolean isFetched) {
    /// Missing files that are named in one message.
    private static final int MOST_NAMED = 3;

    /// A place that a person has made.
    static ModelPlace at(Path folder) {
        return new ModelPlace(folder, false);
    }

    static Optional<ModelPlace> in(HubCache cache, ModelId id) {
        return cache.snapshot(id).map(folder -> new ModelPlace(folder, true));
    }

    /// The first that is whole; empty if there are none.
    ///
    /// @throws UserMistake `MODEL_INCOMPLETE` if there are some and none is
    static Optional<Path> whole(List<ModelPlace> places, String nameOrPath) {
        List<String> lacks = List.of();
        for (ModelPlace place : places) {
            Set<String> missing = place.missing();
            if (missing.isEmpty()) return Optional.of(place.folder);
            if (lacks.isEmpty()) lacks = List.copyOf(missing);
        }
        if (lacks.isEmpty()) return Optional.empty();
        String named = String.join(", ", lacks.subList(0, Math.min(MOST_NAMED, lacks.size())));
        String more = lacks.size() > MOST_NAMED ? " and %d more".formatted(lacks.size() - MOST_NAMED) : "";
        String remedy = ModelId.of(nameOrPath).map(id -> "Whoever runs this machine can fetch it: " + id.command())
                .orElse("Copy the model again.");
        // Names below the model's folder only: a stranger may be told where in the model, and not where on our disk.
        throw new UserMistake(ModelSearch.INCOMPLETE, nameOrPath, "is here, but not whole: %s%s %s missing. %s"
                .formatted(named, more, lacks.size() == 1 ? "is" : "are", remedy));
    }

    /// Empty where it cannot be told: then a training tells.
    private Set<String> missing() {
        try {
            return isFetched ? Pipeline.missing(folder) : Pipeline.missingShards(folder);
        } catch (IOException unreadable) {
            return Set.of();
        }
    }
}
