package nocturne.recipe;

import java.util.List;

/// Pictures kept out of training, whose loss at fixed noise tells learning from memorising.
///
/// @param folder     of the bundle, with captions as a dataset has them
/// @param everySteps steps between two measurements; the first is made before training
/// @param sigmas     noise levels in (0, 1] at which each picture is measured
public record ValidationRecipe(String folder, int everySteps, List<Double> sigmas) {
    public ValidationRecipe {
        Require.that(everySteps >= 1, "everySteps >= 1", everySteps);
        sigmas = List.copyOf(sigmas);
        Require.that(!sigmas.isEmpty() && sigmas.stream().allMatch(sigma -> sigma > 0 && sigma <= 1),
                "sigmas in (0, 1]", sigmas);
    }
}
