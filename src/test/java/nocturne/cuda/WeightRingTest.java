package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import nocturne.cuda.PretendedDriver.Eager;
import nocturne.io.DType;
import nocturne.tensor.Philox;
import nocturne.tensor.Tensor;
import nocturne.tensor.WeightStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Weights that come and go: they are there when they were asked for, and whoever uses them later is found out.
class WeightRingTest {
    private static final int NUMBERS = 100;
    private static final int PARTS = 7;

    @AutoClose
    private final Arena host = Arena.ofConfined();

    /// Each part's numbers are its own number, in two tensors.
    private List<Tensor> load(WeightStream.Sequence walk, Device device, int part) {
        return walk.load(part, arena -> {
            List<Tensor> tensors = List.of(arena.allocate(DType.F32, NUMBERS), arena.allocate(DType.F32, 3));
            for (Tensor tensor : tensors) {
                MemorySegment numbers = host.allocate(4 * tensor.elements(), 4);
                for (int i = 0; i < tensor.elements(); i++) numbers.setAtIndex(ValueLayout.JAVA_FLOAT, i, part);
                device.copyIn(numbers, tensor.data());
            }
            return tensors;
        }, List::copyOf);
    }

    private float[] read(Device device, MemorySegment memory) {
        MemorySegment copy = host.allocate(memory.byteSize(), 4);
        device.copyOut(memory, copy);
        return copy.toArray(ValueLayout.JAVA_FLOAT);
    }

    private static float[] all(float value, int count) {
        float[] numbers = new float[count];
        Arrays.fill(numbers, value);
        return numbers;
    }

    @Test
    void aWeightIsThereFromWhenItIsAskedForUntilAnotherIs() {
        try (Device device = new SimulatedDevice()) {
            WeightStream.Sequence walk = new WeightRing(device, DType.F32, 2).newSequence();
            List<Tensor> first = load(walk, device, 0);
            List<Tensor> second = load(walk, device, 1);
            load(walk, device, 2);
            assertThatThrownBy(() -> first.getFirst().data()).isInstanceOf(IllegalStateException.class)
                    .hasMessage("Tensor[100] is not on the device; its block was not asked for");
            walk.need(0);
            assertThat(read(device, first.getFirst().data())).isEqualTo(all(0, NUMBERS));
            assertThatThrownBy(() -> second.getFirst().data()).isInstanceOf(IllegalStateException.class);
            walk.need(1);
            assertThat(read(device, second.getLast().data())).isEqualTo(all(1, 3));
            assertThatThrownBy(() -> first.getFirst().data()).isInstanceOf(IllegalStateException.class);
        }
    }

    /// Whoever kept the address finds nothing but NaN there, on a simulated device.
    @Test
    void useAfterEvictionIsCaught() {
        try (Device device = new SimulatedDevice()) {
            WeightStream.Sequence walk = new WeightRing(device, DType.F32, 2).newSequence();
            List<Tensor> first = load(walk, device, 0);
            for (int part = 1; part < 4; part++) load(walk, device, part);
            walk.need(0);
            MemorySegment kept = first.getFirst().data();
            assertThat(read(device, kept)).containsOnly(0);
            walk.need(1);
            assertThat(read(device, kept)).containsOnly(Float.NaN);
        }
    }

    /// Forward and backward over and over, on a pretended driver that copies and computes as early or as late as it
    /// may.
    @ParameterizedTest
    @EnumSource
    void everyPartIsWhatItWasWheneverTheCardCopies(Eager eager) {
        for (int slots = 2; slots <= 4; slots++) {
            PretendedDriver driver = new PretendedDriver(eager).withTotal(64 << 20);
            try (CudaDevice device = CudaDeviceTest.open(driver)) {
                walk(device, slots);
            }
            assertThat(driver.live()).isEmpty();
        }
    }

