package nocturne.plan;

import java.util.ArrayList;
import java.util.List;
import nocturne.bundle.Bundle;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.recipe.DatasetRecipe;
import nocturne.recipe.Origin;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.ResolvedRecipe;
import nocturne.recipe.SamplePrompt;
import nocturne.recipe.ValidationRecipe;

/// Whether the files and folders that a recipe names are the bundle's.
///
/// The recipe's reader refuses what leads out by its words (`..`, a leading `/`), and the bundle's what is a link out
/// of it. Left are folders that a bundle does not list because they are hidden, and with them links that nobody saw:
/// there are none in what a service has unpacked, but a person may train a stranger's folder where it lies.
final class RecipePaths {
    private final Bundle bundle;
    private final ResolvedRecipe resolved;
    private final List<Problem> problems = new ArrayList<>();

    private RecipePaths(Bundle bundle, ResolvedRecipe resolved) {
        this.bundle = bundle;
        this.resolved = resolved;
    }

    /// @throws UserMistake `RECIPE_INVALID` with every path that is not the bundle's
    static void check(Bundle bundle, ResolvedRecipe resolved) {
        RecipePaths paths = new RecipePaths(bundle, resolved);
        paths.checkAll(resolved.recipe());
        if (paths.problems.isEmpty()) return;
        throw new UserMistake("The recipe names what is not in the bundle; no training time was spent.",
                paths.problems);
    }

    private void checkAll(Recipe recipe) {
        for (int i = 0; i < recipe.datasets().size(); i++) {
            DatasetRecipe dataset = recipe.datasets().get(i);
            check("datasets[%d].folder_path".formatted(i), List.of(dataset.folder()));
            check("datasets[%d].control_path".formatted(i), dataset.controlFolders());
        }
        ValidationRecipe validation = recipe.train().validation();
        if (validation != null) check(validation);
        String startFrom = recipe.network().startFrom();
        if (startFrom != null) check("network.pretrained_lora_path", List.of(startFrom));
        ProbeRecipe probe = recipe.probe();
        if (probe != null && probe.secondLora() != null) check("probe.second_lora", List.of(probe.secondLora()));
        List<SamplePrompt> prompts = recipe.sample().prompts();
        for (int i = 0; i < prompts.size(); i++) {
            check("sample.samples[%d].ctrl_img".formatted(i), prompts.get(i).controls());
        }
    }

    private void check(ValidationRecipe validation) {
        String block = "train.validation_config.";
        String folder = validation.folder();
        if (folder != null) check(block + "validation_folder", List.of(folder));
        for (int i = 0; i < validation.items().size(); i++) {
            check(block + "validation_items[%d].image_path".formatted(i),
                    List.of(validation.items().get(i).picture()));
        }
    }

    private void check(String key, List<String> paths) {
        for (String path : paths) {
            if (bundle.covers(path)) continue;
            String where = resolved.origins().get(key) instanceof Origin.Written(int line, int _)
                    ? "line %d  %s".formatted(line, key) : key;
            problems.add(new Problem("RECIPE_INVALID", where,
                    "%s is hidden, or a link leads from it out of the bundle; name a folder or file of the bundle."
                            .formatted(path)));
        }
    }
}
