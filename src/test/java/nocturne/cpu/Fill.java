package nocturne.cpu;

import java.util.Arrays;
import java.util.SplittableRandom;

/// Numbers to compute with, each kind telling something else.
enum Fill {
    /// All 1: sums count their terms, and nothing varies.
    ONES,
    /// A slow rise, over and over: a swapped row or column shows.
    RAMP,
    /// Standard normal.
    RANDOM;

    /// @param seed tells apart tensors of the same kind
    float[] numbers(int count, int seed) {
        float[] numbers = new float[count];
        switch (this) {
            case ONES -> Arrays.fill(numbers, 1);
            case RAMP -> {
                for (int i = 0; i < count; i++) numbers[i] = ((i + 11 * seed) % 97 - 48) / 32f;
            }
            case RANDOM -> {
                SplittableRandom random = new SplittableRandom(seed);
                for (int i = 0; i < count; i++) numbers[i] = (float) random.nextGaussian();
            }
        }
        return numbers;
    }

    static float[] nan(int count) {
        float[] numbers = new float[count];
        Arrays.fill(numbers, Float.NaN);
        return numbers;
    }
}
