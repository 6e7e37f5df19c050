package nocturne.recipe;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import nocturne.quant.WeightType;

/// Recipes drawn from the key tables: every key may be there, with any value its kind allows. A key added to a table
/// is drawn from then on.
final class RandomRecipes {
    private final Random random;

    RandomRecipes(long seed) {
        random = new Random(seed);
    }

    String yaml() {
        StringBuilder text = new StringBuilder();
        block(RootKeys.ROOT, "", text);
        return text.isEmpty() ? "{}\n" : text.toString();
    }

    private void block(Block block, String indent, StringBuilder text) {
        for (Key<?> key : block.keys()) {
            if (random.nextInt(3) == 0 || isNeeded(key)) {
                List<String> names = key.names();
                text.append(indent).append(names.get(random.nextInt(names.size()))).append(": ").append(printed(key))
                        .append('\n');
            }
        }
        for (Block inner : block.blocks()) {
            if (random.nextInt(4) == 0) continue;
            StringBuilder body = new StringBuilder();
            int items = inner.list() ? 1 + random.nextInt(3) : 1;
            for (int i = 0; i < items; i++) {
                StringBuilder item = new StringBuilder();
                block(inner, indent + (inner.list() ? "    " : "  "), item);
                if (item.isEmpty()) continue;
                if (inner.list()) item.replace(0, indent.length() + 4, indent + "  - ");
                body.append(item);
            }
            if (!body.isEmpty()) text.append(indent).append(inner.name()).append(":\n").append(body);
        }
    }

    private static boolean isNeeded(Key<?> key) {
        return key == DatasetKeys.FOLDER || key == SampleKeys.PROMPT || key == TrainKeys.IMAGE_PATH;
    }

    private <T> String printed(Key<T> key) {
        // Any other text is refused.
        if (key == RootKeys.I_KNOW) return pick("[]", "[S2-17]", "S1-62");
        return key.kind().print(value(key.kind()));
    }

    @SuppressWarnings("unchecked") // each kind makes values of its own type
    private <T> T value(Kind<T> kind) {
        Supplier<Object> value = switch (kind) {
            case Kind.Flag() -> random::nextBoolean;
            case Kind.Whole(int least, int most, int unit) -> () -> whole(least, most, unit);
            case Kind.Seed() -> () -> random.nextLong(Kind.Seed.MOST + 1);
            case Kind.Real(double least, double most, boolean open) -> () -> real(least, most, open);
            case Kind.Text text -> () -> text(text);
            case Kind.MemoryBytes() -> () -> 1 + random.nextLong(9_999_000_000_000L);
            case Kind.BundlePath() -> () -> pick("a", "dataset/40_maya", "x y/ü.png", ".", "deep/er/and/deeper",
                    "it's");
            case Kind.ModelPlace() -> () -> pick("Qwen/Qwen-Image", "/models/Qwen-Image-Edit-2511", "it's ü", "..");
            case Kind.Choice<?> choice -> () -> pick((Object[]) choice.type().getEnumConstants());
            case Kind.WeightFormatText() ->
                    () ->
                            new WeightFormat(pick(WeightType.values()),
                            pick(null, "ara/file.safetensors"));
            case Kind.ListOf<?> list -> () -> {
                int least = list.least();
                int most = list.most();
                int size = least + random.nextInt(Math.min(most, least + 3) - least + 1);
                return IntStream.range(0, size).<Object>mapToObj(_ -> value(list.item())).toList();
            };
            case Kind.Placed<?> placed -> () -> new Kind.Placed.Value<>(value(placed.item()), Position.START);
            case Kind.Notes() -> () -> {
                SequencedMap<String, String> entries = new LinkedHashMap<>();
                for (int i = random.nextInt(3); i > 0; i--) entries.put("key " + i, anyText(20));
                return new Metadata(entries);
            };
        };
        return (T) value.get();
    }

    private int whole(int least, int most, int unit) {
        long value = switch (random.nextInt(4)) {
            case 0 -> least;
            case 1 -> most;
            case 2 -> least + random.nextInt(Math.min(20, most - least) + 1);
            default -> random.nextLong(least, (long) most + 1);
        };
        return (int) Math.max(least, value / unit * unit);
    }

    private double real(double least, double most, boolean open) {
        return switch (random.nextInt(4)) {
            case 0 -> open ? Math.nextUp(least) : least;
            case 1 -> most;
            case 2 -> Math.min(most, least + 1e-4);
            default -> random.nextDouble(Math.nextUp(least), most);
        };
    }

    private String text(Kind.Text kind) {
        List<String> candidates =
                new ArrayList<>(List.of("ohwx", "txt", ".txt", "a [trigger] in [name]", "yes", "null", "1e-4",
                "#no comment", "- a", "it's \"quoted\"\\", "ü 漢 😀", "a: b",
                "a cat --w 640 --seed 3", anyText(30)));
        candidates.removeIf(text -> kind.parse(text).isEmpty());
        return kind.parse(pick(candidates.toArray(String[]::new))).orElseThrow();
    }

    /// Text of printable characters, likely those that mean something in YAML.
    String anyText(int most) {
        String signs = "abc XYZ 019 :#-[]{}\"'\\,&*!|>%@`?~=<.\n\tüß漢\uD83D\uDE00";
        int[] points = signs.codePoints().toArray();
        StringBuilder text = new StringBuilder("t");
        for (int i = random.nextInt(most); i > 0; i--) text.appendCodePoint(points[random.nextInt(points.length)]);
        return text.toString().strip();
    }

    @SafeVarargs
    final <T> T pick(T... choices) {
        return choices[random.nextInt(choices.length)];
    }
}
