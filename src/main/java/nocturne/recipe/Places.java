package nocturne.recipe;

import java.util.Comparator;
import java.util.Optional;

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

    /// The first value that was written in a block.
    private static Optional<Position> inside(Section section, String name) {
        return section.block().block(name).stream().flatMap(block -> section.children(block).stream())
                .flatMap(inner -> inner.block().keys().stream().flatMap(key -> inner.formerPosition(key).stream()))
                .min(Comparator.naturalOrder());
    }
}
