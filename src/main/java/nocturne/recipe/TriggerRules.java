package nocturne.recipe;

import java.util.List;
import nocturne.io.WholeWords;

/// What is said about the trigger word.
final class TriggerRules {
    private static final String KEY = "trigger_word";

    static final List<Rule<Evidence>> ALL = List.of(
            Rule.<Evidence>warning("S1-06", KEY)
                    .when(it -> it.useCase().isCharacter()
                            && it.recipe().datasets().stream().allMatch(dataset -> dataset.triggerWord() == null))
                    .says("there is none, so the adapter changes every picture: right for a style, not for a"
                            + " character.")
                    .remedy("Write trigger_word: ohwx or the like, or use_case: style."),
            Rule.<Evidence>warning("S1-07", KEY)
                    .when(it -> it.recipe().triggerWord() != null && CommonWords.contains(it.recipe().triggerWord()))
                    .says("is a word that the model knows already, and that meaning will mix with what is learned.")
                    .remedy("Take a word of your own, such as ohwx or maya_char."),
            Rule.<Evidence>warning("S1-07", KEY)
                    .when(it -> it.recipe().triggerWord() != null && it.recipe().triggerWord().strip().length() < 3)
                    .says("is so short that the model knows it as a part of many words, and they will mix with what is"
                            + " learned.")
                    .remedy("Take three letters or more."),
            Rule.<Evidence>warning("S1-74", "sample.prompts").when(TriggerRules::noPromptHasIt)
                    .says("no prompt holds the trigger word, so no sample will show what was learned.")
                    .remedy("[trigger] in a prompt stands for it."));

    private TriggerRules() {}

    private static boolean noPromptHasIt(Evidence it) {
        String trigger = it.recipe().triggerWord();
        List<SamplePrompt> prompts = it.recipe().sample().prompts();
        return trigger != null && !prompts.isEmpty()
                && prompts.stream().noneMatch(prompt -> WholeWords.holds(prompt.prompt(), trigger.strip()));
    }
}
