package nocturne.plan;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import nocturne.dataset.Captions;
import nocturne.dataset.findings.Finding.Kind;
import nocturne.recipe.DatasetRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.Rule;
import org.jspecify.annotations.Nullable;

/// What is said about the captions of one dataset.
final class CaptionRules {
    private static final int SHORTEST = 50;
    private static final int LONGEST = 200;
    private static final int MOST_EXAMPLES = 5;

    /// What these rules look at.
    record Evidence(Recipe recipe, DatasetRecipe dataset, WrittenCaptions captions) {
        @Nullable String trigger() {
            return dataset.regularisation() ? null : dataset.triggerWord();
        }

        /// What a picture without a caption is trained with, where there is no default.
        String instead() {
            if (dataset.tag() == null) return trigger() == null ? "no words" : "the trigger word alone";
            return trigger() == null ? "the tag alone" : "trigger word and tag alone";
        }
    }

    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>warning(Kind.CAPTION_MISSING.id(), "folder_path")
                    .when(it -> !missing(it).isEmpty() && it.dataset().defaultCaption() == null)
                    .says(it -> "%d of %d pictures have no caption, or an empty one, and are trained with %s: %s."
                            .formatted(missing(it).size(), it.captions().count(),
                                    it.instead(), examples(missing(it))))
                    .remedy("Describe in a text file beside each what should change with words."),
            Rule.<Evidence>notice(Kind.CAPTION_MISSING.id(), "folder_path")
                    .when(it -> !missing(it).isEmpty() && it.dataset().defaultCaption() != null)
                    .says(it -> "%d of %d pictures have no caption, or an empty one, and get default_caption: %s."
                            .formatted(missing(it).size(), it.captions().count(), examples(missing(it)))),
            Rule.<Evidence>warning(Kind.CAPTION_SHARED.id(), "folder_path").when(it -> !shared(it).isEmpty())
                    .says(it -> "several pictures have the same caption: %s.".formatted(examples(shared(it))))
                    .remedy("What differs in the pictures and not in the words is learned into the trigger word."),
            Rule.<Evidence>notice("S2-54", "folder_path")
                    .when(it -> it.recipe().model().isReleased() && outside(it) > 0)
                    .says(it -> "%d of %d captions are shorter than 50 or longer than 200 characters; in between works"
                            .formatted(outside(it), it.captions().texts().size()) + " best."),
            Rule.<Evidence>notice(Kind.TRIGGER_ABSENT.id(), "folder_path").when(it -> !without(it).isEmpty())
                    .says(it -> "%d of %d captions lack the trigger word; it is put in front: %s.".formatted(
                            without(it).size(), it.captions().texts().size(), examples(without(it)))),
            Rule.<Evidence>notice("S2-58", "tag").when(it -> it.dataset().tag() != null)
                    .says(it -> "%d of %d pictures have it in their captions; others get it behind the trigger word."
                            .formatted(tagged(it), it.captions().count())));

    private CaptionRules() {}

    private static long tagged(Evidence it) {
        String tag = it.dataset().tag();
        if (tag == null) return 0;
        return it.captions().texts().stream().filter(text -> Captions.holds(text, tag.strip())).count();
    }

    private static List<String> missing(Evidence it) {
        return it.captions().picturesWithout();
    }

    private static List<String> shared(Evidence it) {
        Map<String, Long> times = it.captions().texts().stream()
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
        return pictures(it, text -> times.getOrDefault(text, 0L) > 1);
    }

    private static List<String> without(Evidence it) {
        String trigger = it.trigger();
        if (trigger == null) return List.of();
        return pictures(it, text -> Captions.lacks(text, trigger));
    }

    private static long outside(Evidence it) {
        return it.captions().texts().stream().filter(text -> text.length() < SHORTEST || text.length() > LONGEST)
                .count();
    }

    private static List<String> pictures(Evidence it, Function<String, Boolean> wanted) {
        return it.captions().byPicture().entrySet().stream()
                .filter(entry -> !entry.getValue().isEmpty() && wanted.apply(entry.getValue()))
                .map(Map.Entry::getKey).toList();
    }

    private static String examples(Collection<String> pictures) {
        String some = pictures.stream().limit(MOST_EXAMPLES).collect(Collectors.joining(", "));
        int others = pictures.size() - MOST_EXAMPLES;
        return others > 0 ? some + " and %d more".formatted(others) : some;
    }
}
