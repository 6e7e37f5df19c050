package nocturne.dataset;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import nocturne.dataset.FolderListing.Entry;
import nocturne.image.Background;
import nocturne.image.Glance;
import nocturne.image.Look;
import nocturne.image.PictureHeader;
import nocturne.image.PictureReader;
import nocturne.io.ContentHash;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Looks at many pictures, to know that each is whole and what it looks like. Several at a time, results in the given
/// order.
final class PictureScan {
    /// Megapixels decoded at the same time by all threads together, at about 7 bytes a pixel where a picture has to be
    /// decoded whole.
    private static final int MEGAPIXELS_AT_ONCE = 40;
    /// What looking in the quick way takes of that.
    private static final int QUICK = 8;

    private final PictureReader reader;
    private final Patience patience;
    private final Semaphore megapixels = new Semaphore(MEGAPIXELS_AT_ONCE);
    private final Map<Entry, Look> looks = new ConcurrentHashMap<>();

    PictureScan(PictureReader reader, Patience patience) {
        this.reader = reader;
        this.patience = patience;
    }

    /// What a picture that was checked looks like; empty where patience was over.
    Optional<Look> lookOf(Entry entry) {
        return Optional.ofNullable(looks.get(entry));
    }

    /// The sound ones by entry; what is wrong with the others goes to `problems`.
    Map<Entry, TrainingPicture> check(List<Entry> entries, Background background, List<Problem> problems) {
        record Answer(Entry entry, List<TrainingPicture> picture, List<Problem> problems) {}
        List<Answer> answers = entries.parallelStream().map(entry -> {
            try {
                return new Answer(entry, List.of(check(entry, background)), List.of());
            } catch (UserMistake mistake) {
                List<Problem> named = new ArrayList<>();
                for (Problem problem : mistake.problems()) {
                    named.add(new Problem(problem.code(), entry.label(), problem.what()));
                }
                return new Answer(entry, List.of(), named);
            }
        }).toList();
        Map<Entry, TrainingPicture> sound = new LinkedHashMap<>();
        for (Answer answer : answers) {
            problems.addAll(answer.problems());
            for (TrainingPicture picture : answer.picture()) sound.put(answer.entry(), picture);
        }
        return sound;
    }

    private TrainingPicture check(Entry entry, Background background) {
        byte[] encoded = reader.bytes(entry.file());
        PictureHeader header = reader.inspect(encoded, entry.label());
        if (!patience.isOver()) look(entry, encoded, header, background);
        return new TrainingPicture(
                entry.file(), ContentHash.ofBytes(encoded), header.width(), header.height(), background);
    }

    private void look(Entry entry, byte[] encoded, PictureHeader header, Background background) {
        long pixels = (long) header.storedWidth() * header.storedHeight();
        Glance glance = within(pixels / QUICK, () -> reader.quickGlance(encoded, header))
                .orElseGet(() -> within(pixels, () -> reader.glance(encoded, entry.label(), background)));
        looks.put(entry, Look.at(glance.small()));
    }

    private <T> T within(long pixels, Supplier<T> work) {
        int permits = (int) Math.min(MEGAPIXELS_AT_ONCE, 1 + pixels / 1_000_000);
        megapixels.acquireUninterruptibly(permits);
        try {
            return work.get();
        } finally {
            megapixels.release(permits);
        }
    }
}
