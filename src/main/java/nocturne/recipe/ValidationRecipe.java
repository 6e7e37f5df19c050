package nocturne.recipe;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Pictures kept out of training, whose loss at fixed noise tells learning from memorising.
///
/// @param folder     of the bundle, with captions as a dataset has them; null for none
/// @param items      pictures named one by one, beside those of the folder
/// @param resolution at which they are measured, as the side of a square
/// @param everySteps steps between two measurements; the first is made before training
/// @param sigmas     noise levels in (0, 1] at which each picture is measured
public record ValidationRecipe(@Nullable String folder, List<Item> items, int resolution, int everySteps,
                               List<Double> sigmas) {
    /// @param picture of the bundle
    /// @param prompt  what it shows, as it was written
    public record Item(String picture, String prompt) {}

    public ValidationRecipe {
        items = List.copyOf(items);
        Require.that(folder != null || !items.isEmpty(), "a folder or pictures", items);
        Require.that(everySteps >= 1, "everySteps >= 1", everySteps);
        sigmas = List.copyOf(sigmas);
        Require.that(!sigmas.isEmpty() && sigmas.stream().allMatch(sigma -> sigma > 0 && sigma <= 1),
                "sigmas in (0, 1]", sigmas);
    }
}
