package nocturne.adapter;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import nocturne.adapter.AdapterKey.Part;
import nocturne.adapter.AdapterModule.Factor;
import nocturne.adapter.AdapterModule.Kronecker;
import nocturne.adapter.AdapterModule.LowRank;
import nocturne.adapter.AdapterModule.Product;
import nocturne.adapter.AdapterModule.Whole;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Puts the tensors of one adapter file together, module by module, and notes everything that does not fit.
final class AdapterReader {
    private static final int MAX_PROBLEMS = 50;

    /// Thrown inside this class to leave a module whose problem has been noted.
    private static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String what) {
            super(what, null, false, false);
        }
    }

    private final TensorSource tensors;
    private final Map<String, LinearShape> legal;
    private final List<Problem> problems = new ArrayList<>();
    private final Map<String, Map<Part, String>> keys = new LinkedHashMap<>();
    private final Set<String> peftModules = new TreeSet<>();
    private final Set<String> notices = new TreeSet<>();
    private @Nullable PeftSettings settings;

    AdapterReader(TensorSource tensors, Map<String, LinearShape> legal) {
        this.tensors = tensors;
        this.legal = legal;
    }

    /// What is made of the tensors of one layer.
    private interface Maker<M> {
        M make(String module, LinearShape shape, Map<Part, String> parts) throws Unfit;
    }

    AdapterWeights read() {
        readSettings();
        SequencedMap<String, AdapterModule> modules = modules(this::module);
        return new AdapterWeights(modules, tensors.metadata(), List.copyOf(notices));
    }

    /// Of each layer, empty for a LoKr; without a look at values.
    SequencedMap<String, OptionalInt> ranks() {
        return modules((module, shape, parts) ->
                isLora(parts) ? OptionalInt.of(rank(shape, parts)) : OptionalInt.empty());
    }

    private <M> SequencedMap<String, M> modules(Maker<M> maker) {
        sortKeys();
        SequencedMap<String, M> modules = new LinkedHashMap<>();
        // The model's order, not the file's, so that every dialect gives the same adapter.
        for (Map.Entry<String, LinearShape> target : legal.entrySet()) {
            Map<Part, String> parts = keys.get(target.getKey());
            if (parts == null) continue;
            try {
                modules.put(target.getKey(), maker.make(target.getKey(), target.getValue(), parts));
            } catch (Unfit unfit) {
                note(target.getKey(), Objects.requireNonNull(unfit.getMessage()));
            }
        }
        if (modules.isEmpty() && problems.isEmpty()) note("", "the file holds no adapter tensors");
        throwIfAny(modules.size());
        return modules;
    }

    private void readSettings() {
        try {
            settings = PeftSettings.of(tensors.metadata()).orElse(null);
        } catch (PeftSettings.Unusable e) {
            note("metadata " + PeftSettings.HEADER_KEY, Objects.requireNonNull(e.getMessage()));
        }
    }

    private void sortKeys() {
        AdapterKey.Grammar grammar = new AdapterKey.Grammar(legal);
        for (String name : tensors.tensors().keySet()) {
            AdapterKey.Reading reading = grammar.read(name);
            AdapterKey key = reading.key();
            if (key == null) {
                note(name, reading.reason());
                continue;
            }
            if (reading.peft()) peftModules.add(key.module());
            Map<Part, String> parts = keys.computeIfAbsent(key.module(), module -> new EnumMap<>(Part.class));
            String other = parts.putIfAbsent(key.part(), name);
            if (other != null) note(name, "says the same as %s; one of them must go".formatted(shown(other)));
        }
    }

    private AdapterModule module(String module, LinearShape shape, Map<Part, String> parts) throws Unfit {
        return isLora(parts) ? lowRank(module, shape, parts) : kronecker(module, shape, parts);
    }

    /// @return false for a LoKr
    private static boolean isLora(Map<Part, String> parts) throws Unfit {
        boolean lora = parts.containsKey(Part.DOWN) || parts.containsKey(Part.UP);
        boolean lokr = parts.keySet().stream().anyMatch(part -> part.compareTo(Part.W1) >= 0);
        if (lora && lokr) throw new Unfit("has both LoRA and LoKr tensors");
        if (!lora && !lokr) throw new Unfit("has an alpha but no weights");
        return lora;
    }

    private int rank(LinearShape shape, Map<Part, String> parts) throws Unfit {
        String down = required(parts, Part.DOWN, "lora_A (down)");
        String up = required(parts, Part.UP, "lora_B (up)");
        int rank = matrix(down)[0];
        requireShape(down, rank, shape.in());
        requireShape(up, shape.out(), rank);
        return rank;
    }

    private LowRank lowRank(String module, LinearShape shape, Map<Part, String> parts) throws Unfit {
        int rank = rank(shape, parts);
        float[] down = values(required(parts, Part.DOWN, "lora_A (down)"));
        float[] up = values(required(parts, Part.UP, "lora_B (up)"));
        return new LowRank(module, rank, shape.in(), shape.out(), down, up, loraScale(module, parts, rank));
    }

    private float loraScale(String module, Map<Part, String> parts, int rank) throws Unfit {
        boolean peft = peftModules.contains(module);
        if (parts.containsKey(Part.ALPHA)) {
            float alpha = alpha(parts);
            if (peft && alpha != rank) {
                notices.add("lora_A/lora_B tensors come with an alpha: it is honoured, as ComfyUI does; "
                        + "diffusers ignores it and applies the adapter at another strength");
            }
            return alpha / rank;
        }
        if (!peft) {
            notices.add("some lora_down/lora_up tensors have no alpha: their scale is taken as 1; "
                    + "diffusers refuses such files");
            return 1;
        }
        if (settings == null) return 1;
        if (settings.rankOf(module) != rank) {
            throw new Unfit("has rank %d, the file's metadata says %d".formatted(rank, settings.rankOf(module)));
        }
        double scale = settings.scaleOf(module);
        if (!Double.isFinite(scale)) throw new Unfit("has the scale " + scale);
        return (float) scale;
    }

    private Kronecker kronecker(String module, LinearShape shape, Map<Part, String> parts) throws Unfit {
        Factor first = factor(parts, "lokr_w1", Part.W1, Part.W1_A, Part.W1_B);
        Factor second = factor(parts, "lokr_w2", Part.W2, Part.W2_A, Part.W2_B);
        if ((long) first.rows() * second.rows() != shape.out()
                || (long) first.columns() * second.columns() != shape.in()) {
            throw new Unfit("has the factors [%d, %d] and [%d, %d], whose product does not fit the layer's %s"
                    .formatted(first.rows(), first.columns(), second.rows(), second.columns(), shape));
        }
        return new Kronecker(module, first, second, lokrScale(first, second, parts));
    }

    private Factor factor(Map<Part, String> parts, String name, Part whole, Part left, Part right) throws Unfit {
        boolean split = parts.containsKey(left) || parts.containsKey(right);
        if (parts.containsKey(whole)) {
            if (split) throw new Unfit("has " + name + " both whole and split");
            String key = required(parts, whole, name);
            int[] size = matrix(key);
            return new Whole(size[0], size[1], values(key));
        }
        String a = required(parts, left, split ? name + "_a" : name);
        String b = required(parts, right, name + "_b");
        int rank = matrix(a)[1];
        requireShape(b, rank, matrix(b)[1]);
        return new Product(matrix(a)[0], rank, matrix(b)[1], values(a), values(b));
    }

    private float lokrScale(Factor first, Factor second, Map<Part, String> parts) throws Unfit {
        // With both factors whole, alpha is the trainer's sentinel for "full rank" (9999999999, infinite in fp16).
        if (first instanceof Whole && second instanceof Whole) return 1;
        if (!parts.containsKey(Part.ALPHA)) return 1;
        // Where both are split, LyCORIS and ComfyUI take the second one's rank.
        int rank = second instanceof Product p ? p.rank() : ((Product) first).rank();
        return alpha(parts) / rank;
    }

    private float alpha(Map<Part, String> parts) throws Unfit {
        String key = required(parts, Part.ALPHA, "alpha");
        if (tensors.entry(key).elements() != 1) throw new Unfit("has an alpha that is not one number");
        float alpha = tensors.floats(key)[0];
        if (!Float.isFinite(alpha)) throw new Unfit("has the alpha " + alpha);
        return alpha;
    }

    private static String required(Map<Part, String> parts, Part part, String name) throws Unfit {
        String key = parts.get(part);
        if (key == null) throw new Unfit("lacks its " + name + " tensor");
        return key;
    }

    private int[] matrix(String key) throws Unfit {
        List<Long> shape = tensors.entry(key).shape();
        boolean fits = shape.size() == 2 && shape.stream().allMatch(size -> size > 0 && size <= Integer.MAX_VALUE);
        if (!fits) throw new Unfit("has %s with the shape %s, not that of a matrix".formatted(shown(key), shape));
        return new int[] {shape.get(0).intValue(), shape.get(1).intValue()};
    }

    private void requireShape(String key, int rows, int columns) throws Unfit {
        int[] shape = matrix(key);
        if (shape[0] != rows || shape[1] != columns) {
            throw new Unfit("has %s with the shape [%d, %d] where [%d, %d] is needed".formatted(
                    shown(key), shape[0], shape[1], rows, columns));
        }
    }

    private float[] values(String key) throws Unfit {
        TensorEntry entry = tensors.entry(key);
        boolean floating = switch (entry.dtype()) {
            case F64, F32, F16, BF16, F8_E4M3, F8_E5M2 -> true;
            case I64, I32, I16, I8, U8, BOOL -> false;
        };
        if (!floating) throw new Unfit("has %s stored as %s".formatted(shown(key), entry.dtype()));
        float[] values = tensors.floats(key);
        for (float value : values) {
            if (!Float.isFinite(value)) throw new Unfit("has %s with the value %s".formatted(shown(key), value));
        }
        return values;
    }

    private void note(String where, String what) {
        problems.add(new Problem(AdapterFile.INVALID, shown(where), what));
    }

    private void throwIfAny(int understood) {
        if (problems.isEmpty()) return;
        String foreign = understood == 0 ? " It seems to be made for another model." : "";
        String headline = "%s is not an adapter for this model; %d problem%s.%s".formatted(
                tensors.where(), problems.size(), problems.size() == 1 ? "" : "s", foreign);
        List<Problem> told = new ArrayList<>(problems.subList(0, Math.min(problems.size(), MAX_PROBLEMS)));
        int more = problems.size() - told.size();
        if (more > 0) {
            told.add(new Problem(AdapterFile.INVALID, "", "and %d more like these".formatted(more)));
        }
        throw new UserMistake(headline, told);
    }

    /// A key from a file, fit for a message.
    private static String shown(String key) {
        String cut = key.length() <= 160 ? key : key.substring(0, 157) + "...";
        return cut.replaceAll("\\p{Cntrl}", "?");
    }
}
