package nocturne.cuda;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import nocturne.tensor.EightBitProducts;
import nocturne.tensor.Products;
import nocturne.tensor.Tensor;
import nocturne.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// Products in 8 bits with the weights that [#choose] has found fit for it, and in the exact way with all others.
final class CudaEightBitProducts implements Products, EightBitProducts, AutoCloseable {
    /// The largest errors of a weight that is being tried, -1 before its first product. A NaN stays.
    private static final class Errors {
        private double forward = -1;
        private double backward = -1;

        boolean areWithin(double bound) {
            return forward >= 0 && backward >= 0 && forward <= bound && backward <= bound;
        }
    }

    private final Products exact;
    private final CodedLinear coded;
    private final ProductError error;
    private final Set<Weight> chosen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<Weight, Errors> tried = new IdentityHashMap<>();

    CudaEightBitProducts(Products exact, CodedLinear coded, ProductError error) {
        this.exact = exact;
        this.coded = coded;
        this.error = error;
    }

    @Override
    public List<Trial> choose(Map<String, Weight> layers, double bound, Runnable pass) {
        for (Weight weight : layers.values()) {
            chosen.remove(weight);
            if (weight instanceof CodedWeight codes && coded.takes(codes)) tried.put(weight, new Errors());
        }
        try {
            pass.run();
            List<Trial> trials = new ArrayList<>();
            layers.forEach((layer, weight) -> {
                Errors errors = tried.get(weight);
                if (errors == null) return;
                boolean fits = errors.areWithin(bound);
                if (fits) chosen.add(weight);
                trials.add(new Trial(layer, errors.forward, errors.backward, fits));
            });
            return trials;
        } finally {
            tried.clear();
            error.close();
        }
    }

    @Override
    public void linear(Tensor x, Weight w, @Nullable Tensor bias, Tensor y) {
        if (!(w instanceof CodedWeight weight)) {
            exact.linear(x, w, bias, y);
            return;
        }
        if (chosen.contains(weight)) {
            coded.forward(x, weight, bias, y);
            return;
        }
        Errors errors = tried.get(weight);
        if (errors != null) {
            errors.forward = Math.max(errors.forward, error.of(x, w.rows(),
                    (part, result) -> exact.linear(part, w, null, result),
                    (part, result) -> coded.forward(part, weight, null, result)));
        }
        exact.linear(x, w, bias, y);
    }

    @Override
    public void linearBackward(Tensor dy, Weight w, float beta, Tensor dx) {
        if (!(w instanceof CodedWeight weight)) {
            exact.linearBackward(dy, w, beta, dx);
            return;
        }
        if (chosen.contains(weight)) {
            coded.backward(dy, weight, beta, dx);
            return;
        }
        Errors errors = tried.get(weight);
        if (errors != null) {
            errors.backward = Math.max(errors.backward, error.of(dy, w.columns(),
                    (part, result) -> exact.linearBackward(part, w, 0, result),
                    (part, result) -> coded.backward(part, weight, 0, result)));
        }
        exact.linearBackward(dy, w, beta, dx);
    }

    @Override
    public void product(Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, float beta, Tensor c) {
        exact.product(a, transposeA, b, transposeB, alpha, beta, c);
    }

    @Override
    public void sharing(Tensor x, Runnable work) {
        coded.sharing(x, work);
    }

    @Override
    public void close() {
        coded.close();
        error.close();
    }
}
