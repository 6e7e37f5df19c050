package nocturne.tensor;

import java.util.List;
import nocturne.tensor.Linear.Kronecker;
import nocturne.tensor.Linear.LowRank;
import org.jspecify.annotations.Nullable;

/// One linear layer applied to one tensor: memory is taken on construction and in [#prepareBackward], so that the
/// computing itself touches no arena and may run beside another step's. What is needed while computing is taken by
/// [#takeScratch].
final class LinearStep {
    private final Products products;
    private final Elementwise elementwise;
    private final Tensor x;
    private final Linear layer;
    private final List<LowRank> lowRanks;
    private final List<KroneckerStep> kroneckers;
    private final Tensor y;
    /// `u = x A^T` of each low-rank adapter, `[rows, rank]`.
    private final Tensor[] reduced;

    LinearStep(Tensor x, Linear layer, Backend backend, TensorArena arena) {
        if (x.columns() != layer.in()) {
            throw new IllegalArgumentException("linear: x is " + x.shape() + ", weight " + layer.weight().shape());
        }
        this.x = x;
        this.layer = layer;
        products = backend.products();
        elementwise = backend.elementwise();
        y = arena.allocate(x.shape().withColumns(layer.out()));
        lowRanks = layer.adapters().stream().filter(LowRank.class::isInstance).map(LowRank.class::cast).toList();
        kroneckers = layer.adapters().stream().filter(Kronecker.class::isInstance)
                .map(adapter -> new KroneckerStep((Kronecker) adapter, x.rows(), backend)).toList();
        reduced = new Tensor[lowRanks.size()];
        for (int i = 0; i < reduced.length; i++) {
            reduced[i] = arena.allocate(x.rows(), lowRanks.get(i).down().rows());
        }
    }

    /// Takes the scratch memory of [#forward]; to be called in a scope that closes after it.
    void takeScratch(TensorArena arena) {
        kroneckers.forEach(step -> step.takeScratch(arena));
    }

    Tensor input() {
        return x;
    }

    Tensor result() {
        return y;
    }

    boolean needsGradient() {
        if (x.requiresGrad()) return true;
        return lowRanks.stream().anyMatch(LowRank::trained);
    }

    long multiplyAdds() {
        return x.elements() * layer.out();
    }

    void forward() {
        if (layer.weight() instanceof TabulatedWeight table) elementwise.copy(table.results(x), y);
        else products.linear(x, layer.weight(), layer.bias(), y);
        for (int i = 0; i < reduced.length; i++) {
            LowRank adapter = lowRanks.get(i);
            products.linear(x, adapter.down(), null, reduced[i]);
            products.product(reduced[i], false, adapter.up(), true, adapter.scale(), 1, y);
        }
        kroneckers.forEach(step -> step.forward(x, y));
    }

    /// Where the gradients go, and whether each place is to be overwritten (0) or added to (1).
    ///
    /// @param dx null where x needs none; likewise dUp and dDown of an adapter that is not trained
    record Backward(LinearStep step, Tensor dy, @Nullable Tensor dx, float betaX, @Nullable Tensor[] dUp,
            float[] betaUp, @Nullable Tensor[] dDown, float[] betaDown, Tensor[] du) {
        /// Takes the scratch memory; to be called in a scope that closes after [#run].
        void takeScratch(TensorArena arena) {
            for (int i = 0; i < du.length; i++) du[i] = arena.allocate(step.reduced[i].shape());
            if (dx != null) step.takeScratch(arena);
        }

        void run() {
            Products products = step.products;
            if (dx != null) products.linearBackward(dy, step.layer.weight(), betaX, dx);
            for (int i = 0; i < du.length; i++) {
                LowRank adapter = step.lowRanks.get(i);
                if (!adapter.trained() && dx == null) continue;
                products.product(dy, false, adapter.up(), false, adapter.scale(), 0, du[i]);      // du = scale * dy B
                if (dx != null) products.product(du[i], false, adapter.down(), false, 1, 1, dx);
                Tensor up = dUp[i];
                Tensor down = dDown[i];
                if (up != null) {
                    products.product(dy, true, step.reduced[i], false, adapter.scale(), betaUp[i], up);
                }
                if (down != null) products.product(du[i], true, step.x, false, 1, betaDown[i], down);
            }
            if (dx == null) return;
            for (KroneckerStep adapter : step.kroneckers) adapter.backward(dy, dx);
        }
    }

    /// Claims the gradient buffers; null where nothing has flowed into the result. Steps that share an input must be
    /// prepared in the order in which they run.
    @Nullable Backward prepareBackward(TensorArena arena) {
        Tensor dy = y.grad();
        if (dy == null) return null;
        int adapters = reduced.length;
        float betaX = x.grad() == null ? 0 : 1;
        Tensor dx = x.requiresGrad() ? x.gradientBuffer(arena) : null;
        @Nullable Tensor[] dUp = new Tensor[adapters];
        @Nullable Tensor[] dDown = new Tensor[adapters];
        float[] betaUp = new float[adapters];
        float[] betaDown = new float[adapters];
        for (int i = 0; i < adapters; i++) {
            LowRank adapter = lowRanks.get(i);
            if (!adapter.trained()) continue;
            betaUp[i] = adapter.up().grad() == null ? 0 : 1;
            betaDown[i] = adapter.down().grad() == null ? 0 : 1;
            dUp[i] = adapter.up().gradientBuffer(arena);
            dDown[i] = adapter.down().gradientBuffer(arena);
        }
        return new Backward(this, dy, dx, betaX, dUp, betaUp, dDown, betaDown, new Tensor[adapters]);
    }
}
