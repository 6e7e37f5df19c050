package nocturne.plan;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.dataset.ChosenPictures;
import nocturne.dataset.ChosenPictures.Chosen;
import nocturne.dataset.Dataset;
import nocturne.dataset.DatasetSpec;
import nocturne.dataset.Patience;
import nocturne.dataset.SeenPictures;
import nocturne.image.Background;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.recipe.DatasetRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.ValidationRecipe;
import org.jspecify.annotations.Nullable;

/// Scans the folders that a recipe names.
final class Datasets {
    private final Path root;
    private final SeenPictures seen;
    private final Patience patience;

    /// @param root     the bundle, which the recipe's paths are relative to
    /// @param seen     pictures of scans before
    /// @param patience with looking at pictures, all of them together
    Datasets(Path root, SeenPictures seen, Patience patience) {
        this.root = root;
        this.seen = seen;
        this.patience = patience;
    }

    /// All pictures of a recipe.
    ///
    /// @param training the ones to learn from
    /// @param heldOut  the ones kept out of training, null where the recipe names none
    record Scanned(Dataset training, @Nullable Dataset heldOut) {}

    /// @throws UserMistake with the problems of all folders together
    Scanned scan(Recipe recipe) {
        List<Problem> problems = new ArrayList<>();
        Dataset training = scan(recipe.datasets().stream().map(this::spec).toList(), problems);
        ValidationRecipe validation = recipe.train().validation();
        Dataset heldOut = validation == null ? null : scan(recipe, validation, problems);
        if (training != null && problems.isEmpty()) {
            boolean bare = recipe.train().ignoresCaptions();
            return new Scanned(bare ? withoutCaptions(training, recipe) : training,
                    bare && heldOut != null ? withoutCaptions(heldOut, recipe) : heldOut);
        }
        throw new UserMistake("The dataset has %d problem%s; no training time was spent."
                .formatted(problems.size(), problems.size() == 1 ? "" : "s"), problems);
    }

    private @Nullable Dataset scan(List<DatasetSpec> specs, List<Problem> problems) {
        try {
            return Dataset.scan(specs, seen, patience);
        } catch (UserMistake mistake) {
            problems.addAll(mistake.problems());
            return null;
        }
    }

    /// Each picture once, as its caption stands.
    private @Nullable Dataset scan(Recipe recipe, ValidationRecipe validation, List<Problem> problems) {
        String folder = validation.folder();
        List<DatasetSpec> folders = folder == null ? List.of() : List.of(heldOut(recipe, folder, validation));
        if (validation.items().isEmpty()) return scan(folders, problems);
        List<Chosen> pictures = validation.items().stream()
                .map(item -> new Chosen(root.resolve(item.picture()), item.picture(), item.prompt())).toList();
        try {
            return Dataset.scan(folders, new ChosenPictures("validation_items", pictures, text(recipe.triggerWord()),
                    validation.resolution()), seen, patience);
        } catch (UserMistake mistake) {
            problems.addAll(mistake.problems());
            return null;
        }
    }

    private DatasetSpec heldOut(Recipe recipe, String folder, ValidationRecipe validation) {
        DatasetRecipe like = recipe.datasets().getFirst();
        return new DatasetSpec(root.resolve(folder), like.captionExtension(), text(like.defaultCaption()),
                text(like.triggerWord()), 1, List.of(validation.resolution()), true, false, false, 0, List.of(),
                background(like), false, 1);
    }

    private DatasetSpec spec(DatasetRecipe dataset) {
        return new DatasetSpec(root.resolve(dataset.folder()), dataset.captionExtension(),
                text(dataset.defaultCaption()), text(dataset.triggerWord()), dataset.repeats(), dataset.resolutions(),
                dataset.buckets(), dataset.flipX(), dataset.flipY(), dataset.captionDropout(),
                dataset.controlFolders().stream().map(root::resolve).toList(), background(dataset),
                dataset.regularisation(), dataset.lossMultiplier(), text(dataset.tag()));
    }

    /// The same pictures, called by the trigger word alone; regularisation sets by nothing.
    private static Dataset withoutCaptions(Dataset dataset, Recipe recipe) {
        String trigger = text(recipe.triggerWord());
        return new Dataset(dataset.samples().stream()
                .map(sample -> sample.withCaption(sample.regularisation() ? "" : trigger)).toList(), dataset.notices(),
                dataset.folders());
    }

    private static String text(@Nullable String text) {
        return text == null ? "" : text;
    }

    private static Background background(DatasetRecipe dataset) {
        List<Integer> colour = dataset.transparentColor();
        return new Background(colour.get(0), colour.get(1), colour.get(2));
    }
}
