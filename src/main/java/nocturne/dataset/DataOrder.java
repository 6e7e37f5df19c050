package nocturne.dataset;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// Which samples each micro-batch trains on: a pure function of the seed and the micro-batch's number.
///
/// An epoch shows every sample exactly as often as its repeats say. Within an epoch the visits of each group (samples
/// of one size, whose tensors can be stacked) are shuffled and cut into batches, then all batches are shuffled. The
/// last batch of a group is shorter where the batch size does not divide the group's visits; dropping it would break
/// the promise about repeats, filling it up would show some pictures more often.
///
/// There is no state to save: to resume at micro-batch k, ask for micro-batch k. The epoch last asked for is
/// remembered, because the next question is nearly always about the same one. Safe for use by several threads.
public final class DataOrder {
    private final List<int[]> groups;
    private final int batchSize;
    private final long seed;
    private final int batches;
    private volatile Epoch latest;

    /// Groups samples by bucket and by the sizes of their control pictures.
    ///
    /// @param samples   at least one; results are positions in this list
    /// @param batchSize largest number of samples in one micro-batch
    public DataOrder(List<Sample> samples, int batchSize, long seed) {
        this(samples, DataOrder::shape, Sample::repeats, batchSize, seed);
    }

    /// Groups things by a key of the caller's.
    ///
    /// @param group   things with unequal keys never share a batch
    /// @param repeats visits per epoch, at least 1
    public <T> DataOrder(
            List<T> things, Function<T, ?> group, Function<T, Integer> repeats, int batchSize, long seed) {
        if (things.isEmpty()) throw new IllegalArgumentException("nothing to put in order");
        if (batchSize < 1) throw new IllegalArgumentException("batchSize " + batchSize);
        Map<Object, List<Integer>> visits = new LinkedHashMap<>();
        for (int i = 0; i < things.size(); i++) {
            int times = repeats.apply(things.get(i));
            if (times < 1) throw new IllegalArgumentException("repeats " + times);
            List<Integer> members = visits.computeIfAbsent(group.apply(things.get(i)), key -> new ArrayList<>());
            for (int time = 0; time < times; time++) members.add(i);
        }
        this.groups = visits.values().stream()
                .map(members -> members.stream().mapToInt(Integer::intValue).toArray())
                .toList();
        this.batchSize = batchSize;
        this.seed = seed;
        this.batches = groups.stream().mapToInt(members -> Math.ceilDiv(members.length, batchSize)).sum();
        this.latest = shuffle(0);
    }

    /// Micro-batches in one epoch; the same for every epoch.
    public int batchesPerEpoch() {
        return batches;
    }

    /// Positions of the samples in a micro-batch, all of one group; 1 to `batchSize` of them.
    ///
    /// @param microBatch counted from 0 over the whole run, accumulation included
    public List<Integer> batch(long microBatch) {
        if (microBatch < 0) throw new IllegalArgumentException("micro-batch " + microBatch);
        long number = microBatch / batches;
        Epoch epoch = latest;
        if (epoch.number() != number) latest = epoch = shuffle(number);
        return epoch.batches().get((int) (microBatch % batches));
    }

    private record Epoch(long number, List<List<Integer>> batches) {}

    private record Shape(int width, int height, List<List<Integer>> controls) {}

    private static Shape shape(Sample sample) {
        return new Shape(sample.width(), sample.height(), sample.controls().stream()
                .map(control -> List.of(control.width(), control.height()))
                .toList());
    }

    private Epoch shuffle(long number) {
        // Streams 1, 2, ... shuffle the groups, stream 0 the batches.
        List<List<Integer>> result = new ArrayList<>(batches);
        for (int g = 0; g < groups.size(); g++) {
            int[] visits = groups.get(g).clone();
            Draws draws = new Draws(seed, number, g + 1);
            for (int i = visits.length - 1; i > 0; i--) {
                int j = draws.below(i + 1);
                int other = visits[j];
                visits[j] = visits[i];
                visits[i] = other;
            }
            for (int from = 0; from < visits.length; from += batchSize) {
                int to = Math.min(visits.length, from + batchSize);
                result.add(Arrays.stream(visits, from, to).boxed().toList());
            }
        }
        Draws draws = new Draws(seed, number, 0);
        for (int i = result.size() - 1; i > 0; i--) {
            List<Integer> other = result.set(draws.below(i + 1), result.get(i));
            result.set(i, other);
        }
        return new Epoch(number, List.copyOf(result));
    }

    /// A stream of random whole numbers that depends on three keys only: SplitMix64, whose state is a plain counter.
    ///
    /// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, figure 17 with the
    /// mixing constants of Stafford's variant 13.
    private static final class Draws {
        private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

        private long counter;

        Draws(long seed, long epoch, long stream) {
            // Mixing after each key keeps (seed, epoch + 1) from being (seed + 1, epoch).
            counter = mix(mix(mix(seed) + epoch * GOLDEN_GAMMA) + stream * GOLDEN_GAMMA);
        }

        /// Uniform in `[0, bound)`, without the small bias of a plain remainder.
        int below(int bound) {
            long limit = Long.MAX_VALUE - Long.MAX_VALUE % bound;
            while (true) {
                counter += GOLDEN_GAMMA;
                long bits = mix(counter) >>> 1;
                if (bits < limit) return (int) (bits % bound);
            }
        }

        private static long mix(long z) {
            z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
            z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
            return z ^ z >>> 31;
        }
    }
}
