package nocturne.recipe;

import java.util.OptionalInt;
import java.util.OptionalLong;

/// What a rule may look at: the whole recipe, what of it was written, and what is known of bundle and card.
///
/// @param root    the decided values with their origins
/// @param cardGib class of the card the advice is for, such as 24; empty when it is for any
record Evidence(Recipe recipe, Section root, BundleFacts bundle, OptionalInt cardGib) {
    UseCase useCase() {
        return recipe.useCase();
    }

    /// Rates, ranks and lengths were gathered on the released 20-billion-parameter models: they say nothing about
    /// another.
    boolean isReleased() {
        return recipe.model().isReleased();
    }

    boolean isReleasedCharacter() {
        return isReleased() && useCase().isCharacter();
    }

    /// Whether the card is known to have less than this.
    boolean hasCardBelow(int gib) {
        return isReleased() && cardGib.isPresent() && cardGib.getAsInt() < gib;
    }

    boolean hasCardFrom(int gib) {
        return isReleased() && cardGib.isPresent() && cardGib.getAsInt() >= gib;
    }

    double learningRate() {
        return recipe.train().optimizer().learningRate();
    }

    int rank() {
        return recipe.network().rank();
    }

    /// Micro-batches of the whole run: what the seeds count as steps.
    long batches() {
        return (long) recipe.train().steps() * recipe.train().accumulation();
    }

    /// As written, even where `steps` decided.
    OptionalInt epochs() {
        return root.child(TrainKeys.BLOCK).former(TrainKeys.EPOCHS).map(OptionalInt::of).orElse(OptionalInt.empty());
    }

    /// Pictures times repeats, flips and resolutions; empty when the bundle was not looked at or holds none.
    OptionalLong samplesPerEpoch() {
        return EpochLength.of(root.children(DatasetKeys.BLOCK), bundle);
    }

    /// Pictures to learn from; empty when the bundle was not looked at.
    OptionalInt pictures() {
        int count = 0;
        for (DatasetRecipe dataset : recipe.datasets()) {
            OptionalInt here = bundle.picturesIn(dataset.folder());
            if (here.isEmpty()) return here;
            if (!dataset.regularisation()) count += here.getAsInt();
        }
        return OptionalInt.of(count);
    }

    boolean hasControls() {
        return recipe.datasets().stream().anyMatch(dataset -> !dataset.controlFolders().isEmpty());
    }

    /// Whether somebody wrote this key, such as `train.lr`.
    boolean isWritten(String path) {
        return Places.find(root, path).isPresent();
    }

    /// One dataset of the recipe.
    record OfDataset(Evidence whole, DatasetRecipe dataset, Section section) {}

    /// One picture that is drawn along the way.
    record OfPrompt(Evidence whole, SamplePrompt prompt, Section item) {}
}
