package nocturne.recipe;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The adapter: a LoRA on the linear layers of the transformer's blocks.
///
/// @param rank             inner dimension, 1 to 512
/// @param alpha            the update is scaled by `alpha / rank`
/// @param onlyIfContains   when not empty, a layer is adapted only if its name contains one of these
/// @param ignoreIfContains a layer whose name contains one of these is not adapted
/// @param startFrom        a LoRA file of the bundle to start from, relative to its root; null for a fresh one
public record NetworkRecipe(int rank, double alpha, List<String> onlyIfContains, List<String> ignoreIfContains,
                            @Nullable String startFrom) {
    public NetworkRecipe {
        Require.that(rank >= 1, "rank >= 1", rank);
        Require.that(alpha > 0, "alpha > 0", alpha);
        onlyIfContains = List.copyOf(onlyIfContains);
        ignoreIfContains = List.copyOf(ignoreIfContains);
    }
}
