package nocturne.recipe;

import java.util.List;

/// A choice as recipes spell it. Upper case, `_`, `-` and blanks make no difference when reading.
public interface Spelled {
    /// Every spelling that is read, separated by blanks; the first is the one we print.
    String spellings();

    default String spelling() {
        return allSpellings().getFirst();
    }

    default List<String> allSpellings() {
        return List.of(spellings().split(" "));
    }
}
