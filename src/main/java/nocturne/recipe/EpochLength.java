package nocturne.recipe;

import java.util.List;
import java.util.OptionalLong;

/// How many samples one pass over the data has.
final class EpochLength {
    private EpochLength() {}

    /// Pictures times repeats, flips and resolutions over all datasets; empty when the bundle was not looked at or
    /// holds none.
    static OptionalLong of(List<Section> datasets, BundleFacts bundle) {
        long samples = 0;
        for (Section dataset : datasets) {
            var pictures = bundle.picturesIn(dataset.get(DatasetKeys.FOLDER));
            if (pictures.isEmpty()) return OptionalLong.empty();
            long copies = (dataset.get(DatasetKeys.FLIP_X) ? 2L : 1L) * (dataset.get(DatasetKeys.FLIP_Y) ? 2L : 1L);
            samples += (long) pictures.getAsInt() * dataset.get(DatasetKeys.REPEATS) * copies
                    * dataset.get(DatasetKeys.RESOLUTION).size();
        }
        return samples == 0 ? OptionalLong.empty() : OptionalLong.of(samples);
    }
}
