package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.SimulatedDevice.Order;
import nocturne.io.DType;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// Runs a program on the CPU backend and on the CUDA backend over the simulator, and compares what it leaves behind.
///
/// Both sides compute from the same numbers, which the storage type can hold. The CUDA side runs once in each order in
/// which threads can take turns; all must give the same bits. Inputs must be unchanged. Where there is a card
/// ([TestCard]) it runs on that as well, twice, with the same bits.
///
/// How far a result may be off follows from the number formats: `units * 2^-24 * max(1, |expected|)` for float32
/// arithmetic, and half a unit of bf16, `2^-8 |expected|`, more where the result is stored as bf16. `units` counts the
/// roundings of the longest way from an input to a result of magnitude 1 (a sum of n terms: about n), on both sides.
final class Twins {
    /// Half a unit in the last place of a number between 1 and 2.
    private static final double FLOAT_ROUNDING = 0x1p-24;
    /// Half a unit in the last place, relative to the smallest number that has such a last place.
    private static final double BF16_ROUNDING = 0x1p-8;

    /// A card contracts products and sums, and has fast exponentials of its own.
    private static final double CARD_SLACK = 4;

    private Twins() {}

    /// @param activations storage type on the CUDA side
    /// @param units       see above
    static void compare(DType activations, double units, Consumer<Side> program) {
        Map<String, float[]> expected = onCpu(activations, program);
        Map<String, float[]> first = null;
        for (Order order : Simulated.isWanted() ? Order.values() : new Order[0]) {
            Map<String, Side.Entry> entries = new LinkedHashMap<>();
            // Only the shuffled run uses several threads, so that a fault of the others is repeatable.
            Device device = new SimulatedDevice(KernelLibrary.ofTheProject(), order, order == Order.SHUFFLED ? 2 : 1);
            Map<String, float[]> ours = onCuda(activations, device, program, entries);
            if (first == null) {
                first = ours;
                compare(expected, ours, entries, units);
            }
            Map<String, float[]> before = first;
            ours.forEach((name, numbers) -> assertThat(numbers)
                    .as("%s, %s against %s", name, order, Order.ASCENDING)
                    .isEqualTo(before.get(name)));
        }
        if (TestCard.find().isPresent()) compareOnCard(activations, units, program, expected);
    }

    private static void compareOnCard(DType activations, double units, Consumer<Side> program,
            Map<String, float[]> expected) {
        Map<String, Side.Entry> entries = new LinkedHashMap<>();
        Map<String, float[]> ours = onCuda(activations, TestCard.lend(), program, entries);
        compare(expected, ours, entries, CARD_SLACK * units);
        onCuda(activations, TestCard.lend(), program, new LinkedHashMap<>()).forEach((name, numbers) ->
                assertThat(numbers).as("%s, the second time on the card", name).isEqualTo(ours.get(name)));
    }

    /// The same on one device, which is closed.
    static void compare(Device device, DType activations, double units, Consumer<Side> program) {
        Map<String, Side.Entry> entries = new LinkedHashMap<>();
        Map<String, float[]> ours = onCuda(activations, device, program, entries);
        compare(onCpu(activations, program), ours, entries, units);
    }

    private static Map<String, float[]> onCpu(DType activations, Consumer<Side> program) {
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Side side = new Side(backend, activations, (type, shape) -> arena.allocate(DType.F32, shape));
            program.accept(side);
            return numbersOf(side);
        }
    }

    private static Map<String, float[]> onCuda(DType activations, Device device, Consumer<Side> program,
            Map<String, Side.Entry> entries) {
        try (CudaBackend backend = new CudaBackend(device, activations)) {
            Side side = new Side(TwinList.ofThisRun().watched(backend), activations,
                    (type, shape) -> new Tensor(shape, type, device.allocate(type.bytes() * shape.elements())));
            program.accept(side);
            Map<String, float[]> numbers = numbersOf(side);
            entries.putAll(side.entries());
            side.entries().values().forEach(entry -> device.release(entry.tensor().data()));
            return numbers;
        }
    }

    private static Map<String, float[]> numbersOf(Side side) {
        Map<String, float[]> numbers = new LinkedHashMap<>();
        side.entries().forEach((name, entry) -> numbers.put(name, side.backend().toArray(entry.tensor())));
        return numbers;
    }

    private static void compare(Map<String, float[]> expected, Map<String, float[]> ours,
            Map<String, Side.Entry> entries, double units) {
        assertThat(ours.keySet()).as("tensors").isEqualTo(expected.keySet());
        entries.forEach((name, entry) -> {
            if (entry.mayChange()) {
                boolean narrow = entry.tensor().type() == DType.BF16;
                compare(name, expected.get(name), ours.get(name), units, narrow ? BF16_ROUNDING : 0);
            } else {
                assertThat(ours.get(name)).as("input " + name).isEqualTo(entry.before());
            }
        });
    }

    private static void compare(String name, float[] expected, float[] ours, double units, double rounding) {
        for (int i = 0; i < expected.length; i++) {
            double magnitude = Math.abs((double) expected[i]);
            double allowed = units * FLOAT_ROUNDING * Math.max(1, magnitude) + rounding * magnitude;
            // Written so that NaN or an infinity on one side only fails, and on both passes.
            boolean close = Float.isFinite(expected[i]) && Math.abs((double) ours[i] - expected[i]) <= allowed
                    || Float.compare(ours[i], expected[i]) == 0;
            if (!close) {
                throw new AssertionError("%s[%d]: expected %s within %.3g, was %s"
                        .formatted(name, i, expected[i], allowed, ours[i]));
            }
        }
    }
}
