package nocturne.recipe;

import java.util.Optional;

/// Finds where a key was written.
final class Places {
    private Places() {}

    /// @param path such as `train.lr`, or `datasets[].flip_x` for the first dataset that wrote it
    static Optional<Position> find(Section section, String path) {
        int dot = path.indexOf('.');
        if (dot < 0) {
            return section.block().key(path).flatMap(section::formerPosition);
        }
        String name = path.substring(0, dot).replace("[]", "");
        return section.block().block(name).stream().flatMap(block -> section.children(block).stream())
                .flatMap(inner -> find(inner, path.substring(dot + 1)).stream()).findFirst();
    }
}
