package nocturne.recipe;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The recipe's text as a tree; every node knows where it was written.
///
/// Scalars keep their text. Whether `1e-4`, `"1e-4"` or `1.0e-4` is a number is decided by the key that wants one,
/// because YAML readers disagree about it.
sealed interface Node {
    Position at();

    /// @param text as written, without quotes; null for an explicit or an empty `null`
    record Scalar(Position at, @Nullable String text) implements Node {}

    record Sequence(Position at, List<Node> items) implements Node {
        public Sequence {
            items = List.copyOf(items);
        }
    }

    record Mapping(Position at, List<Entry> entries) implements Node {
        public Mapping {
            entries = List.copyOf(entries);
        }

        Optional<Entry> entry(String key) {
            return entries.stream().filter(entry -> entry.key().equals(key)).findFirst();
        }
    }

    /// @param at where the key stands
    record Entry(Position at, String key, Node value) {}

    default boolean isNull() {
        return this instanceof Scalar(Position _, String text) && text == null;
    }

    /// How a message names this node: the text of a scalar, what kind of thing it is otherwise.
    default String shown() {
        return switch (this) {
            case Scalar(Position _, String text) -> text == null ? "null" : Shown.value(text);
            case Sequence _ -> "a list";
            case Mapping _ -> "a block of keys";
        };
    }
}
