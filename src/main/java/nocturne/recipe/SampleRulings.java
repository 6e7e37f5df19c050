package nocturne.recipe;

import java.util.List;
import java.util.stream.Stream;

/// Makes every sample prompt complete: each with its own size, seed, guidance and the rest.
final class SampleRulings {
    private static final int SIDE_UNIT = 32;

    private final Section root;
    private final Section sample;
    private final Findings findings;

    SampleRulings(Section root, Findings findings) {
        this.root = root;
        this.sample = root.child(SampleKeys.BLOCK);
        this.findings = findings;
    }

    void apply() {
        if (sample.find(SampleKeys.SAMPLE_EVERY).isEmpty()) {
            sample.derive(SampleKeys.SAMPLE_EVERY, root.child(SaveKeys.BLOCK).get(SaveKeys.SAVE_EVERY));
        }
        int side = root.children(DatasetKeys.BLOCK).stream().flatMap(set -> set.get(DatasetKeys.RESOLUTION).stream())
                .mapToInt(Integer::intValue).max().orElse(1024);
        decideSide(sample, SampleKeys.WIDTH, side);
        decideSide(sample, SampleKeys.HEIGHT, side);
        decideNegative(sample, SampleKeys.NEG);
        decideFormat();
        gatherPrompts();
        List<Section> items = sample.children(SampleKeys.ITEM);
        for (int i = 0; i < items.size(); i++) complete(items.get(i), i);
    }

    private void decideFormat() {
        if (sample.get(SampleKeys.FORMAT) != SampleFormat.WEBP) return;
        findings.note("B8", sample, SampleKeys.FORMAT, "samples are written as png: Java writes no WebP.");
        sample.set(SampleKeys.FORMAT, SampleFormat.PNG, new Origin.Derived("B8", "webp read as png"));
    }

    /// `prompts` become `samples`, before those that were written as such.
    private void gatherPrompts() {
        List<Section> items = sample.children(SampleKeys.ITEM);
        List<Kind.Placed.Value<String>> prompts = sample.find(SampleKeys.PROMPTS).orElse(List.of());
        boolean silent = sample.find(SampleKeys.PROMPTS).isEmpty() && items.isEmpty();
        if (silent && root.find(RootKeys.TRIGGER_WORD).isPresent()) {
            addStandardPrompts(items);
        } else if (sample.isWritten(SampleKeys.PROMPT_SET)) {
            findings.note("S2-57", sample, SampleKeys.PROMPT_SET, silent
                    ? "is not used: there is no trigger word to draw." : "is not used: there are other prompts.");
        }
        sample.drop(SampleKeys.PROMPT_SET);
        for (int i = 0; i < prompts.size(); i++) {
            Position at = prompts.get(i).at();
            items.add(i, item(i, prompts.get(i).value(), at, new Origin.Written(at.line(), at.column())));
        }
        sample.drop(SampleKeys.PROMPTS);
        // Said aloud in the resolved recipe, or reading it would bring the standard prompts back.
        if (items.isEmpty()) sample.set(SampleKeys.PROMPTS, List.of(), new Origin.Default("S2-55"));
    }

    private void addStandardPrompts(List<Section> items) {
        PromptSet set = sample.find(SampleKeys.PROMPT_SET).orElse(PromptSet.STANDARD);
        Origin origin = set == PromptSet.STANDARD ? new Origin.Derived("S2-55", "for the trigger word")
                : new Origin.Derived("S2-57", "prompt_set: " + set.spelling());
        for (String prompt : set.prompts()) items.add(item(items.size(), prompt, sample.at(), origin));
        List<String> tags = root.children(DatasetKeys.BLOCK).stream()
                .flatMap(dataset -> dataset.find(DatasetKeys.TAG).stream()).distinct().toList();
        for (String tag : tags) {
            items.add(item(items.size(), set.promptOf(tag), sample.at(),
                    new Origin.Derived("S2-58", "for a dataset's tag")));
        }
    }

