package nocturne.train;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import nocturne.dataset.Dataset;
import nocturne.dataset.FoundFolder;
import nocturne.dataset.FoundPicture;
import nocturne.dataset.TrainingPicture;
import nocturne.dataset.findings.DatasetJson;
import nocturne.dataset.findings.DatasetReport;
import nocturne.image.Picture;
import nocturne.image.PictureReader;
import nocturne.image.PngWriter;
import nocturne.image.Resample;
import nocturne.io.AtomicFiles;
import nocturne.problem.UserMistake;
import nocturne.report.DatasetPage;
import org.jspecify.annotations.Nullable;

/// Writes `dataset.json` and `dataset.html` at the beginning of a run, so that they can be read while it goes on.
final class DatasetPapers {
    private static final int THUMBNAIL_SIDE = 112;

    private final PictureReader reader = PictureReader.standard();
    private final Map<String, TrainingPicture> pictures = new LinkedHashMap<>();

    private DatasetPapers(Dataset training, @Nullable Dataset heldOut) {
        add(training);
        if (heldOut != null) add(heldOut);
    }

    static void write(Path folder, String name, String program, DatasetReport report, Dataset training,
            @Nullable Dataset heldOut) {
        AtomicFiles.writeString(folder.resolve("dataset.json"), DatasetJson.of(report));
        DatasetPapers papers = new DatasetPapers(training, heldOut);
        AtomicFiles.writeString(folder.resolve(DatasetPage.FILE),
                DatasetPage.of(name, program, report, papers::thumbnail));
    }

    private void add(Dataset dataset) {
        for (FoundFolder folder : dataset.folders()) {
            for (FoundPicture picture : folder.pictures()) pictures.putIfAbsent(picture.label(), picture.picture());
        }
    }

    /// Only the few pictures on the page are read again for it: keeping all of them small would cost more memory.
    private Optional<byte[]> thumbnail(String label) {
        TrainingPicture picture = pictures.get(label);
        if (picture == null) return Optional.empty();
        try {
            byte[] encoded = reader.bytes(picture.file());
            Picture small = reader.quickGlance(encoded, reader.inspect(encoded, label))
                    .orElseGet(() -> reader.glance(encoded, label, picture.background())).small();
            return Optional.of(PngWriter.png(shrunk(small), new LinkedHashMap<>()));
        } catch (UserMistake gone) {
            // Training will say it in better words.
            return Optional.empty();
        }
    }

    private static Picture shrunk(Picture small) {
        double scale = (double) THUMBNAIL_SIDE / Math.max(small.width(), small.height());
        if (scale >= 1) return small;
        return Resample.pillow(small, (int) Math.max(1, small.width() * scale),
                (int) Math.max(1, small.height() * scale), Resample.Filter.BICUBIC, Resample.Order.HORIZONTAL_FIRST);
    }
}
