package nocturne.plan;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.bundle.Bundle;
import nocturne.dataset.Dataset;
import nocturne.dataset.Patience;
import nocturne.dataset.SeenPictures;
import nocturne.dataset.findings.CaptionTokens;
import nocturne.dataset.findings.DatasetReport;
import nocturne.dataset.findings.DatasetStudy;
import nocturne.problem.UserMistake;
import nocturne.recipe.Adaptation;
import nocturne.recipe.Notice;
import nocturne.recipe.Recipe;
import nocturne.recipe.RecipeReader;
import nocturne.recipe.ResolvedRecipe;
import nocturne.recipe.Severity;
import nocturne.recipe.TrainRecipe;
import nocturne.recipe.WeightFormat;
import org.jspecify.annotations.Nullable;

/// What a bundle turned out to be: its recipe with every value resolved, its pictures, and where its model lies.
///
/// @param bundle   what was looked at
/// @param resolved the recipe
/// @param model    folder of the pipeline to train on; that it is there is known, what is in it is not
/// @param recovery the accuracy recovery adapter that the recipe names; null where it names none, and in a plan where
///                 it is not here
/// @param training the pictures to learn from
/// @param heldOut  the pictures kept out of training, null where the recipe names none
public record Inspection(Bundle bundle, ResolvedRecipe resolved, Path model, @Nullable Path recovery,
        Dataset training, @Nullable Dataset heldOut) {

    /// Looks at everything that can be known without computing.
    ///
    /// @param name   what the bundle is called by the person who made it
    /// @param model  a pipeline instead of the one the recipe names; null for the recipe's
    /// @param models finds the one or the other
    /// @throws UserMistake with all problems of the recipe, or else of the model, or else of the pictures
    public static Inspection of(Bundle bundle, String name, @Nullable String model, ModelSearch models) {
        return of(bundle, name, model, models, Patience.ENDLESS);
    }

    /// The same for who cannot wait: when patience is over, the pictures that are left are not looked at, which the
    /// notices say.
    public static Inspection of(
            Bundle bundle, String name, @Nullable String model, ModelSearch models, Patience patience) {
        return new Inspector(bundle, name, model, models).inspect(Adaptation.NONE, patience);
    }

    static Inspection of(
            Bundle bundle, RecipeReader reader, ModelSearch models, SeenPictures seen, Patience patience) {
        ResolvedRecipe resolved =
                bundle.recipe().isPresent() ? reader.read(bundle.recipe().get()) : reader.standard();
        RecipePaths.check(bundle, resolved);
        Path folder = models.find(resolved.recipe().model().nameOrPath(), bundle.root());
        WeightFormat format = resolved.recipe().model().transformerFormat();
        Path recovery = format == null || format.recovery() == null
                ? null
                : models.recovery(format.recovery(), bundle.root());
        Datasets.Scanned datasets = new Datasets(bundle.root(), seen, patience).scan(resolved.recipe());
        return new Inspection(bundle, resolved, folder, recovery, datasets.training(), datasets.heldOut());
    }

    /// Everything the person should know; refuses nothing.
    ///
    /// @param report of this inspection
    public List<Notice> notices(DatasetReport report) {
        List<Notice> notices = new ArrayList<>(notices());
        Recipe recipe = resolved.recipe();
        notices.addAll(DatasetNotices.of(report, recipe.known(), !recipe.train().ignoresCaptions()));
        return List.copyOf(notices);
    }

    /// Of that what concerns recipe, captions and the scan of the pictures.
    List<Notice> notices() {
        List<Notice> notices = new ArrayList<>(resolved.notices());
        if (lacksRecovery()) {
            notices.add(new Notice(RecoverySearch.NOT_FOUND, Severity.WARNING, "model.qtype", """
                    the accuracy recovery adapter %s is neither in the bundle nor in the folders for models. It is \
                    planned without: all layers of the blocks in the format, and no memory for the adapter. It cannot \
                    be trained until the file is there.""".formatted(recoveryAsked())));
        }
        notices.addAll(PictureRules.judge(this));
        for (String notice : training.notices()) notices.add(ofScan(notice));
        if (heldOut != null) for (String notice : heldOut.notices()) notices.add(ofScan("held out, " + notice));
        return List.copyOf(notices);
    }

    private static Notice ofScan(String text) {
        return new Notice("DATASET", Severity.NOTICE, "", text);
    }

    /// Whether the recipe names an accuracy recovery adapter that is not here, see [ModelSearch.WithoutRecovery].
    public boolean lacksRecovery() {
        return recovery == null && recoveryAsked() != null;
    }

    private @Nullable String recoveryAsked() {
        WeightFormat format = resolved.recipe().model().transformerFormat();
        return format == null ? null : format.recovery();
    }

    /// What is to be known about the pictures and captions.
    ///
    /// @param tokens counts those of captions
    public DatasetReport report(CaptionTokens tokens) {
        TrainRecipe train = resolved.recipe().train();
        return DatasetStudy.of(training, heldOut, train.steps(), train.batchSize(), train.accumulation(), tokens);
    }

    /// The same, where it asks for no more than it may.
    ///
    /// @throws UserMistake with everything that is too much; see [Limits]
    public Inspection within(Limits limits) {
        limits.check(this);
        return this;
    }
}
