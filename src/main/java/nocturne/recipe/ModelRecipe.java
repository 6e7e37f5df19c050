package nocturne.recipe;

import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// The frozen model that the adapter is trained for.
///
/// @param nameOrPath           a model's name, or a local folder or file
/// @param transformerFormat    how the transformer's weights are asked to be kept; null as they are on disk
/// @param textEncoderFormat    the same for the text encoder
/// @param lowVram              prefer little memory to speed
/// @param matchTargetResolution control pictures are encoded at the target's size instead of about one megapixel
public record ModelRecipe(String nameOrPath, Architecture architecture, @Nullable WeightFormat transformerFormat,
                          @Nullable WeightFormat textEncoderFormat, boolean lowVram, boolean matchTargetResolution) {
    private static final Pattern RELEASED = Pattern.compile("qwen-image(-edit)?(-\\d{4})?");

    public ModelRecipe {
        Require.that(!nameOrPath.isBlank(), "a model has a name", nameOrPath);
    }

    /// Whether the name is one of the released 20-billion-parameter models, about which the recipe's advice was
    /// gathered. It says nothing about a small model's learning rate or length of training.
    public boolean isReleased() {
        return isReleased(nameOrPath);
    }

    static boolean isReleased(String nameOrPath) {
        String name = nameOrPath.toLowerCase(Locale.ROOT).replace('\\', '/').replace('_', '-');
        return RELEASED.matcher(name.substring(name.lastIndexOf('/') + 1)).matches();
    }
}
