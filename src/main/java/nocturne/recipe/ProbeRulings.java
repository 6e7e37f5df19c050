package nocturne.recipe;

import java.util.List;
import java.util.Optional;
import nocturne.io.WholeWords;
import org.jspecify.annotations.Nullable;

/// Makes the probe complete: what it draws follows from the samples.
final class ProbeRulings {
    /// A face close by, a figure far away, another medium: what training pictures seldom show all of.
    private static final List<String> OF_A_CHARACTER = List.of("[trigger] laughing, close-up, warm evening light",
            "[trigger] from behind, walking through a rainy street at night", "a charcoal drawing of [trigger]");
    private static final List<String> OF_A_STYLE = List.of("a lighthouse on a cliff at dawn, [trigger]",
            "a bowl of fruit on a wooden table, [trigger]", "a crowded street at night, [trigger]");

    private final Section root;
    private final Section probe;
    private final Findings findings;

    ProbeRulings(Section root, Findings findings) {
        this.root = root;
        this.probe = root.child(ProbeKeys.BLOCK);
        this.findings = findings;
    }

    void apply() {
        List<Section> samples = root.child(SampleKeys.BLOCK).children(SampleKeys.ITEM);
        boolean hasText = probe.find(ProbeKeys.PROMPT).isPresent() || !samples.isEmpty();
        if (probe.find(ProbeKeys.ENABLED).isEmpty()) {
            probe.derive(ProbeKeys.ENABLED, hasText && drawsSamples());
        }
        if (!probe.get(ProbeKeys.ENABLED)) {
            probe.block().keys().stream().filter(key -> key != ProbeKeys.ENABLED).forEach(probe::drop);
            return;
        }
        if (!hasText) {
            findings.refuse(probe, ProbeKeys.ENABLED, "has nothing to draw: there are no samples; give probe.prompt.");
            return;
        }
        PromptText text = new PromptText(root, findings);
        decidePrompt(samples, text);
        decideWithout(samples, text);
        decideOthers(text);
    }

    private boolean drawsSamples() {
        return root.child(SampleKeys.BLOCK).get(SampleKeys.SAMPLE_EVERY) > 0
                && !root.child(TrainKeys.BLOCK).get(TrainKeys.DISABLE_SAMPLING);
    }

    private void decidePrompt(List<Section> samples, PromptText text) {
        Optional<String> written = probe.find(ProbeKeys.PROMPT);
        if (written.isPresent()) {
            probe.set(ProbeKeys.PROMPT, text.whole(written.get(), probe.position(ProbeKeys.PROMPT),
                    probe.pathOf(ProbeKeys.PROMPT)), probe.origin(ProbeKeys.PROMPT).orElseThrow());
            return;
        }
        Section chosen = samples.stream().filter(this::hasTrigger).findFirst().orElse(samples.getFirst());
        probe.derive(ProbeKeys.PROMPT, prompt(chosen));
    }

    private void decideWithout(List<Section> samples, PromptText text) {
        Optional<String> written = probe.find(ProbeKeys.WITHOUT_TRIGGER);
        Optional<String> trigger = trigger();
        if (written.isPresent()) {
            probe.set(ProbeKeys.WITHOUT_TRIGGER, text.whole(written.get(),
                    probe.position(ProbeKeys.WITHOUT_TRIGGER), probe.pathOf(ProbeKeys.WITHOUT_TRIGGER)),
                    probe.origin(ProbeKeys.WITHOUT_TRIGGER).orElseThrow());
            return;
        }
        String prompt = probe.get(ProbeKeys.PROMPT);
        if (trigger.isEmpty() || !WholeWords.holds(prompt, trigger.get())) {
            probe.derive(ProbeKeys.WITHOUT_TRIGGER, "");
            return;
        }
        probe.derive(ProbeKeys.WITHOUT_TRIGGER, samples.stream()
                .filter(sample -> !hasTrigger(sample)).map(ProbeRulings::prompt).filter(words -> !words.isBlank())
                .findFirst().orElseGet(() -> leftOut(prompt, trigger.get())));
    }

    /// A prompt without a word and the commas around it.
    private static String leftOut(String prompt, String trigger) {
        return WholeWords.replace(prompt, trigger, " ").replaceAll("\\s+", " ").replaceAll("( ,)+", ",")
                .replaceAll("^[ ,]+", "").replaceAll("[ ,]+$", "");
    }

    private void decideOthers(PromptText text) {
        List<String> prompts = probe.find(ProbeKeys.PROMPTS).orElseGet(this::standardPrompts);
        List<String> whole = prompts.stream().map(prompt -> text.whole(prompt, probe.position(ProbeKeys.PROMPTS),
                probe.pathOf(ProbeKeys.PROMPTS))).toList();
        if (probe.find(ProbeKeys.PROMPTS).isEmpty()) {
            probe.derive(ProbeKeys.PROMPTS, whole);
        } else {
            probe.set(ProbeKeys.PROMPTS, whole, probe.origin(ProbeKeys.PROMPTS).orElseThrow());
        }
    }

    private List<String> standardPrompts() {
        if (root.find(RootKeys.TRIGGER_WORD).isEmpty()) return List.of();
        return switch (root.get(RootKeys.USE_CASE)) {
            case CHARACTER, COMPLEX_CHARACTER -> OF_A_CHARACTER;
            case STYLE -> OF_A_STYLE;
            case EDIT -> List.of();
        };
    }

    private Optional<String> trigger() {
        return root.find(RootKeys.TRIGGER_WORD).map(String::strip).filter(word -> !word.isEmpty());
    }

    private boolean hasTrigger(Section sample) {
        Optional<String> trigger = trigger();
        return trigger.isPresent() && WholeWords.holds(prompt(sample), trigger.get());
    }

    private static String prompt(Section sample) {
        return sample.find(SampleKeys.PROMPT).orElse("");
    }

    /// The sample whose size, seed and settings the probe takes: that of the same text, or the first.
    ///
    /// @return null where there are no samples; the block's values count then
    static @Nullable Section settings(Section root) {
        List<Section> samples = root.child(SampleKeys.BLOCK).children(SampleKeys.ITEM);
        String prompt = root.child(ProbeKeys.BLOCK).get(ProbeKeys.PROMPT);
        return samples.stream().filter(sample -> prompt(sample).equals(prompt)).findFirst()
                .orElse(samples.isEmpty() ? null : samples.getFirst());
    }
}
