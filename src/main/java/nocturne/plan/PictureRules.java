package nocturne.plan;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.recipe.DatasetRecipe;
import nocturne.recipe.Notice;
import nocturne.recipe.Origin;
import nocturne.recipe.Recipe;
import nocturne.recipe.ResolvedRecipe;
import nocturne.recipe.Rule;

/// Applies the rules that need more than the recipe: captions, and the model's own words.
final class PictureRules {
    private static final String TRIGGER = "S1-07";

    /// What a rule on the whole bundle looks at.
    ///
    /// @param told ids of what was said about the recipe already
    record Evidence(Recipe recipe, Set<String> told, Path model) {}

    static final List<Rule<Evidence>> ON_ALL = List.of(
            Rule.<Evidence>warning(TRIGGER, "trigger_word")
                    .when(it -> it.recipe().model().isReleased() && it.recipe().triggerWord() != null
                            && !it.told().contains(TRIGGER)
                            && Vocabulary.isCommon(it.recipe().triggerWord(), it.model()))
                    .says("is one piece of the model's vocabulary, a common word: what it means already will mix with"
                            + " what is learned.")
                    .remedy("Take a word of your own, such as ohwx or maya_char."));

    private PictureRules() {}

    /// Every id of a rule here that `i_know` may name.
    static Set<String> yieldingIds() {
        Stream<Rule<?>> all = Stream.concat(ON_ALL.stream(), CaptionRules.ALL.stream());
        Stream<String> ids = all.filter(Rule::yieldsToKnowledge).map(Rule::id);
        return Stream.concat(ids, DatasetNotices.ids()).collect(Collectors.toUnmodifiableSet());
    }

    static List<Notice> judge(Inspection inspection) {
        ResolvedRecipe resolved = inspection.resolved();
        Recipe recipe = resolved.recipe();
        List<Notice> notices = new ArrayList<>();
        Set<String> told = resolved.notices().stream().map(Notice::code).collect(Collectors.toSet());
        judge(ON_ALL, new Evidence(recipe, told, inspection.model()), "", resolved, notices);
        if (recipe.train().ignoresCaptions()) return notices;
        for (int i = 0; i < recipe.datasets().size(); i++) {
            DatasetRecipe dataset = recipe.datasets().get(i);
            WrittenCaptions captions =
                    WrittenCaptions.of(dataset, inspection.bundle().root(), inspection.training());
            judge(CaptionRules.ALL, new CaptionRules.Evidence(recipe, dataset, captions), "datasets[%d].".formatted(i),
                    resolved, notices);
        }
        return notices;
    }

    private static <S> void judge(List<Rule<S>> rules, S subject, String path, ResolvedRecipe resolved,
            List<Notice> notices) {
        for (Rule<S> rule : rules) {
            rule.judge(subject, resolved.recipe().known()).ifPresent(verdict -> {
                String key = path + verdict.key();
                String where = resolved.origins().get(key) instanceof Origin.Written(int line, int _)
                        ? "line %d  %s".formatted(line, key) : key;
                notices.add(new Notice(verdict.id(), verdict.severity(), where, verdict.text()));
            });
        }
    }
}
