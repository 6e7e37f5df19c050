package nocturne.recipe;

import java.util.Optional;

/// A prompt as a person wrote it becomes what is drawn: `[trigger]` and `[name]` are replaced.
final class PromptText {
    private static final int MOST_CHARACTERS = 5000;

    private final Section root;
    private final Findings findings;

    PromptText(Section root, Findings findings) {
        this.root = root;
        this.findings = findings;
    }

    /// @param path of what is complained about
    String whole(String prompt, Position at, String path) {
        Optional<String> trigger = root.find(RootKeys.TRIGGER_WORD);
        String whole = prompt.replace("[trigger]", trigger.orElse("")).replace("[name]", root.get(RootKeys.NAME));
        if (prompt.contains("[trigger]") && trigger.isEmpty()) {
            findings.refuse(at, path, "[trigger] stands for trigger_word, which the recipe does not give.");
        }
        if (whole.length() > MOST_CHARACTERS || whole.contains("${") || InlineFlags.areIn(whole)) {
            findings.refuse(at, path,
                    "with [trigger] and [name] replaced it is no plain text of at most %d characters, without flags."
                            .formatted(MOST_CHARACTERS));
        }
        return whole;
    }
}
