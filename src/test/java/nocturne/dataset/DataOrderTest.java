package nocturne.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class DataOrderTest {
    /// @param group   what must not be mixed in a batch
    /// @param repeats visits per epoch
    private record Thing(int group, int repeats) {}

    @Property(tries = 300)
    void everyEpochShowsEachThingExactlyAsOftenAsItsRepeatsSay(
            @ForAll @Size(min = 1, max = 30) List<@IntRange(min = 1, max = 12) Integer> repeats,
            @ForAll @IntRange(min = 1, max = 9) int batchSize, @ForAll long seed) {
        List<Thing> things = things(repeats);
        DataOrder order = order(things, batchSize, seed);
        for (long epoch = 0; epoch < 3; epoch++) {
            int[] seen = new int[things.size()];
            for (List<Integer> batch : epoch(order, epoch)) for (int i : batch) seen[i]++;
            assertThat(seen).as("epoch %d", epoch).containsExactly(repeats.toArray(Integer[]::new));
        }
    }

    @Property(tries = 300)
    void batchesNeverMixGroupsAndOnlyTheLastOfAGroupIsShort(
            @ForAll @Size(min = 1, max = 30) List<@IntRange(min = 1, max = 12) Integer> repeats,
            @ForAll @IntRange(min = 1, max = 9) int batchSize, @ForAll long seed) {
        List<Thing> things = things(repeats);
        Set<Integer> groupsWithShortBatch = new HashSet<>();
        for (List<Integer> batch : epoch(order(things, batchSize, seed), 1)) {
            Set<Integer> groups = new HashSet<>();
            for (int i : batch) groups.add(things.get(i).group());
            assertThat(groups).hasSize(1);
            assertThat(batch).hasSizeBetween(1, batchSize);
            if (batch.size() == batchSize) continue;
            assertThat(groupsWithShortBatch.addAll(groups)).as("the first short one of its group").isTrue();
        }
    }

    /// Resuming at any micro-batch, in any order of asking, gives what an uninterrupted run saw.
    @Property(tries = 100)
    void aMicroBatchDependsOnNothingButItsNumber(
            @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 1, max = 5) Integer> repeats,
            @ForAll @IntRange(min = 1, max = 4) int batchSize, @ForAll long seed) {
        List<Thing> things = things(repeats);
        DataOrder whole = order(things, batchSize, seed);
        List<List<Integer>> expected = new ArrayList<>();
        for (long k = 0; k < 3L * whole.batchesPerEpoch(); k++) expected.add(whole.batch(k));
        SplittableRandom random = new SplittableRandom(seed);
        DataOrder asked = order(things, batchSize, seed);
        for (int i = 0; i < 20; i++) {
            int k = random.nextInt(expected.size());
            assertThat(asked.batch(k)).isEqualTo(expected.get(k));
            assertThat(order(things, batchSize, seed).batch(k)).isEqualTo(expected.get(k));
        }
    }

    @Example
    void seedsAndEpochsGiveDifferentOrders() {
        List<Thing> things = Collections.nCopies(50, new Thing(0, 1));
        Set<List<List<Integer>>> orders = new HashSet<>();
        for (long seed = -3; seed <= 3; seed++) {
            for (long epoch = 0; epoch < 7; epoch++) orders.add(epoch(order(things, 1, seed), epoch));
        }
        assertThat(orders).hasSize(49);
    }

    /// Each of 6 things comes first about as often as any other. 6000 epochs: mean 1000, standard deviation 29.
    @Example
    void theShuffleIsEven() {
        DataOrder order = order(Collections.nCopies(6, new Thing(0, 1)), 1, 42);
        int[] first = new int[6];
        for (long epoch = 0; epoch < 6000; epoch++) first[order.batch(epoch * 6).getFirst()]++;
        for (int count : first) assertThat(count).isBetween(850, 1150);
    }

    /// The order is part of the promise that a resumed run ends in the same bytes, across versions too.
    @Example
    void theOrderOfAKnownSeedStaysWhatItWas() {
        DataOrder order = order(Collections.nCopies(8, new Thing(0, 1)), 1, 42);
        List<Integer> firstEpoch = epoch(order, 0).stream().map(List::getFirst).toList();
        assertThat(firstEpoch).isEqualTo(List.of(0, 7, 1, 4, 5, 3, 2, 6));
    }

    private static List<Thing> things(List<Integer> repeats) {
        List<Thing> things = new ArrayList<>();
        for (int i = 0; i < repeats.size(); i++) things.add(new Thing(i * 7 % 3, repeats.get(i)));
        return things;
    }

    private static DataOrder order(List<Thing> things, int batchSize, long seed) {
        return new DataOrder(things, Thing::group, Thing::repeats, batchSize, seed);
    }

    private static List<List<Integer>> epoch(DataOrder order, long epoch) {
        List<List<Integer>> batches = new ArrayList<>();
        int count = order.batchesPerEpoch();
        for (int i = 0; i < count; i++) batches.add(order.batch(epoch * count + i));
        return batches;
    }
}
