package nocturne.train;

import java.util.List;
import nocturne.recipe.DatasetRecipe;
import nocturne.recipe.Recipe;
import nocturne.report.RunSummary.Tool;

/// The six tools against overfitting (S1-67), and which of them a recipe uses.
final class Tools {
    /// The rank that the recipe begins with; a higher one has more room to memorise in.
    private static final int MODEST_RANK = 16;

    private Tools() {}

    static List<Tool> of(Recipe recipe) {
        int rank = recipe.network().rank();
        double decay = recipe.train().optimizer().weightDecay();
        double dropout = recipe.datasets().stream().mapToDouble(DatasetRecipe::captionDropout).max().orElse(0);
        boolean regularised = recipe.datasets().stream().anyMatch(DatasetRecipe::regularisation);
        return List.of(
                new Tool("a low rank", rank <= MODEST_RANK, "network.linear is %d; up to %d counts as low"
                        .formatted(rank, MODEST_RANK)),
                new Tool("weight decay", decay > 0, "weight_decay is %s".formatted(decay)),
                new Tool("a moving average", recipe.train().ema().on(), recipe.train().ema().on()
                        ? "ema_decay is %s".formatted(recipe.train().ema().decay()) : "ema_config.use_ema would do it"),
                new Tool("caption dropout", dropout > 0, "caption_dropout_rate is %s".formatted(dropout)),
                new Tool("regularisation pictures", regularised, regularised
                        ? "a dataset has is_reg" : "a dataset with is_reg would do it"),
                new Tool("differential output preservation", false, "this program does not have it"));
    }
}
