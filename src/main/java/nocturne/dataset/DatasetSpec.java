package nocturne.dataset;

import java.nio.file.Path;
import java.util.List;
import nocturne.image.Background;

/// One entry of a recipe's `datasets`, with every default filled in.
///
/// @param folder             pictures and captions; sub-folders are walked
/// @param captionExtension   of the text file beside each picture, with or without the dot
/// @param defaultCaption     used where that file is missing or empty; empty for none
/// @param triggerWord        replaces `[trigger]` and is put before captions that lack it; empty for none
/// @param numRepeats         how often an epoch shows each picture; 0 takes it from the folder's name, else 1
/// @param resolutions        areas to train at, as the side of a square in pixels; each shows every picture once
/// @param buckets            false crops every picture to a square instead of keeping its proportions
/// @param flipX              adds a copy with left and right swapped
/// @param flipY              adds a copy with top and bottom swapped
/// @param captionDropoutRate share of the visits, 0 to 1, that train with the empty prompt
/// @param controlFolders     one folder per control picture, paired by file stem
/// @param controlBackground  laid under transparent control pictures
/// @param regularisation     shows what is not to be learned; the trigger is never put before its captions
/// @param lossMultiplier     weight of these pictures' loss, at least 0
/// @param tag                put behind the trigger word where a caption lacks it; empty for none
public record DatasetSpec(
        Path folder,
        String captionExtension,
        String defaultCaption,
        String triggerWord,
        int numRepeats,
        List<Integer> resolutions,
        boolean buckets,
        boolean flipX,
        boolean flipY,
        double captionDropoutRate,
        List<Path> controlFolders,
        Background controlBackground,
        boolean regularisation,
        double lossMultiplier,
        String tag) {
    public DatasetSpec {
        captionExtension = captionExtension.startsWith(".") ? captionExtension.substring(1) : captionExtension;
        resolutions = List.copyOf(resolutions);
        controlFolders = List.copyOf(controlFolders);
        if (captionExtension.isEmpty()) throw new IllegalArgumentException("no caption extension");
        if (numRepeats < 0) throw new IllegalArgumentException("numRepeats " + numRepeats);
        if (resolutions.isEmpty()) throw new IllegalArgumentException("no resolution");
        for (int resolution : resolutions) Buckets.requireUsable(resolution);
        if (!(captionDropoutRate >= 0 && captionDropoutRate <= 1)) {
            throw new IllegalArgumentException("captionDropoutRate " + captionDropoutRate);
        }
        if (!(lossMultiplier >= 0) || Double.isInfinite(lossMultiplier)) {
            throw new IllegalArgumentException("lossMultiplier " + lossMultiplier);
        }
    }

    /// Without a tag.
    public DatasetSpec(Path folder, String captionExtension, String defaultCaption, String triggerWord, int numRepeats,
            List<Integer> resolutions, boolean buckets, boolean flipX, boolean flipY, double captionDropoutRate,
            List<Path> controlFolders, Background controlBackground, boolean regularisation, double lossMultiplier) {
        this(folder, captionExtension, defaultCaption, triggerWord, numRepeats, resolutions, buckets, flipX, flipY,
                captionDropoutRate, controlFolders, controlBackground, regularisation, lossMultiplier, "");
    }

    /// A folder of pictures with `.txt` captions, and no extras.
    public static DatasetSpec of(Path folder, String triggerWord, int resolution) {
        return new DatasetSpec(folder, "txt", "", triggerWord, 0, List.of(resolution), true, false, false, 0,
                List.of(), Background.BLACK, false, 1);
    }
}
