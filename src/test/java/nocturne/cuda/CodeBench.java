package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import nocturne.cuda.SimulatedDevice.Order;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;

/// A simulated device with 8-bit codes on it, for work that is done once in each order of threads and must leave the
/// same bits each time.
///
/// Each tensor ends where memory begins that cannot be touched.
final class CodeBench {
    private final Device device;
    private final List<Tensor> tensors = new ArrayList<>();
    private final Map<String, Tensor> results = new LinkedHashMap<>();

    private CodeBench(Order order) {
        device = Simulated.device(order, 1);
    }

    /// @return what the work has left in the tensors it got from [#result], by name
    static Map<String, MemorySegment> inEveryOrder(Consumer<CodeBench> work) {
        Map<String, MemorySegment> first = run(Order.ASCENDING, work);
        for (Order order : Order.values()) {
            run(order, work).forEach((name, memory) ->
                    assertThat(memory.mismatch(first.get(name))).as("%s, %s", name, order).isEqualTo(-1));
        }
        return first;
    }

    private static Map<String, MemorySegment> run(Order order, Consumer<CodeBench> work) {
        CodeBench bench = new CodeBench(order);
        work.accept(bench);
        Map<String, MemorySegment> left = new LinkedHashMap<>();
        bench.results.forEach((name, tensor) -> left.put(name, bench.copyOf(tensor)));
        bench.tensors.forEach(tensor -> bench.device.release(tensor.data()));
        bench.device.close();
        return left;
    }

    private MemorySegment copyOf(Tensor tensor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(tensor.data().byteSize(), Long.BYTES);
            device.copyOut(tensor.data(), host);
            return MemorySegment.ofArray(host.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    CudaCodeProducts products() {
        return new CudaCodeProducts(device);
    }

    Tensor given(DType type, float[] numbers, int... dims) {
        Tensor tensor = tensor(type, dims);
        try (HostCopies copies = new HostCopies(device)) {
            copies.write(MemorySegment.ofArray(numbers), tensor);
        }
        return tensor;
    }

    Tensor codes(DType type, byte[] codes, int... dims) {
        Tensor tensor = tensor(type, dims);
        device.copyIn(MemorySegment.ofArray(codes), tensor.data());
        return tensor;
    }

    /// A tensor whose content is kept; full of NaN before.
    Tensor result(String name, DType type, int... dims) {
        return kept(name, tensor(type, dims));
    }

    /// Keeps a tensor's content under a name.
    Tensor kept(String name, Tensor tensor) {
        results.put(name, tensor);
        return tensor;
    }

    private Tensor tensor(DType type, int... dims) {
        Shape shape = Shape.of(dims);
        Tensor tensor = new Tensor(shape, type, device.allocate(type.bytes() * shape.elements()));
        tensors.add(tensor);
        return tensor;
    }

    static byte[] bytes(MemorySegment memory) {
        return memory.toArray(ValueLayout.JAVA_BYTE);
    }

    static float[] floats(MemorySegment memory) {
        return memory.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    static float[] bf16(MemorySegment memory) {
        short[] bits = memory.toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
        float[] numbers = new float[bits.length];
        for (int i = 0; i < bits.length; i++) numbers[i] = HalfPrecision.fromBf16(bits[i]);
        return numbers;
    }

    /// What a code stands for.
    static float number(DType type, byte code) {
        return type == DType.I8 ? code : HalfPrecision.fromE4m3(code);
    }
}
