package nocturne.dataset;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import nocturne.dataset.FolderListing.Entry;
import nocturne.image.Background;
import nocturne.image.Look;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Looks at many pictures, to know that each is whole and what it looks like. Several at a time, results in the given
/// order.
final class PictureScan {
    private final SeenPictures seen;
    private final Patience patience;
    private final Map<Entry, Look> looks = new ConcurrentHashMap<>();

    PictureScan(SeenPictures seen, Patience patience) {
        this.seen = seen;
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
        SeenPictures.Seen found = seen.see(entry.file(), entry.label(), background, patience);
        found.look().ifPresent(look -> looks.put(entry, look));
        return found.picture();
    }
}
