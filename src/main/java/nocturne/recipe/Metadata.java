package nocturne.recipe;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/// Notes of the person for the metadata of the adapter's files, in the order they were written.
public record Metadata(SequencedMap<String, String> entries) {
    public static final Metadata NONE = new Metadata(new LinkedHashMap<>());
    private static final int MOST_ENTRIES = 200;
    private static final int MOST_CHARACTERS = 10_000;
    private static final int MOST_NAME_CHARACTERS = 200;

    public Metadata {
        entries = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(entries));
    }

    /// Lists and blocks become their text, as in `[a, b]`: metadata of safetensors files is text.
    static Optional<Metadata> read(Node node, String path, Findings findings) {
        if (!(node instanceof Node.Mapping mapping) || mapping.entries().size() > MOST_ENTRIES) {
            findings.refuse(node.at(), path, "%s is not allowed; a block of at most %d names and texts."
                    .formatted(node.shown(), MOST_ENTRIES));
            return Optional.empty();
        }
        SequencedMap<String, String> entries = new LinkedHashMap<>();
        boolean sound = true;
        for (Node.Entry entry : mapping.entries()) {
            String text = text(entry.value()).strip();
            boolean allowed = text.length() <= MOST_CHARACTERS && isText(text)
                    && entry.key().length() <= MOST_NAME_CHARACTERS && isText(entry.key());
            if (!allowed) {
                findings.refuse(entry.at(), path + "." + Shown.key(entry.key()),
                        "is not allowed; a name of at most %d characters and a text of at most %d."
                                .formatted(MOST_NAME_CHARACTERS, MOST_CHARACTERS));
                sound = false;
            }
            entries.put(entry.key(), text);
        }
        return sound ? Optional.of(new Metadata(entries)) : Optional.empty();
    }

    private static boolean isText(String text) {
        return text.codePoints().allMatch(c -> c == '\n' || c == '\t' || Shown.isPrintable(c));
    }

    private static String text(Node node) {
        return switch (node) {
            case Node.Scalar scalar -> scalar.text() == null ? "" : scalar.text();
            case Node.Sequence sequence -> sequence.items().stream().map(Metadata::text)
                    .collect(Collectors.joining(", ", "[", "]"));
            case Node.Mapping mapping -> mapping.entries().stream()
                    .map(entry -> entry.key() + ": " + text(entry.value()))
                    .collect(Collectors.joining(", ", "{", "}"));
        };
    }

    /// Every text with `from` replaced.
    Metadata replacing(String from, String to) {
        SequencedMap<String, String> replaced = new LinkedHashMap<>();
        for (Map.Entry<String, String> entry : entries.entrySet()) {
            replaced.put(entry.getKey(), entry.getValue().replace(from, to));
        }
        return new Metadata(replaced);
    }
}
