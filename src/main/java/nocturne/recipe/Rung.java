package nocturne.recipe;

import java.util.List;
import nocturne.quant.WeightType;
import org.jspecify.annotations.Nullable;

/// A step of the ladder that a job goes down where a card's memory is short, in the order of what it costs. What costs
/// time alone is no rung: that is always done. Accumulation is none either: it takes no memory.
///
/// A rung changes the values that it is about and nothing else, so that the resolved recipe says all of it; one that
/// finds nothing to change does nothing.
public enum Rung {
    /// The pictures of a batch are computed one by one. As many of them have part in each update, though not the same
    /// ones: batches are of one size of picture, and drawn whole.
    SPLIT_BATCH("pictures one by one") {
        @Override
        void apply(Section root, Findings findings) {
            Section train = root.child(TrainKeys.BLOCK);
            int batch = train.get(TrainKeys.BATCH_SIZE);
            int together = batch * train.get(TrainKeys.ACCUMULATION);
            if (together > TrainKeys.MOST_ACCUMULATION) return;
            change(train, TrainKeys.BATCH_SIZE, 1, Severity.NOTICE, findings);
            change(train, TrainKeys.ACCUMULATION, together, Severity.NOTICE, findings);
        }
    },
    /// Samples are drawn smaller, which changes nothing of the adapter.
    SMALL_SAMPLES("smaller samples") {
        @Override
        void apply(Section root, Findings findings) {
            Section sample = root.child(SampleKeys.BLOCK);
            List<Section> items = sample.children(SampleKeys.ITEM);
            for (Section item : items) shrink(item, SampleKeys.ITEM_WIDTH, SampleKeys.ITEM_HEIGHT, findings);
            // A probe without samples has the size that they would have.
            if (items.isEmpty()) shrink(sample, SampleKeys.WIDTH, SampleKeys.HEIGHT, findings);
        }

        private void shrink(Section section, Key<Integer> width, Key<Integer> height, Findings findings) {
            double scale = PIXELS / Math.sqrt((double) section.get(width) * section.get(height));
            if (scale >= 1) return;
            change(section, width, shrunk(section.get(width), scale), Severity.NOTICE, findings);
            change(section, height, shrunk(section.get(height), scale), Severity.NOTICE, findings);
        }

        private int shrunk(int side, double scale) {
            int units = (int) (side * scale / SIDE_UNIT);
            return Math.max(1, units) * SIDE_UNIT;
        }
    },
    EIGHT_BITS("8 bits") {
        @Override
        void apply(Section root, Findings findings) {
            keepIn(WeightType.FLOAT8, null, root, findings);
        }
    },
    SIX_BITS("6 bits") {
        @Override
        void apply(Section root, Findings findings) {
            keepIn(WeightType.UINT6, null, root, findings);
        }
    },
    PIXELS_768("768 pixels") {
        @Override
        void apply(Section root, Findings findings) {
            for (Section dataset : root.children(DatasetKeys.BLOCK)) {
                List<Integer> sizes = dataset.get(DatasetKeys.RESOLUTION).stream()
                        .map(size -> Math.min(size, PIXELS)).distinct().toList();
                change(dataset, DatasetKeys.RESOLUTION, sizes, Severity.WARNING, findings);
            }
            Section validation = root.child(TrainKeys.BLOCK).child(TrainKeys.VALIDATION);
            validation.find(TrainKeys.VALIDATION_RESOLUTION).ifPresent(size -> change(validation,
                    TrainKeys.VALIDATION_RESOLUTION, Math.min(size, PIXELS), Severity.NOTICE, findings));
        }
    },
    RECOVERED_FOUR_BITS("4 bits with a recovery adapter") {
        @Override
        void apply(Section root, Findings findings) {
            keepRecovered(WeightType.UINT4, root, findings);
        }
    },
    HALF_RANK("half the rank") {
        @Override
        void apply(Section root, Findings findings) {
            halveRank(root, findings);
        }
    },
    /// After [#HALF_RANK]: a quarter of what was asked for.
    HALF_RANK_AGAIN("a quarter of the rank") {
        @Override
        void apply(Section root, Findings findings) {
            halveRank(root, findings);
        }
    },
    RECOVERED_THREE_BITS("3 bits with a recovery adapter") {
        @Override
        void apply(Section root, Findings findings) {
            keepRecovered(WeightType.UINT3, root, findings);
        }
    };

