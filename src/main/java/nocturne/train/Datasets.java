package nocturne.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.dataset.Dataset;
import nocturne.dataset.DatasetSpec;
import nocturne.image.Background;
import nocturne.image.PictureReader;
import nocturne.recipe.DatasetRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.ValidationRecipe;
import org.jspecify.annotations.Nullable;

/// Scans the folders that a recipe names.
final class Datasets {
    private final Path root;

    /// @param root the bundle, which the recipe's paths are relative to
    Datasets(Path root) {
        this.root = root;
    }

    /// The pictures to learn from.
    Dataset scan(Recipe recipe) {
        List<DatasetSpec> specs = new ArrayList<>();
        for (DatasetRecipe dataset : recipe.datasets()) specs.add(spec(dataset));
        return Dataset.scan(specs, PictureReader.standard());
    }

    /// The pictures kept out of training: each once, as its caption stands, at the first dataset's first resolution.
    Dataset heldOut(Recipe recipe, ValidationRecipe validation) {
        DatasetRecipe like = recipe.datasets().getFirst();
        DatasetSpec spec = new DatasetSpec(root.resolve(validation.folder()), like.captionExtension(),
                text(like.defaultCaption()), text(like.triggerWord()), 1, List.of(like.resolutions().getFirst()), true,
                false, false, 0, List.of(), background(like), false, 1);
        return Dataset.scan(List.of(spec), PictureReader.standard());
    }

    private DatasetSpec spec(DatasetRecipe dataset) {
        return new DatasetSpec(root.resolve(dataset.folder()), dataset.captionExtension(),
                text(dataset.defaultCaption()), text(dataset.triggerWord()), dataset.repeats(), dataset.resolutions(),
                true, dataset.flipX(), dataset.flipY(), dataset.captionDropout(),
                dataset.controlFolders().stream().map(root::resolve).toList(), background(dataset), false,
                dataset.lossMultiplier());
    }

    private static String text(@Nullable String text) {
        return text == null ? "" : text;
    }

    private static Background background(DatasetRecipe dataset) {
        List<Integer> colour = dataset.transparentColor();
        return new Background(colour.get(0), colour.get(1), colour.get(2));
    }
}