    private void walk(Device device, int slots) {
        WeightRing ring = new WeightRing(device, DType.F32, slots);
        WeightStream.Sequence walk = ring.newSequence();
        WeightStream.Sequence other = ring.newSequence();
        var parts = new TreeMap<Integer, List<Tensor>>();
        // Part 3 stays on the device: nobody loads it here.
        for (int part = 0; part < PARTS; part++) if (part != 3) parts.put(part, load(walk, device, part));
        var others = List.of(load(other, device, 0), load(other, device, 1), load(other, device, 2));
        List<Float> expected = new ArrayList<>();
        MemorySegment results = device.allocate(4 * 400);
        Arguments arguments = new Arguments();
        var chance = Philox.stream(3, "steps").asGenerator(0);
        for (int pass = 0; pass < 12; pass++) {
            List<Integer> order = new ArrayList<>();
            for (int part = 0; part < PARTS; part++) order.add(part);
            if (pass % 3 != 0) for (int part = PARTS - 1; part >= 0; part--) order.add(part);
            for (int part : order) {
                walk.need(part);
                if (!parts.containsKey(part) || expected.size() == 400) continue;
                Tensor weights = parts.get(part).getFirst();
                // Something for the card to be late with, then one number of the weights.
                device.launch("add", 1, 32, arguments.start().pointer(results).longInteger(0).number(1));
                device.copy(weights.data().asSlice(4L * chance.nextInt(NUMBERS), 4),
                        results.asSlice(4L * expected.size(), 4));
                expected.add((float) part);
            }
            for (int part = 0; part < 3 && pass % 4 == 0; part++) {
                other.need(part);
                if (expected.size() == 400) continue;
                device.copy(others.get(part).getLast().data().asSlice(8, 4),
                        results.asSlice(4L * expected.size(), 4));
                expected.add((float) part);
            }
        }
        assertThat(expected).hasSizeGreaterThan(100);
        float[] found = read(device, results.asSlice(0, 4L * expected.size()));
        for (int i = 0; i < found.length; i++) assertThat(found[i]).as("use %d", i).isEqualTo(expected.get(i));
    }

    /// On the way back the last parts of the way there are still in the ring, and one more copy is made for each other
    /// part, none in vain.
    @Test
    void theWayBackBeginsWithWhatIsThere() {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING).withTotal(64 << 20);
        try (CudaDevice device = CudaDeviceTest.open(driver)) {
            WeightStream.Sequence walk = new WeightRing(device, DType.F32, 3).newSequence();
            for (int part = 0; part < PARTS; part++) load(walk, device, part);
            long before = copies(driver);
            for (int part = 0; part < PARTS; part++) walk.need(part);
            assertThat(copies(driver) - before).isEqualTo(PARTS);
            for (int part = PARTS - 1; part >= 0; part--) walk.need(part);
            assertThat(copies(driver) - before).isEqualTo(PARTS + PARTS - 3);
        }
    }

    private static long copies(PretendedDriver driver) {
        return driver.calls().stream().filter("copyIn"::equals).count();
    }

    @Test
    void whatComesNextIsOnItsWayBeforeItIsAskedFor() {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING).withTotal(64 << 20);
        try (CudaDevice device = CudaDeviceTest.open(driver)) {
            WeightStream.Sequence walk = new WeightRing(device, DType.F32, 2).newSequence();
            for (int part = 1; part < PARTS; part += 2) load(walk, device, part);
            long before = copies(driver);
            // A part that stays is announced, too.
            walk.need(0);
            assertThat(copies(driver) - before).isEqualTo(2);
            walk.need(1);
            assertThat(copies(driver) - before).isEqualTo(2);
            walk.need(2);
            assertThat(copies(driver) - before).as("5, into the room of 1").isEqualTo(3);
        }
    }

    @Test
    void oneSlotIsTooFew() {
        try (Device device = new SimulatedDevice()) {
            assertThatThrownBy(() -> new WeightRing(device, DType.F32, 1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

}
