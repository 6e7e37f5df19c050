package nocturne.dataset.findings;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import nocturne.dataset.Dataset;
import nocturne.dataset.FoundFolder;
import nocturne.dataset.FoundPicture;
import nocturne.dataset.Placement;
import nocturne.dataset.findings.DatasetReport.Bucket;
import nocturne.dataset.findings.DatasetReport.Folder;
import nocturne.dataset.findings.DatasetReport.Role;
import org.jspecify.annotations.Nullable;

/// Makes a [DatasetReport] of what a scan has found. Reads no file.
public final class DatasetStudy {
    private final List<FoundFolder> training;
    private final List<FoundFolder> heldOut;

    private DatasetStudy(Dataset training, @Nullable Dataset heldOut) {
        this.training = training.folders();
        this.heldOut = heldOut == null ? List.of() : heldOut.folders();
    }

    /// @param heldOut kept out of training, null where there are none
    /// @param tokens  counts those of captions
    public static DatasetReport of(Dataset training, @Nullable Dataset heldOut, long steps, int batchSize,
            int accumulation, CaptionTokens tokens) {
        return new DatasetStudy(training, heldOut).report(steps, batchSize, accumulation, tokens);
    }

    private DatasetReport report(long steps, int batchSize, int accumulation, CaptionTokens tokens) {
        CaptionFindings captions = new CaptionFindings(training, tokens);
        List<Finding> findings = new ArrayList<>(Resemblance.of(training, heldOut));
        findings.addAll(PictureFindings.of(training));
        findings.addAll(captions.findings());
        // Stable: within a kind the order is that of the folders and their files. A folder that is two datasets says
        // everything twice.
        List<Finding> sorted = findings.stream().sorted(Comparator.comparing(Finding::kind)).distinct().toList();
        long visits = training.stream().mapToLong(FoundFolder::visits).sum();
        return new DatasetReport(count(false), count(true), new RunLength(steps, batchSize, accumulation, visits),
                folders(), buckets(), captions.lengths(), sorted);
    }

    private int count(boolean lookedAt) {
        Set<Object> files = new HashSet<>();
        Stream.concat(training.stream(), heldOut.stream()).flatMap(folder -> folder.pictures().stream())
                .filter(picture -> !lookedAt || picture.look().isPresent())
                .forEach(picture -> files.add(picture.picture().file()));
        return files.size();
    }

    private List<Folder> folders() {
        List<Folder> folders = new ArrayList<>();
        for (FoundFolder folder : training) {
            folders.add(counted(folder, folder.regularisation() ? Role.REGULARISATION : Role.TRAINING));
        }
        for (FoundFolder folder : heldOut) folders.add(counted(folder, Role.HELD_OUT));
        return folders;
    }

    private static Folder counted(FoundFolder folder, Role role) {
        return new Folder(folder.name(), role, folder.pictures().size(), folder.repeats(), folder.copies(),
                folder.resolutions(), role == Role.HELD_OUT ? 0 : folder.visits());
    }

    private List<Bucket> buckets() {
        TreeMap<Long, Tally> bySize = new TreeMap<>();
        for (FoundFolder folder : training) {
            for (int resolution : folder.resolutions()) {
                for (FoundPicture picture : folder.pictures()) {
                    Placement placement = folder.placement(picture, resolution);
                    long key = (long) placement.width() << Integer.SIZE | placement.height();
                    bySize.computeIfAbsent(key, _ -> new Tally(placement.width(), placement.height()))
                            .add(placement, (long) folder.repeats() * folder.copies());
                }
            }
        }
        return bySize.values().stream().map(Tally::bucket)
                .sorted(Comparator.comparingInt(Bucket::pictures).reversed()).toList();
    }

    private static final class Tally {
        private final int width;
        private final int height;
        private int pictures;
        private long visits;
        private double cropped;

        Tally(int width, int height) {
            this.width = width;
            this.height = height;
        }

        void add(Placement placement, long times) {
            pictures++;
            visits += times;
            cropped += 1 - placement.kept();
        }

        Bucket bucket() {
            return new Bucket(width, height, pictures, visits, cropped / pictures);
        }
    }
}
