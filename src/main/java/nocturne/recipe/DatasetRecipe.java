package nocturne.recipe;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One folder of pictures and how they are used.
///
/// @param folder           relative to the bundle's root, `/` between names, `.` for the root itself
/// @param captionExtension with its dot, such as `.txt`
/// @param defaultCaption   for pictures whose caption is missing or empty; null for none. May hold `[trigger]`
/// @param triggerWord      this dataset's trigger, or the recipe's; null for none
/// @param tag              a further word for what it shows; null for none
/// @param captionDropout   share of samples trained with an empty caption, 0 to 1
/// @param repeats          how often each picture counts in one pass
/// @param resolutions      pixels; each picture is trained at about each `resolution²` pixels; multiples of 32, no two
///                         equal
/// @param buckets          false cuts every picture to a square instead of keeping its shape
/// @param flipX            also train the mirror image
/// @param flipY            also train the picture upside down
/// @param controlFolders   folders whose pictures of the same file stem are shown to an Edit model; up to 3
/// @param transparentColor red, green, blue from 0 to 255: what stands behind transparent parts of control pictures
/// @param regularisation   shows what is not to be learned; its captions get no trigger word
/// @param lossMultiplier   weight of this dataset's loss
public record DatasetRecipe(
        String folder,
        String captionExtension,
        @Nullable String defaultCaption,
        @Nullable String triggerWord,
        @Nullable String tag,
        double captionDropout,
        int repeats,
        List<Integer> resolutions,
        boolean buckets,
        boolean flipX,
        boolean flipY,
        List<String> controlFolders,
        List<Integer> transparentColor,
        boolean regularisation,
        double lossMultiplier) {
    public static final int MOST_CONTROLS = 3;

    public DatasetRecipe {
        Require.that(captionExtension.startsWith("."), "captionExtension starts with a dot", captionExtension);
        Require.that(captionDropout >= 0 && captionDropout <= 1, "captionDropout in 0..1", captionDropout);
        Require.that(repeats >= 1, "repeats >= 1", repeats);
        resolutions = List.copyOf(resolutions);
        Require.that(!resolutions.isEmpty() && resolutions.stream().distinct().count() == resolutions.size(),
                "resolutions differ and there is one", resolutions);
        controlFolders = List.copyOf(controlFolders);
        Require.that(controlFolders.size() <= MOST_CONTROLS, "at most 3 control folders", controlFolders);
        transparentColor = List.copyOf(transparentColor);
        Require.that(transparentColor.size() == 3, "three colour parts", transparentColor);
        Require.that(lossMultiplier > 0, "lossMultiplier > 0", lossMultiplier);
    }
}
