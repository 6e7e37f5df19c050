package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `i_know` and `use_case`: what a person may say to the rules.
class KnowledgeTest {
    private static final RecipeReader READER = RecipeReader.in(BundleFacts.named("maya"));

    private static ResolvedRecipe read(String text) {
        return READER.read(text, "recipe.yaml");
    }

    private static String complaint(String text) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> read(text));
        assertThat(mistake).as("refusal of %s", text).isNotNull();
        return mistake.report();
    }

    @Test
    void anErrorSaysHowItIsOverridden() {
        assertThat(complaint("trigger: ohwx\ntrain: {lr: 6e-4}")).isEqualTo("""
                recipe.yaml has 1 problem; no GPU time was spent.
                  line 2  train.lr: above 5e-4 characters are burnt, not learned. 2e-4 is the recipe's, 1e-4 the \
                careful choice. If you know better, i_know: [S2-17] lets it pass.""");
    }

    @Test
    void anErrorThatIsKnownIsAWarningAndStandsInTheResolvedRecipe() {
        ResolvedRecipe resolved = read("trigger: ohwx\ni_know: [S2-17]\ntrain: {lr: 6e-4}");
        assertThat(resolved.recipe().train().optimizer().learningRate()).isEqualTo(6e-4);
        assertThat(resolved.notices()).containsExactly(new Notice("S2-17", Severity.WARNING, "line 3  train.lr",
                "above 5e-4 characters are burnt, not learned. It would be refused; i_know lets it pass."));
        assertThat(resolved.yaml()).contains("i_know: [S2-17]");
        assertThat(read(resolved.yaml()).recipe()).isEqualTo(resolved.recipe());
    }

    @Test
    void aWarningThatIsKnownIsANotice() {
        List<Notice> notices = read("trigger: ohwx\ni_know: s1-63\nsave: {max_step_saves_to_keep: 2}").notices();
        assertThat(notices).containsExactly(new Notice("S1-63", Severity.NOTICE,
                "line 3  save.max_step_saves_to_keep",
                "fewer than 4 checkpoints leave little to choose from. Known, says i_know."));
    }

    /// Recipes from before a row's findings had ids of their own are still taken. A part is not the whole.
    @Test
    void aRowStandsForAllOfItsRules() {
        assertThat(read("trigger: ohwx\ni_know: [S1-69, s1-44]").recipe().known())
                .containsExactlyInAnyOrder("S1-69-MISSING", "S1-69-SHARED", "S1-69-CUT", "S1-44-SHAPE");
        assertThat(read("trigger: ohwx\ni_know: [S1-68]").recipe().known())
                .containsExactlyInAnyOrder("S1-68", "S1-68-ALIKE", "S1-68-BLURRED", "S1-68-UNSEEN");
        assertThat(read("trigger: ohwx\ni_know: [S1-68-ALIKE]").recipe().known()).containsExactly("S1-68-ALIKE");
        ResolvedRecipe resolved = read("trigger: ohwx\ni_know: [S1-69]");
        assertThat(resolved.yaml()).contains("i_know: [S1-69]");
        assertThat(read(resolved.yaml()).recipe()).isEqualTo(resolved.recipe());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "i_know: [S1]            | line 1  i_know: S1 is not the id of a rule that can be overridden; these can:",
        "i_know: [S1-6]          | line 1  i_know: S1-6 is not the id of a rule that can be overridden; these can:",
        "i_know: [S9-99]         | line 1  i_know: S9-99 is not the id of a rule that can be overridden; these can:",
        "i_know: [S2-04]         | line 1  i_know: S2-04 is not the id of a rule that can be overridden; these can:",
        "i_know: [S2-17, B5]     | line 1  i_know: B5 is not the id of a rule that can be overridden; these can:",
        "i_know: [S2-54]         | line 1  i_know: S2-54 is not the id of a rule that can be overridden; these can:",
        "i_know: {S2-17: true}   | line 1  i_know: a block of keys is not allowed",
        "use_case: portrait      | one of character, complex_character, style, edit",
    })
    void whatCannotBeKnownIsAProblemWithItsLine(String text, String message) {
        assertThat(complaint(text)).contains(message);
    }

    /// An adapter learned from pairs by a model that takes no pictures: no knowledge helps.
    @Test
    void anErrorThatIsNoMatterOfTasteCannotBeOverridden() {
        String recipe = "model: {name_or_path: Qwen/Qwen-Image}\ndatasets: [{folder_path: a, control_path: b}]";
        assertThat(complaint(recipe))
                .contains("line 2  datasets[0].control_path: qwen_image takes no control pictures.")
                .doesNotContain("i_know");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "trigger: ohwx           | CHARACTER",
        "use_case: complex character | COMPLEX_CHARACTER",
        "use_case: style         | STYLE",
        "'datasets: [{folder_path: a, control_path: b}]' | EDIT",
        "'{use_case: style, datasets: [{folder_path: a, control_path: b}]}' | STYLE",
    })
    void whatIsLearnedIsSaidOrFollowsFromThePairs(String text, UseCase useCase) {
        assertThat(read(text).recipe().useCase()).isEqualTo(useCase);
    }

    /// Two datasets, and only the second asks for it: the line is its own.
    @Test
    void aRuleOnOneDatasetPointsAtThatOne() {
        assertThat(read("""
                trigger: ohwx
                datasets:
                  - {folder_path: a, flip_x: false}
                  - {folder_path: b, flip_x: true}
                """).notices()).extracting(Notice::where).containsExactly("line 4  datasets[1].flip_x");
    }

    /// A rule on all datasets points at where they begin, and at nothing where nobody wrote them.
    @Test
    void aRuleOnABlockPointsAtItsFirstValue() {
        RecipeReader few = RecipeReader.in(new BundleFacts("b", new TreeMap<>(Map.of("a", 3))));
        assertThat(few.read("trigger: ohwx\ndatasets:\n  - num_repeats: 2\n    folder_path: a\n", "recipe.yaml")
                .notices()).extracting(Notice::where).containsExactly("line 3  datasets");
        assertThat(few.read("trigger: ohwx", "recipe.yaml").notices()).extracting(Notice::where)
                .containsExactly("datasets");
    }

    @Test
    void whatPromptsInheritIsSaidOnce() {
        assertThat(read("""
                trigger: ohwx
                sample:
                  guidance_scale: 7
                  samples:
                    - {prompt: ohwx}
                    - {prompt: ohwx on a bench}
                    - {prompt: ohwx in a park, guidance_scale: 1}
                """).notices()).filteredOn(Notice::isWarning).extracting(Notice::where)
                .containsExactly("line 3  sample.guidance_scale", "line 7  sample.samples[2].guidance_scale");
    }

    @Test
    void everyRuleSpeaksInSentencesAndNamesItsRow() {
        List<Rule<?>> rules = new ArrayList<>(RuleBook.ON_RECIPES);
        rules.addAll(RuleBook.ON_DATASETS);
        rules.addAll(RuleBook.ON_PROMPTS);
        assertThat(rules).isNotEmpty().allSatisfy(rule -> {
            assertThat(rule.id()).matches("(S1|S2|X)-\\d\\d|B\\d");
            assertThat(rule.remedy()).satisfiesAnyOf(text -> assertThat(text).isEmpty(),
                    text -> assertThat(text).endsWith("."));
            assertThat(rule.severity() == Severity.NOTICE || !rule.remedy().isEmpty()).as(rule.id()).isTrue();
        });
    }
}
