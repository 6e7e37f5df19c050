package nocturne.train;

import java.util.ArrayList;
import java.util.List;
import nocturne.tensor.Philox;
import nocturne.tensor.Tensor;

/// The loss on pictures that are never trained on, at fixed noise levels with fixed noise: what tells learning from
/// memorising, and one checkpoint from another.
final class HeldOut {
    private final List<MicroBatch> batches = new ArrayList<>();
    private final float[] levels;

    /// @param sigmas noise levels in (0, 1]; every picture is measured at each
    HeldOut(List<Example> examples, List<Double> sigmas, long seed) {
        levels = new float[sigmas.size()];
        for (int i = 0; i < levels.length; i++) levels[i] = sigmas.get(i).floatValue();
        for (int picture = 0; picture < examples.size(); picture++) {
            for (int level = 0; level < sigmas.size(); level++) {
                Example example = examples.get(picture);
                batches.add(Batches.assemble(List.of(example), List.of(example.prompt()),
                        Philox.stream(seed, "held-out noise", picture, level),
                        new float[] {levels[level]}, new float[] {1}));
            }
        }
    }

    /// The mean loss under these adapter values.
    double loss(Learner learner, Tensor values) {
        learner.announce(levels);
        double sum = 0;
        for (MicroBatch batch : batches) sum += learner.evaluate(batch, values);
        return sum / batches.size();
    }
}
