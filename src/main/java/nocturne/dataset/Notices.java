package nocturne.dataset;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Collects what is worth saying; the same thing said of many pictures becomes one sentence with a few examples.
final class Notices {
    private static final int MOST_EXAMPLES = 5;

    private final Map<String, List<String>> picturesBySaying = new LinkedHashMap<>();

    void add(String sentence) {
        picturesBySaying.computeIfAbsent(sentence, key -> new ArrayList<>());
    }

    void add(String saying, String picture) {
        picturesBySaying.computeIfAbsent(saying, key -> new ArrayList<>()).add(picture);
    }

    /// In the order in which they first came up.
    List<String> sentences() {
        List<String> sentences = new ArrayList<>();
        picturesBySaying.forEach((saying, pictures) -> {
            if (pictures.isEmpty()) {
                sentences.add(saying);
                return;
            }
            String examples = String.join(", ", pictures.subList(0, Math.min(MOST_EXAMPLES, pictures.size())));
            int others = pictures.size() - MOST_EXAMPLES;
            sentences.add("%s: %s%s".formatted(saying, examples, others > 0 ? " and %d more".formatted(others) : ""));
        });
        return sentences;
    }
}
