package nocturne.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Settings that the dialect allows inside a prompt's text: `a cat --w 512 --seed 7` is the prompt `a cat` with a width
/// and a seed of its own. A flag holds to the next one, and wins over the same key beside the prompt.
final class InlineFlags {
    private static final Pattern FLAG = Pattern.compile("(?:^|\\s)--([A-Za-z_0-9]+)(?=\\s|$)");
    private static final Map<String, Key<?>> KEYS = Map.ofEntries(
            Map.entry("n", SampleKeys.ITEM_NEG), Map.entry("w", SampleKeys.ITEM_WIDTH),
            Map.entry("h", SampleKeys.ITEM_HEIGHT), Map.entry("d", SampleKeys.ITEM_SEED),
            Map.entry("seed", SampleKeys.ITEM_SEED), Map.entry("l", SampleKeys.ITEM_GUIDANCE),
            Map.entry("cfg", SampleKeys.ITEM_GUIDANCE), Map.entry("s", SampleKeys.ITEM_STEPS),
            Map.entry("steps", SampleKeys.ITEM_STEPS), Map.entry("m", SampleKeys.ITEM_MULTIPLIER),
            Map.entry("ctrl_img", SampleKeys.CONTROLS), Map.entry("ctrl_img_1", SampleKeys.CONTROL_1),
            Map.entry("ctrl_img_2", SampleKeys.CONTROL_2), Map.entry("ctrl_img_3", SampleKeys.CONTROL_3));

    private record Flag(String name, int from, int valueFrom) {}

    private InlineFlags() {}

    /// Moves the flags of an item's prompt into their keys and leaves the rest as the prompt.
    static void lift(Section item, Findings findings) {
        String prompt = item.find(SampleKeys.PROMPT).orElse("");
        List<Flag> flags = new ArrayList<>();
        Matcher matcher = FLAG.matcher(prompt);
        while (matcher.find()) flags.add(new Flag(matcher.group(1), matcher.start(), matcher.end()));
        if (flags.isEmpty()) return;
        Origin origin = item.origin(SampleKeys.PROMPT).orElseThrow();
        for (int i = 0; i < flags.size(); i++) {
            Flag flag = flags.get(i);
            int end = i + 1 < flags.size() ? flags.get(i + 1).from() : prompt.length();
            Key<?> key = KEYS.get(flag.name());
            if (key == null) {
                findings.refuse(item.position(SampleKeys.PROMPT), item.path(),
                        "--%s inside the prompt is not known; write an item of samples with keys of its own."
                                .formatted(Shown.key(flag.name())));
            } else {
                set(item, key, prompt.substring(flag.valueFrom(), end).strip(), origin, findings);
            }
        }
        item.set(SampleKeys.PROMPT, prompt.substring(0, flags.getFirst().from()).strip(), origin);
    }

    static boolean areIn(String prompt) {
        return FLAG.matcher(prompt).find();
    }

    private static <T> void set(Section item, Key<T> key, String text, Origin origin, Findings findings) {
        Node value = new Node.Scalar(item.position(SampleKeys.PROMPT), text);
        key.kind().read(value, item.pathOf(key), key.advice(), findings).ifPresent(read -> item.set(key, read, origin));
    }
}
