package nocturne.recipe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/// Prints a decided [Section] as YAML: every value, and beside it where it came from.
final class ResolvedText {
    private static final int COMMENT_COLUMN = 44;

    private final List<String> lines = new ArrayList<>();
    private final SequencedMap<String, Origin> origins = new LinkedHashMap<>();

    private ResolvedText() {}

    static ResolvedText of(Section root, String source) {
        ResolvedText text = new ResolvedText();
        text.lines.add("# Every value of this job and where it came from. Lines and columns are those of "
                + Shown.key(source) + ".");
        text.lines.add("# This file is a recipe: dropped with the same pictures, it asks for the same training.");
        text.print(root, "", "");
        return text;
    }

    String yaml() {
        return String.join("\n", lines) + "\n";
    }

    /// By path, such as `train.lr` or `datasets[0].num_repeats`, in the order of the text.
    SequencedMap<String, Origin> origins() {
        return origins;
    }

    private void print(Section section, String path, String indent) {
        for (Key<?> key : section.block().keys()) printKey(section, key, path, indent);
        for (Block block : section.block().blocks()) {
            List<Section> inner = section.children(block).stream().filter(ResolvedText::hasValues).toList();
            if (inner.isEmpty()) continue;
            if (indent.isEmpty()) lines.add("");
            lines.add(indent + block.name() + ":");
            for (int i = 0; i < inner.size(); i++) {
                String innerPath = (path.isEmpty() ? "" : path + ".") + block.name()
                        + (block.list() ? "[" + i + "]" : "");
                int from = lines.size();
                print(inner.get(i), innerPath, indent + (block.list() ? "    " : "  "));
                if (block.list()) {
                    String head = lines.get(from);
                    lines.set(from, indent + "  - " + head.substring(indent.length() + 4));
                }
            }
        }
    }

    private <T> void printKey(Section section, Key<T> key, String path, String indent) {
        Optional<T> value = section.find(key);
        if (value.isEmpty()) return;
        Origin origin = section.origin(key).orElseThrow();
        String line = indent + key.name() + ": " + key.kind().print(value.get());
        lines.add(line + " ".repeat(Math.max(1, COMMENT_COLUMN - line.length())) + "# " + Shown.key(origin.shown()));
        origins.put(path.isEmpty() ? key.name() : path + "." + key.name(), origin);
    }

    private static boolean hasValues(Section section) {
        Stream<Section> inner = section.block().blocks().stream().flatMap(block -> section.children(block).stream());
        return section.block().keys().stream().anyMatch(key -> section.find(key).isPresent())
                || inner.anyMatch(ResolvedText::hasValues);
    }
}
