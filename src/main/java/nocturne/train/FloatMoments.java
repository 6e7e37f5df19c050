package nocturne.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import nocturne.adapter.Lora;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// Both moments in float32.
final class FloatMoments implements Moments {
    private final Backend backend;
    private final Tensor m;
    private final Tensor v;

    FloatMoments(Lora lora, Backend backend, TensorArena arena) {
        this.backend = backend;
        m = arena.allocate(DType.F32, lora.values().shape());
        v = arena.allocate(DType.F32, lora.values().shape());
        backend.elementwise().fill(m, 0);
        backend.elementwise().fill(v, 0);
    }

    @Override
    public void update(Lora lora, AdamW settings, int number, float gradientFactor) {
        for (Lora.Span span : lora.spansWithGradient()) {
            backend.optimisation().adamW(span.of(lora.values()), span.of(lora.gradients()), span.of(m), span.of(v),
                    settings, number, gradientFactor);
        }
    }

    @Override
    public SequencedMap<String, Tensor> tensors() {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("m", m);
        tensors.put("v", v);
        return tensors;
    }

    @Override
    public List<Tensor> numbers() {
        return List.of(m, v);
    }
}
