package nocturne.dataset;

import java.util.List;
import nocturne.image.PictureReader;
import nocturne.problem.UserMistake;

/// Everything a run learns from, found sound.
///
/// @param samples in the order of the recipe's datasets, their resolutions, their files by path, and flips
/// @param notices what was decided without being asked, one sentence each; not errors
/// @param folders the same pictures as they were found, in the order of the recipe's datasets
public record Dataset(List<Sample> samples, List<String> notices, List<FoundFolder> folders) {
    /// Something in a dataset folder is missing, left over or unusable.
    public static final String INVALID = "DATASET_INVALID";

    public Dataset {
        samples = List.copyOf(samples);
        notices = List.copyOf(notices);
        folders = List.copyOf(folders);
    }

    /// Walks the folders, looks at every picture, and pairs pictures with captions and controls.
    ///
    /// @throws UserMistake with all problems of all folders: [#INVALID], or `PICTURE_UNREADABLE` for a picture
    public static Dataset scan(List<DatasetSpec> specs, PictureReader reader) {
        return scan(specs, new SeenPictures(reader), Patience.ENDLESS);
    }

    /// The same, where no picture is looked at when patience is over.
    ///
    /// @param seen pictures of scans before, which are not opened again
    public static Dataset scan(List<DatasetSpec> specs, SeenPictures seen, Patience patience) {
        DatasetScan scan = new DatasetScan(seen, patience);
        for (DatasetSpec spec : specs) scan.add(spec);
        return scan.finish();
    }

    /// The same with pictures that no folder tells of.
    public static Dataset scan(
            List<DatasetSpec> specs, ChosenPictures chosen, SeenPictures seen, Patience patience) {
        DatasetScan scan = new DatasetScan(seen, patience);
        for (DatasetSpec spec : specs) scan.add(spec);
        scan.add(chosen);
        return scan.finish();
    }

    /// The samples of normal sets, or those of regularisation sets.
    public List<Sample> samples(boolean regularisation) {
        return samples.stream().filter(sample -> sample.regularisation() == regularisation).toList();
    }

    /// Different pictures, however often each is shown.
    public int pictures() {
        return (int) samples.stream().map(sample -> sample.picture().sha256()).distinct().count();
    }

    /// Visits of one epoch: the sum of all samples' repeats.
    public int visitsPerEpoch() {
        return samples.stream().mapToInt(Sample::repeats).sum();
    }
}
