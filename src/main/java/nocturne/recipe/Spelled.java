package nocturne.recipe;

import java.util.List;

/// A choice as recipes spell it. Upper case, `_`, `-` and blanks make no difference when reading.
public interface Spelled {
    /// The spelling we print.
    String spelling();

    /// Other spellings that mean the same.
    default List<String> otherSpellings() {
        return List.of();
    }
}
