package nocturne.plan;

import nocturne.bundle.Bundle;
import nocturne.dataset.Patience;
import nocturne.dataset.SeenPictures;
import nocturne.image.PictureReader;
import nocturne.problem.UserMistake;
import nocturne.recipe.Adaptation;
import nocturne.recipe.BundleFacts;
import nocturne.recipe.RecipeReader;
import org.jspecify.annotations.Nullable;

/// A bundle that is looked at, once for each device that it might run on. Its pictures are opened once: what another
/// device changes is the sizes they are brought to.
public final class Inspector {
    private final Bundle bundle;
    private final String name;
    private final @Nullable String model;
    private final ModelSearch models;
    private final SeenPictures seen = new SeenPictures(PictureReader.standard());

    /// @param name   what the bundle is called by the person who made it
    /// @param model  a pipeline instead of the one the recipe names; null for the recipe's
    /// @param models finds the one or the other
    public Inspector(Bundle bundle, String name, @Nullable String model, ModelSearch models) {
        this.bundle = bundle;
        this.name = name;
        this.model = model;
        this.models = models;
    }

    public Bundle bundle() {
        return bundle;
    }

    /// Looks at everything that can be known without computing.
    ///
    /// @throws UserMistake with all problems of the recipe, or else of the model, or else of the pictures
    public Inspection inspect(Adaptation device) {
        return inspect(device, Patience.ENDLESS);
    }

    /// The same for who cannot wait: when patience is over, the pictures that are left are not looked at, which the
    /// notices say.
    Inspection inspect(Adaptation device, Patience patience) {
        RecipeReader reader = RecipeReader.in(BundleFacts.of(name, bundle.files()));
        if (model != null) reader = reader.withModel(model);
        return Inspection.of(bundle, reader.adaptedTo(device), models, seen, patience);
    }
}