    /// The row of the ledger behind all of them.
    public static final String ID = "X-06";

    private static final int PIXELS = 768;
    private static final int SIDE_UNIT = 32;
    /// Less rank than this says too little.
    private static final int LEAST_RANK = 8;
    private static final int BITS_16 = 16;

    private final String words;

    Rung(String words) {
        this.words = words;
    }

    /// For people: what is given up.
    @Override
    public String toString() {
        return words;
    }

    abstract void apply(Section root, Findings findings);

    private static void halveRank(Section root, Findings findings) {
        Section network = root.child(NetworkKeys.BLOCK);
        int rank = network.get(NetworkKeys.RANK);
        // An adapter to go on from has the rank that it has.
        if (rank / 2 < LEAST_RANK || network.find(NetworkKeys.START_FROM).isPresent()) return;
        int half = rank / 2;
        change(network, NetworkKeys.RANK, half, Severity.WARNING, findings);
        double strength = network.get(NetworkKeys.ALPHA) / rank;
        change(network, NetworkKeys.ALPHA, strength * half, Severity.NOTICE, findings);
    }

    /// With the recovery adapter for the model, called as ai-toolkit's published ones are.
    private static void keepRecovered(WeightType type, Section root, Findings findings) {
        Section model = root.child(ModelKeys.BLOCK);
        if (!ModelRecipe.isReleased(model.get(ModelKeys.NAME_OR_PATH))) return;
        String family = switch (model.get(ModelKeys.ARCH)) {
            case QWEN_IMAGE -> "qwen_image";
            case QWEN_IMAGE_2512 -> "qwen_image_2512";
            case QWEN_IMAGE_EDIT -> "qwen_image_edit";
            case QWEN_IMAGE_EDIT_2509 -> "qwen_image_edit_2509";
            case QWEN_IMAGE_EDIT_2511 -> "qwen_image_edit_2511";
        };
        keepIn(type, "ostris/accuracy_recovery_adapters/%s_torchao_%s.safetensors".formatted(
                family, type.spelling()), root, findings);
    }

    private static void keepIn(WeightType type, @Nullable String recovery, Section root,
            Findings findings) {
        Section model = root.child(ModelKeys.BLOCK);
        WeightFormat now = model.get(ModelKeys.QTYPE);
        boolean kept = model.get(ModelKeys.QUANTIZE) && now.type().isApplied();
        // An adapter of the person's own belongs to the format it was made for.
        boolean isOwn = now.recovery() != null && !isPlanned(model, ModelKeys.QTYPE);
        if (kept && isOwn || type.bits() >= (kept ? now.type().bits() : BITS_16)) return;
        change(model, ModelKeys.QTYPE, new WeightFormat(type, recovery),
                type.bits() >= Byte.SIZE ? Severity.NOTICE : Severity.WARNING, findings);
        change(model, ModelKeys.QUANTIZE, true, Severity.NOTICE, findings);
    }

    private static <T> void change(Section section, Key<T> key, T value, Severity severity, Findings findings) {
        T before = section.get(key);
        if (before.equals(value)) return;
        String text = key.kind().print(before);
        findings.note(ID, severity, section.formerPosition(key), section.pathOf(key),
                "%s gives way to %s: the card's memory is short.".formatted(text, key.kind().print(value)));
        // What was asked for, and not what an earlier rung made of it.
        Origin origin = section.origin(key).orElseThrow();
        String asked = origin instanceof Origin.Planner(String former, var _) ? former : text;
        section.set(key, value, new Origin.Planner(asked, ID));
    }

    private static boolean isPlanned(Section section, Key<?> key) {
        return section.origin(key).filter(Origin.Planner.class::isInstance).isPresent();
    }
}
