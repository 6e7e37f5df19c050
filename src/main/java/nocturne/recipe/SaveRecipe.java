package nocturne.recipe;

/// When checkpoints are written and how.
///
/// @param dtype      number format of the adapter files
/// @param everySteps steps between checkpoints; the last step is always saved
/// @param keep       how many numbered checkpoints stay; older ones make room
public record SaveRecipe(AdapterDType dtype, int everySteps, int keep) {
    public SaveRecipe {
        Require.that(everySteps >= 1, "everySteps >= 1", everySteps);
        Require.that(keep >= 1, "keep >= 1", keep);
    }
}
