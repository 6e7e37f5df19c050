package nocturne.plan;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import nocturne.recipe.DatasetRecipe;
import nocturne.recipe.Notice;
import nocturne.recipe.Origin;
import nocturne.recipe.Recipe;
import nocturne.recipe.ResolvedRecipe;
import nocturne.recipe.Rule;

/// Applies the rules that need more than the recipe: captions, and the model's own words.
final class PictureRules {
    /// What a rule on the whole bundle looks at.
    record Evidence(Recipe recipe, Path model) {}

    static final List<Rule<Evidence>> ON_ALL = List.of(
            Rule.<Evidence>warning("S1-07", "trigger_word")
                    .when(it -> it.recipe().model().isReleased() && it.recipe().triggerWord() != null
                            && Vocabulary.isCommon(it.recipe().triggerWord(), it.model()))
                    .says("is one piece of the model's vocabulary, a common word: what it means already will mix with"
                            + " what is learned.")
                    .remedy("Take a word of your own, such as ohwx or maya_char."));

    private PictureRules() {}

    /// Every id of a rule here that `i_know` may name.
    static Set<String> yieldingIds() {
        Stream<Rule<?>> all = Stream.concat(ON_ALL.stream(), CaptionRules.ALL.stream());
        return Set.copyOf(all.filter(Rule::yieldsToKnowledge).map(Rule::id).distinct().toList());
    }

    static List<Notice> judge(Inspection inspection) {
        ResolvedRecipe resolved = inspection.resolved();
        Recipe recipe = resolved.recipe();
        List<Notice> notices = new ArrayList<>();
        judge(ON_ALL, new Evidence(recipe, inspection.model()), "", resolved, notices);
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
