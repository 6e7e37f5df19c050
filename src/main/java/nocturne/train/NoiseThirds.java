package nocturne.train;

import java.util.Arrays;
import nocturne.event.Event.LossByNoise;

/// The losses of a step's micro-batches by how noisy they were: much noise leaves the composition to learn, a middling
/// one the features, little the texture (S1-28).
///
/// A micro-batch of several pictures has one loss; it counts only where all its levels lie in the same third.
final class NoiseThirds {
    private static final int COUNT = 3;

    private final double[] sums = new double[COUNT];
    private final int[] counted = new int[COUNT];

    void clear() {
        Arrays.fill(sums, 0);
        Arrays.fill(counted, 0);
    }

    /// @param levels noise level of each picture in 0..1
    /// @param loss   of all of them together
    void add(float[] levels, double loss) {
        int third = third(levels[0]);
        for (float level : levels) if (third(level) != third) return;
        sums[third] += loss;
        counted[third]++;
    }

    private static int third(float level) {
        return Math.clamp((int) (level * COUNT), 0, COUNT - 1);
    }

    /// The means; NaN where no micro-batch was.
    LossByNoise means() {
        return new LossByNoise(sums[2] / counted[2], sums[1] / counted[1], sums[0] / counted[0]);
    }
}
