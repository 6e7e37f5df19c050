package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import java.util.List;
import java.util.Objects;
import nocturne.ledger.Ledger;
import nocturne.problem.UserMistake;
import nocturne.recipe.ProbeShot.Part;
import org.junit.jupiter.api.Test;

class ProbeRecipeTest {
    private static final RecipeReader READER = RecipeReader.in(BundleFacts.named("maya"));

    private static ProbeRecipe probe(String text) {
        return Objects.requireNonNull(READER.read(text, "recipe.yaml").recipe().probe());
    }

    private static List<SamplePrompt> pictures(ProbeRecipe probe, Part part) {
        return probe.shots().stream().filter(shot -> shot.part() == part).map(ProbeShot::picture).toList();
    }

    @Test
    @Ledger({"S2-69", "S2-73", "S2-74"})
    void theGridIsThreeScalesByThreeStrengthsOfTheFirstPromptWithTheTrigger() {
        ProbeRecipe probe = probe("""
                trigger: ohwx
                sample: {seed: 7, width: 512, prompts: [a green star, "[trigger] on a beach"]}
                """);
        assertThat(pictures(probe, Part.GRID)).hasSize(9).allSatisfy(picture -> {
            assertThat(picture.prompt()).isEqualTo("ohwx on a beach");
            assertThat(picture.seed()).as("of that prompt").isEqualTo(8);
            assertThat(picture.width()).isEqualTo(512);
        }).extracting(SamplePrompt::guidanceScale, SamplePrompt::strength).startsWith(
                tuple(3.0, 0.6), tuple(3.0, 0.8))
                .endsWith(tuple(4.0, 1.0));
        assertThat(probe.shots()).extracting(ProbeShot::name).doesNotHaveDuplicates().hasSize(19)
                .startsWith("cfg3.0_strength0.6");
    }

    @Test
    @Ledger("S1-73")
    void withoutTheTriggerItIsDrawnAtEveryStrengthAndByTheBareModel() {
        ProbeRecipe probe = probe("""
                trigger: ohwx
                sample: {prompts: [a green star, "[trigger] on a beach"]}
                """);
        assertThat(pictures(probe, Part.WITHOUT_TRIGGER)).extracting(SamplePrompt::strength)
                .containsExactly(0.6, 0.8, 1.0, 0.0);
        assertThat(pictures(probe, Part.WITHOUT_TRIGGER)).allSatisfy(picture -> {
            assertThat(picture.prompt()).isEqualTo("a green star");
            assertThat(picture.guidanceScale()).isEqualTo(3.5);
            assertThat(picture.seed()).isEqualTo(probe.prompt().seed());
        });
        assertThat(pictures(probe, Part.BASE)).singleElement()
                .satisfies(picture -> assertThat(picture.strength()).isZero());
    }

    @Test
    void whereEveryPromptHasTheTriggerItIsLeftOut() {
        assertThat(probe("trigger: ohwx").withoutTrigger()).isEqualTo("portrait, smiling, high quality");
        assertThat(probe("{trigger: ohwx, sample: {prompts: [ohwx]}}").withoutTrigger()).isEmpty();
    }

    /// The trigger word is a part of another word in both prompts, and a word of its own in one.
    @Test
    void aPartOfAnotherWordIsNotTheTrigger() {
        ProbeRecipe probe = probe("{trigger: man, sample: {prompts: [a woman, 'a woman, man and human']}}");
        assertThat(probe.prompt().prompt()).isEqualTo("a woman, man and human");
        assertThat(probe.withoutTrigger()).isEqualTo("a woman");
        assertThat(probe("{trigger: man, sample: {prompts: ['a woman, man and human']}}").withoutTrigger())
                .isEqualTo("a woman, and human");
        assertThat(probe("{trigger: man, sample: {prompts: [a woman]}}").withoutTrigger()).isEmpty();
    }

    @Test
    @Ledger({"S2-68", "S2-71"})
    void otherSeedsAndOtherPromptsAreTriedAtTheUsualSettings() {
        ProbeRecipe probe = probe("{trigger: ohwx, sample: {seed: 9007199254740991}}");
        assertThat(pictures(probe, Part.SEEDS)).extracting(SamplePrompt::seed).as("walked, within what a seed may be")
                .containsExactly(0L, 1L);
        assertThat(pictures(probe, Part.PROMPTS)).hasSize(3).allSatisfy(picture -> {
            assertThat(picture.prompt()).contains("ohwx");
            assertThat(picture.guidanceScale()).isEqualTo(3.5);
            assertThat(picture.strength()).isEqualTo(1);
        });
        assertThat(probe("{trigger: ohwx, use_case: style}").prompts()).anyMatch(text -> text.contains("lighthouse"));
        assertThat(probe("{trigger: ohwx, probe: {prompts: ['[trigger] asleep']}}").prompts())
                .containsExactly("ohwx asleep");
    }

    @Test
    void whereNoSamplesAreDrawnNothingIsProbedUnlessItIsAskedFor() {
        assertThat(READER.read("", "recipe.yaml").recipe().probe()).as("no prompt").isNull();
        assertThat(READER.read("{trigger: ohwx, sample: {sample_every: 0}}", "recipe.yaml").recipe().probe()).isNull();
        assertThat(READER.read("{trigger: ohwx, train: {disable_sampling: true}}", "recipe.yaml").recipe().probe())
                .isNull();
        ResolvedRecipe off = READER.read("{trigger: ohwx, probe: {enabled: false}}", "recipe.yaml");
        assertThat(off.recipe().probe()).isNull();
        assertThat(off.yaml()).contains("probe:\n  enabled: false").doesNotContain("strengths");
        assertThat(probe("{sample: {height: 768}, probe: {enabled: true, prompt: a star}}").prompt())
                .satisfies(prompt -> assertThat(prompt.height()).isEqualTo(768));
        assertThatThrownBy(() -> READER.read("probe: {enabled: true}", "recipe.yaml"))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.problems()).singleElement()
                        .satisfies(problem -> assertThat(problem.what()).contains("give probe.prompt")));
    }

    @Test
    void theResolvedRecipeAsksForTheSameProbe() {
        for (String text : List.of("trigger: ohwx", "{trigger: ohwx, probe: {prompt: '[trigger] asleep', seeds: 1}}",
                "{trigger: ohwx, sample: {samples: [{prompt: ohwx, seed: 9}, {prompt: a star}, {prompt: ohwx}]}}")) {
            ResolvedRecipe resolved = READER.read(text, "recipe.yaml");
            assertThat(READER.read(resolved.yaml(), "recipe.resolved.yaml").recipe()).isEqualTo(resolved.recipe());
        }
    }
}
