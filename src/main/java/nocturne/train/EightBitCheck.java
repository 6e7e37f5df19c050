package nocturne.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import nocturne.qwen.QwenImageTransformer;
import nocturne.tensor.Backend;
import nocturne.tensor.EightBitProducts.Trial;
import nocturne.tensor.Weight;

/// Has a device that can multiply in 8 bits try it on the run's own pictures before the first step, and choose the
/// layers that are computed so.
///
/// The pictures are those of the first micro-batches, and the adapter is left out: a resumed run chooses what the
/// interrupted one chose.
final class EightBitCheck {
    /// How many micro-batches are tried, each with another picture and another noise level.
    static final int BATCHES = 2;
    /// Relative L2 error of a layer's result. Even activations make 0.01 in int8 and 0.03 in e4m3; eight channels of
    /// twenty times the others' size make 0.06 in int8.
    static final double NOTABLE = 0.06;
    static final double TOO_FAR = 0.10;
    private static final int NAMED = 8;

    private EightBitCheck() {}

    /// @param batches that the run begins with
    /// @return what the person should know; nothing where the device does not multiply in 8 bits
    static List<String> of(QwenImageTransformer base, Learner learner, List<MicroBatch> batches, Backend backend) {
        Map<String, Weight> layers = base.pictureWeights();
        return backend.eightBitProducts()
                .map(products -> products.choose(layers, TOO_FAR, () -> batches.forEach(learner::tryOut)))
                .map(trials -> notices(layers.size(), trials))
                .orElse(List.of());
    }

    /// @param layers how many there are, tried or not
    static List<String> notices(int layers, List<Trial> trials) {
        List<Trial> chosen = trials.stream().filter(Trial::chosen).toList();
        List<Trial> refused = trials.stream().filter(trial -> !trial.chosen()).toList();
        List<String> notices = new ArrayList<>();
        if (trials.isEmpty()) {
            notices.add("none of the %d layers of the picture is kept in codes that this device multiplies in 8 bits;"
                    .formatted(layers) + " they are computed as without.");
        }
        if (!chosen.isEmpty()) {
            notices.add(("%d of %d layers of the picture are multiplied in 8 bits: their results are off by up to"
                    + " %.3f forward and %.3f backward.").formatted(chosen.size(), layers,
                            chosen.stream().mapToDouble(Trial::forward).max().orElse(0),
                            chosen.stream().mapToDouble(Trial::backward).max().orElse(0)));
        }
        List<Trial> notable = chosen.stream().filter(trial -> trial.worst() > NOTABLE).toList();
        if (!notable.isEmpty()) {
            notices.add("in 8 bits, off by more than %.2f: %s.".formatted(NOTABLE, named(notable)));
        }
        if (!refused.isEmpty()) {
            notices.add("not in 8 bits, which would be off by more than %.2f: %s.".formatted(TOO_FAR, named(refused)));
        }
        return notices;
    }

    private static String named(List<Trial> trials) {
        String first = trials.stream().limit(NAMED)
                .map(trial -> "%s (%.3f forward, %.3f backward)"
                        .formatted(trial.layer(), trial.forward(), trial.backward()))
                .collect(Collectors.joining(", "));
        return trials.size() <= NAMED ? first : first + " and %d more".formatted(trials.size() - NAMED);
    }
}
