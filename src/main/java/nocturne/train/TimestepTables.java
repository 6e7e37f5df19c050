package nocturne.train;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import nocturne.tensor.Philox;

/// The tables of scheduler timesteps, in (0, 1000] and falling, and of loss weights, from which samples are drawn.
///
/// Every table has [#SIZE] entries, index 0 the noisiest. The formulas are those of ai-toolkit's flow-match scheduler;
/// the shifted table is `FlowMatchSchedule.trainingTimesteps`.
final class TimestepTables {
    static final int SIZE = 1000;
    /// Words of a Philox stream that drawing one table may use.
    static final int POSITIONS = 1024;

    // The blend is three quarters log-normal with this spread, one quarter linear.
    private static final int LOGNORMAL_ENTRIES = 750;
    private static final double LOGNORMAL_SPREAD = 0.333;

    private TimestepTables() {}

    /// `1000 - i`.
    static float[] linear() {
        float[] table = new float[SIZE];
        for (int i = 0; i < SIZE; i++) table[i] = SIZE - i;
        return table;
    }

    /// `1000 (1 - sigmoid(n))` of 1000 normal numbers, sorted.
    static float[] sigmoid(Philox stream) {
        float[] table = new float[SIZE];
        stream.fillNormal(table, 0);
        for (int i = 0; i < SIZE; i++) table[i] = (float) (SIZE * (1 - 1 / (1 + StrictMath.exp(-table[i]))));
        return falling(table);
    }

    /// `1000 (1 - l / max l)` of 750 log-normal numbers `l = exp(0.333 n)`, together with 250 equally spaced values
    /// from 1000 to 1, sorted, and cut to whole numbers. The largest `l` makes one entry 0, as in the reference.
    static float[] lognormBlend(Philox stream) {
        float[] normal = new float[LOGNORMAL_ENTRIES];
        stream.fillNormal(normal, 0);
        double[] lognormal = new double[LOGNORMAL_ENTRIES];
        double largest = 0;
        for (int i = 0; i < LOGNORMAL_ENTRIES; i++) {
            lognormal[i] = StrictMath.exp(LOGNORMAL_SPREAD * normal[i]);
            largest = Math.max(largest, lognormal[i]);
        }
        float[] table = new float[SIZE];
        for (int i = 0; i < LOGNORMAL_ENTRIES; i++) table[i] = (int) (SIZE * (1 - lognormal[i] / largest));
        int equallySpaced = SIZE - LOGNORMAL_ENTRIES;
        for (int i = 0; i < equallySpaced; i++) {
            table[LOGNORMAL_ENTRIES + i] = (int) (SIZE - i * (SIZE - 1.0) / (equallySpaced - 1));
        }
        return falling(table);
    }

    /// Loss weights by index: `exp(-2 ((i - 500) / 1000)^2)` less its minimum, brought to a mean of 1.
    ///
    /// @param halfBell give the less noisy half the largest weight throughout
    static float[] bell(boolean halfBell) {
        double[] bell = new double[SIZE];
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < SIZE; i++) {
            double distance = (i - SIZE / 2) / (double) SIZE;
            bell[i] = StrictMath.exp(-2 * distance * distance);
            least = Math.min(least, bell[i]);
        }
        double sum = 0;
        for (double value : bell) sum += value - least;
        float[] weights = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            double value = halfBell && i >= SIZE / 2 ? bell[SIZE / 2] : bell[i];
            weights[i] = (float) ((value - least) * SIZE / sum);
        }
        return weights;
    }

    /// Loss weights by index of [TimestepType#WEIGHTED].
    static float[] empiricalWeights() {
        return Empirical.WEIGHTS.clone();
    }

    private static float[] falling(float[] table) {
        Arrays.sort(table);
        for (int low = 0, high = table.length - 1; low < high; low++, high--) {
            float swapped = table[low];
            table[low] = table[high];
            table[high] = swapped;
        }
        return table;
    }

    /// Read on first use only.
    private static final class Empirical {
        static final float[] WEIGHTS = read("weighted-timesteps.txt");

        private static float[] read(String resource) {
            try (InputStream bytes = TimestepTables.class.getResourceAsStream(resource)) {
                if (bytes == null) throw new IllegalStateException("the build lacks the resource " + resource);
                var lines = new BufferedReader(new InputStreamReader(bytes, StandardCharsets.US_ASCII)).lines();
                float[] weights = new float[SIZE];
                int count = 0;
                for (String line : lines.filter(text -> !text.startsWith("#")).toList()) {
                    weights[count++] = Float.parseFloat(line);
                }
                if (count != SIZE) throw new IllegalStateException(resource + " holds " + count + " weights");
                return weights;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
