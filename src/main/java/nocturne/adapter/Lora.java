package nocturne.adapter;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import nocturne.io.DType;
import nocturne.tensor.Adapters;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear.LowRank;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// A LoRA in training: its parameters and their gradients, as two long vectors with a view for each factor.
public final class Lora {
    private final LoraLayout layout;
    private final double alpha;
    private final Tensor values;
    private final Tensor gradients;
    private final Map<String, List<LowRank>> trained = new LinkedHashMap<>();

    /// @param arena where the vectors stay as long as the LoRA does
    /// @param alpha the strength; each layer's update is scaled by `alpha / rank`
    public Lora(LoraLayout layout, double alpha, Backend backend, TensorArena arena) {
        this.layout = layout;
        this.alpha = alpha;
        int parameters = Math.toIntExact(layout.parameters());
        values = arena.allocate(DType.F32, parameters);
        gradients = arena.allocate(DType.F32, parameters);
        backend.elementwise().fill(values, 0);
        for (LoraLayout.Slot slot : layout.slots()) {
            LowRank factors = factors(slot, values, 1);
            attach(factors.down(), gradients.slice(slot.downAt(), layout.rank(), slot.in()));
            attach(factors.up(), gradients.slice(slot.upAt(), slot.out(), layout.rank()));
            trained.put(slot.module(), List.of(factors));
        }
    }

    private static void attach(Tensor factor, Tensor gradient) {
        factor.requireGrad();
        factor.attachGradient(gradient);
    }

    public LoraLayout layout() {
        return layout;
    }

    public double alpha() {
        return alpha;
    }

    /// `alpha / rank`.
    public float scale() {
        return (float) (alpha / layout.rank());
    }

    /// All parameters, `[layout.parameters]`.
    public Tensor values() {
        return values;
    }

    public Tensor gradients() {
        return gradients;
    }

    /// B zero, A uniform in `+-1/sqrt(in)`: the initialisation of PEFT and ai-toolkit (Kaiming uniform
    /// with a = sqrt 5).
    public static float[] initialValues(LoraLayout layout, RandomGenerator random) {
        float[] initial = new float[Math.toIntExact(layout.parameters())];
        for (LoraLayout.Slot slot : layout.slots()) {
            float bound = (float) (1 / Math.sqrt(slot.in()));
            for (int i = 0; i < layout.rank() * slot.in(); i++) {
                initial[(int) slot.downAt() + i] = bound * (2 * random.nextFloat() - 1);
            }
        }
        return initial;
    }

    /// The adapters to train with: their gradients go into [#gradients()].
    public Adapters trained() {
        return module -> trained.getOrDefault(module, List.of());
    }

    /// Frozen adapters over other values of the same layout, such as an average.
    ///
    /// @param vector   `[layout.parameters]`
    /// @param strength multiplies the scale; 1 is the LoRA as trained
    public Adapters frozen(Tensor vector, float strength) {
        Map<String, List<LowRank>> byModule = new LinkedHashMap<>();
        for (LoraLayout.Slot slot : layout.slots()) {
            byModule.put(slot.module(), List.of(factors(slot, vector, strength)));
        }
        return module -> byModule.getOrDefault(module, List.of());
    }

    private LowRank factors(LoraLayout.Slot slot, Tensor vector, float strength) {
        return new LowRank(
                vector.slice(slot.downAt(), layout.rank(), slot.in()),
                vector.slice(slot.upAt(), slot.out(), layout.rank()),
                scale() * strength);
    }

    /// Forgets all gradients: the next backward pass overwrites them.
    public void clearGradients() {
        trained.values().forEach(adapters -> adapters.forEach(adapter -> {
            adapter.down().clearGradient();
            adapter.up().clearGradient();
        }));
    }

    /// The stretches of the parameter vector that received a gradient since [#clearGradients()], joined where they
    /// touch.
    ///
    /// In the last block the layers behind the text stream's end feed nothing and receive none; the optimiser leaves
    /// them alone altogether, weight decay included.
    public List<Span> spansWithGradient() {
        List<Span> spans = new ArrayList<>();
        for (Span factor : factorsWithGradient()) {
            if (!spans.isEmpty() && spans.getLast().from + spans.getLast().length == factor.from) {
                Span last = spans.removeLast();
                spans.add(new Span(last.from, last.length + factor.length));
            } else {
                spans.add(factor);
            }
        }
        return spans;
    }

    /// The same stretches, one for each factor.
    public List<Span> factorsWithGradient() {
        List<Span> factors = new ArrayList<>();
        for (LoraLayout.Slot slot : layout.slots()) {
            LowRank adapter = Objects.requireNonNull(trained.get(slot.module())).getFirst();
            if (adapter.down().grad() != null) factors.add(new Span(slot.downAt(), adapter.down().elements()));
            if (adapter.up().grad() != null) factors.add(new Span(slot.upAt(), adapter.up().elements()));
        }
        return factors;
    }

    /// The stretches of the parameter vector that are factors, in order.
    public List<Span> factors() {
        return layout.slots().stream()
                .flatMap(slot -> Stream.of(new Span(slot.downAt(), (long) layout.rank() * slot.in()),
                        new Span(slot.upAt(), (long) slot.out() * layout.rank())))
                .toList();
    }

    /// Elements `from .. from + length` of the parameter vector.
    public record Span(long from, long length) {
        public Tensor of(Tensor vector) {
            return vector.slice(from, Math.toIntExact(length));
        }
    }
}
