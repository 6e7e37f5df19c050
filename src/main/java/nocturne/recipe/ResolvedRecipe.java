package nocturne.recipe;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// A recipe with everything decided.
///
/// @param recipe  what will be trained
/// @param notices what the person should know about how it was understood, in reading order
/// @param origins where each value came from, by path such as `train.lr` or `datasets[0].num_repeats`
/// @param yaml    all values with their origins as comments; itself a recipe, and reading it gives an equal [Recipe]
public record ResolvedRecipe(Recipe recipe, List<Notice> notices, SequencedMap<String, Origin> origins, String yaml) {
    public ResolvedRecipe {
        notices = List.copyOf(notices);
        origins = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(origins));
    }
}
