package nocturne.recipe;

import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/// Finds where a key or a block was written.
final class Places {
    private Places() {}

    /// @param path such as `train.lr`, `datasets[].flip_x` for the first dataset that wrote it, or `datasets` for the
    ///             first value of any
    static Optional<Position> find(Section section, String path) {
        int dot = path.indexOf('.');
        if (dot < 0) {
            return section.block().key(path).flatMap(section::formerPosition).or(() -> inside(section, path));
        }
        String name = path.substring(0, dot).replace("[]", "");
        return section.block().block(name).stream().flatMap(block -> section.children(block).stream())
                .flatMap(inner -> find(inner, path.substring(dot + 1)).stream()).findFirst();
    }

    /// The blocks that a path leads through, below a section.
    static Stream<Section> blocks(Section section, String path) {
        int dot = path.indexOf('.');
        String name = (dot < 0 ? path : path.substring(0, dot)).replace("[]", "");
        String rest = dot < 0 ? "" : path.substring(dot + 1);
        return section.block().block(name).stream().flatMap(block -> section.children(block).stream())
                .flatMap(inner -> Stream.concat(Stream.of(inner), blocks(inner, rest)));
    }

    /// The first value that was written in a block.
    private static Optional<Position> inside(Section section, String name) {
        return section.block().block(name).stream().flatMap(block -> section.children(block).stream())
                .flatMap(inner -> inner.block().keys().stream().flatMap(key -> inner.formerPosition(key).stream()))
                .min(Comparator.naturalOrder());
    }
}
