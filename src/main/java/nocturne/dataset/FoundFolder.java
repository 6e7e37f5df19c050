package nocturne.dataset;

import java.util.List;

/// A dataset folder as it was found.
///
/// @param name           of the folder
/// @param pictures       by path
/// @param repeats        how often an epoch shows each
/// @param copies         of each picture at each resolution: 1, or more where it is flipped
/// @param resolutions    at which each is trained, as the side of a square
/// @param buckets        whether pictures keep their shape
/// @param regularisation shows what is not to be learned
/// @param trigger        the word that calls the concept, empty for none
/// @param tag            a further word for what the pictures show, empty for none
public record FoundFolder(String name, List<FoundPicture> pictures, int repeats, int copies,
        List<Integer> resolutions, boolean buckets, boolean regularisation, String trigger, String tag) {
    public FoundFolder {
        pictures = List.copyOf(pictures);
        resolutions = List.copyOf(resolutions);
    }

    /// Visits of one epoch.
    public long visits() {
        return (long) pictures.size() * repeats * copies * resolutions.size();
    }

    /// The words that a picture with a caption is trained with.
    public String prompt(FoundPicture picture) {
        return Captions.withWords(picture.caption(), trigger, !regularisation, tag);
    }

    /// Where a picture goes at one of the resolutions.
    public Placement placement(FoundPicture picture, int resolution) {
        int width = picture.picture().width();
        int height = picture.picture().height();
        return buckets ? Buckets.fit(width, height, resolution) : Buckets.square(width, height, resolution);
    }
}