    private static Section item(int index, String prompt, Position at, Origin origin) {
        Section item = new Section(SampleKeys.ITEM, "sample.prompts[" + index + "]", at);
        item.set(SampleKeys.PROMPT, prompt, origin);
        return item;
    }

    private void complete(Section item, int index) {
        InlineFlags.lift(item, findings);
        decidePrompt(item);
        if (item.find(SampleKeys.ITEM_NEG).isEmpty()) item.derive(SampleKeys.ITEM_NEG, sample.get(SampleKeys.NEG));
        decideNegative(item, SampleKeys.ITEM_NEG);
        decideSide(item, SampleKeys.ITEM_WIDTH, sample.get(SampleKeys.WIDTH));
        decideSide(item, SampleKeys.ITEM_HEIGHT, sample.get(SampleKeys.HEIGHT));
        if (item.find(SampleKeys.ITEM_SEED).isEmpty()) {
            long walked = sample.get(SampleKeys.SEED) + (sample.get(SampleKeys.WALK_SEED) ? index : 0);
            item.derive(SampleKeys.ITEM_SEED, walked & Kind.Seed.MOST);
        }
        inherit(item, SampleKeys.ITEM_GUIDANCE, SampleKeys.GUIDANCE_SCALE);
        inherit(item, SampleKeys.ITEM_STEPS, SampleKeys.SAMPLE_STEPS);
        inherit(item, SampleKeys.ITEM_MULTIPLIER, SampleKeys.MULTIPLIER);
        inherit(item, SampleKeys.ITEM_CFG_NORM, SampleKeys.CFG_NORM);
        decideControls(item);
    }

    private <T> void inherit(Section item, Key<T> own, Key<T> shared) {
        if (item.find(own).isEmpty()) item.derive(own, sample.get(shared));
    }

    private void decidePrompt(Section item) {
        Position at = item.position(SampleKeys.PROMPT);
        String path = item.path();
        String prompt = item.find(SampleKeys.PROMPT).orElse("");
        if (prompt.isEmpty() && (item.isMissing(SampleKeys.PROMPT) || item.find(SampleKeys.PROMPT).isPresent())) {
            findings.refuse(at, path, "a prompt is missing; a text.");
        }
        String whole = new PromptText(root, findings).whole(prompt, at, path);
        item.set(SampleKeys.PROMPT, whole, item.origin(SampleKeys.PROMPT).orElse(new Origin.Default("B8")));
    }

    private void decideSide(Section section, Key<Integer> key, int otherwise) {
        if (section.find(key).isEmpty()) {
            section.derive(key, otherwise);
            return;
        }
        int written = section.get(key);
        if (written % SIDE_UNIT == 0) return;
        int floored = written / SIDE_UNIT * SIDE_UNIT;
        findings.note("B8", section, key,
                "%d becomes %d, a multiple of %d.".formatted(written, floored, SIDE_UNIT));
        section.set(key, floored, section.origin(key).orElseThrow());
    }

    /// The dialect writes `neg: false` for none.
    private static void decideNegative(Section section, Key<String> key) {
        if (section.get(key).equalsIgnoreCase("false")) section.set(key, "", section.origin(key).orElseThrow());
    }

    private void decideControls(Section item) {
        List<Key<String>> numbered = List.of(SampleKeys.CONTROL_1, SampleKeys.CONTROL_2, SampleKeys.CONTROL_3);
        List<String> more = numbered.stream().flatMap(key -> item.find(key).stream()).toList();
        if (!more.isEmpty()) {
            Key<String> first = numbered.stream().filter(item::isWritten).findFirst().orElseThrow();
            List<String> all = Stream.concat(item.get(SampleKeys.CONTROLS).stream(), more.stream()).distinct().toList();
            if (all.size() > DatasetRecipe.MOST_CONTROLS) {
                findings.refuse(item, first,
                        "makes %d control pictures; at most %d.".formatted(all.size(), DatasetRecipe.MOST_CONTROLS));
            } else {
                item.set(SampleKeys.CONTROLS, all, item.origin(first).orElseThrow());
            }
        }
        numbered.forEach(item::drop);
    }
}
