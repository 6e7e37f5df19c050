package nocturne.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import nocturne.io.DType;
import nocturne.quant.WeightType;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Attention;
import nocturne.tensor.Backend;
import nocturne.tensor.Philox;
import nocturne.tensor.Shape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;

/// Times the operations that a step spends most of its time in, at the shapes of the pictures' stream.
public final class OperationBench {
    private static final int WARMUP = 2;
    private static final float DEVIATION = 0.02f;

    /// @param milliseconds of one call, the mean of several in a row
    /// @param flops        that the call cannot do without
    public record Time(String operation, double milliseconds, double flops) {}

    private final Bench.Settings settings;
    private final Backend backend;
    private final List<Time> times = new ArrayList<>();

    private OperationBench(Bench.Settings settings, Backend backend) {
        this.settings = settings;
        this.backend = backend;
    }

    /// As many calls of each operation as the settings have steps.
    public static List<Time> run(Bench.Settings settings, Backend backend) {
        OperationBench bench = new OperationBench(settings, backend);
        int width = settings.size().config().width();
        int hidden = settings.size().config().mlpWidth();
        bench.linear(width, width);
        bench.linear(width, hidden);
        bench.linear(hidden, width);
        bench.attention();
        return bench.times;
    }

    private void linear(int in, int out) {
        int rows = settings.size().grid().tokens();
        double flops = 2.0 * rows * in * out;
        try (TensorArena arena = backend.newArena()) {
            Tensor x = random(arena, rows, in);
            Tensor y = random(arena, rows, out);
            Weight weight = weight(arena, in, out);
            Tensor bias = random(arena, out);
            // In 8 bits, where the backend was asked for that, however far off.
            backend.eightBitProducts().ifPresent(products -> products.choose(Map.of("layer", weight), 1, () -> {
                backend.products().linear(x, weight, bias, y);
                backend.products().linearBackward(y, weight, 0, x);
            }));
            String name = "linear %d x %d to %d".formatted(rows, in, out);
            time(name + " forward", flops, y, () -> backend.products().linear(x, weight, bias, y));
            time(name + " backward", flops, x, () -> backend.products().linearBackward(y, weight, 0, x));
        }
    }

    private Weight weight(TensorArena arena, int in, int out) {
        WeightType format = settings.format();
        Tensor numbers = random(arena, out, in);
        return format == null || !format.fits(in) ? numbers : backend.keep(numbers, format, arena);
    }

    private void attention() {
        TransformerConfig config = settings.size().config();
        int rows = settings.size().grid().tokens() + settings.size().textRows();
        double flops = 4.0 * rows * rows * config.width();
        Attention.Layout layout = Attention.Layout.uniform(1, rows, config.heads());
        try (TensorArena arena = backend.newArena()) {
            Tensor q = random(arena, rows, config.width());
            Tensor k = random(arena, rows, config.width());
            Tensor v = random(arena, rows, config.width());
            Tensor o = arena.allocate(rows, config.width());
            Tensor dO = random(arena, rows, config.width());
            Tensor dq = arena.allocate(rows, config.width());
            Tensor dk = arena.allocate(rows, config.width());
            Tensor dv = arena.allocate(rows, config.width());
            Tensor logSumExp = arena.allocate(DType.F32, config.heads(), rows);
            String name = "attention %d x %d heads".formatted(rows, config.heads());
            time(name + " forward", flops, o,
                    () -> backend.attention().forward(q, k, v, null, layout, o, logSumExp));
            time(name + " backward", 2.5 * flops, dq, () -> backend.attention().backward(
                    dO, q, k, v, null, layout, o, logSumExp, dq, dk, dv));
        }
    }

    private Tensor random(TensorArena arena, int... dims) {
        Tensor tensor = arena.allocate(Shape.of(dims));
        backend.fillNormal(Philox.stream(0, "operand"), DEVIATION, tensor);
        return tensor;
    }

    /// @param result whose first number is there only when all calls are done
    private void time(String operation, double flops, Tensor result, Runnable call) {
        int calls = settings.steps();
        for (int i = 0; i < WARMUP; i++) call.run();
        finish(result);
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) call.run();
        finish(result);
        times.add(new Time(operation, (System.nanoTime() - start) / 1e6 / calls, flops));
    }

    private void finish(Tensor result) {
        backend.toArray(result.slice(0, 1));
    }
}
