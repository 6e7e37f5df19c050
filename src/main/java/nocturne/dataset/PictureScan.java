package nocturne.dataset;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import nocturne.dataset.FolderListing.Entry;
import nocturne.image.Background;
import nocturne.image.PictureHeader;
import nocturne.image.PictureReader;
import nocturne.io.ContentHash;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Decodes many pictures once, to know that each can be decoded later. Several at a time, results in the given order.
final class PictureScan {
    /// Megapixels decoded at the same time by all threads together, at about 7 bytes a pixel.
    private static final int MEGAPIXELS_AT_ONCE = 40;

    private final PictureReader reader;
    private final Semaphore megapixels = new Semaphore(MEGAPIXELS_AT_ONCE);

    PictureScan(PictureReader reader) {
        this.reader = reader;
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
        long pixels = (long) header.storedWidth() * header.storedHeight();
        int permits = (int) Math.min(MEGAPIXELS_AT_ONCE, 1 + pixels / 1_000_000);
        megapixels.acquireUninterruptibly(permits);
        try {
            reader.decode(encoded, entry.label(), background);
        } finally {
            megapixels.release(permits);
        }
        return new TrainingPicture(
                entry.file(), ContentHash.ofBytes(encoded), header.width(), header.height(), background);
    }
}
