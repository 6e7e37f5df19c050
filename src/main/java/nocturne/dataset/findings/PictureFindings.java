package nocturne.dataset.findings;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import nocturne.dataset.FoundFolder;
import nocturne.dataset.FoundPicture;
import nocturne.dataset.findings.Finding.Kind;

/// What is to be said of single pictures.
final class PictureFindings {
    /// A picture whose sharpest field stays below this has nothing sharp in it at half of the usual resolution: edges
    /// are spread over more than four pixels there.
    static final double BLURRED = 25;
    /// Beside sharp pictures one is blurred as well if it has less than this share of their median ...
    static final double BLURRED_SHARE = 0.1;
    /// ... unless it is sharp by itself.
    static final double SHARP = 200;
    /// The median of fewer says nothing.
    private static final int FEWEST_TO_COMPARE = 5;
    /// The longer side over the shorter one. Common formats end at 21 : 9.
    static final double EXTREME = 3;

    private final List<Finding> findings = new ArrayList<>();

    static List<Finding> of(List<FoundFolder> folders) {
        PictureFindings all = new PictureFindings();
        all.blurred(folders);
        for (FoundFolder folder : folders) {
            for (FoundPicture picture : folder.pictures()) {
                all.size(folder, picture);
                all.shape(picture);
            }
        }
        all.notLookedAt(folders);
        return all.findings;
    }

    private void blurred(List<FoundFolder> folders) {
        List<FoundPicture> seen = folders.stream().flatMap(folder -> folder.pictures().stream())
                .filter(picture -> picture.look().isPresent()).toList();
        if (seen.isEmpty()) return;
        double[] sorted = seen.stream().mapToDouble(PictureFindings::sharpness).sorted().toArray();
        double median = sorted[sorted.length / 2];
        boolean comparable = seen.size() >= FEWEST_TO_COMPARE;
        for (FoundPicture picture : seen) {
            double sharpness = sharpness(picture);
            boolean byItself = sharpness < BLURRED;
            boolean besideOthers = comparable && sharpness < SHARP && sharpness < BLURRED_SHARE * median;
            if (!byItself && !besideOthers) continue;
            String text = String.format(Locale.ROOT, "sharpness %.1f, %s", sharpness, byItself
                    ? "where a sharp picture has more than %.0f".formatted(BLURRED)
                    : "where half of the pictures have more than %.0f".formatted(median));
            findings.add(Finding.of(Kind.BLURRED, picture.label(), sharpness, text));
        }
    }

    private static double sharpness(FoundPicture picture) {
        return picture.look().orElseThrow().sharpness();
    }

    private void size(FoundFolder folder, FoundPicture picture) {
        int resolution = folder.resolutions().stream().mapToInt(Integer::intValue).max().orElseThrow();
        int width = picture.picture().width();
        int height = picture.picture().height();
        double share = (double) width * height / ((double) resolution * resolution);
        boolean small = folder.buckets() ? share < 1 : Math.min(width, height) < resolution;
        if (!small) return;
        findings.add(Finding.of(Kind.SMALL, picture.label(), share, String.format(Locale.ROOT,
                "%d x %d pixels, %.0f %% of resolution %d", width, height, 100 * share, resolution)));
    }

    private void shape(FoundPicture picture) {
        int width = picture.picture().width();
        int height = picture.picture().height();
        double ratio = (double) Math.max(width, height) / Math.min(width, height);
        if (ratio <= EXTREME) return;
        findings.add(Finding.of(Kind.EXTREME_SHAPE, picture.label(), ratio, String.format(Locale.ROOT,
                "%d x %d pixels, %.1f times as %s", width, height, ratio,
                width > height ? "wide as high" : "high as wide")));
    }

    private void notLookedAt(List<FoundFolder> folders) {
        Predicate<FoundPicture> unseen = picture -> picture.look().isEmpty();
        List<String> names = folders.stream().flatMap(folder -> folder.pictures().stream()).filter(unseen)
                .map(FoundPicture::label).toList();
        if (names.isEmpty()) return;
        findings.add(new Finding(Kind.NOT_LOOKED_AT, names, names.size(), "taken by what the files say of themselves",
                List.of()));
    }
}
