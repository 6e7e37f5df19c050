package nocturne.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import nocturne.cpu.CpuBackend;
import nocturne.tensor.Tape.Keep;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Residual blocks under all policies of what to keep, against differences in double; see [Differentiated].
class TapeTest {
    private static final RowMap MAP = RowMap.perSample(2, 3);

    private static Linear layer(Map<String, Tensor> in, String weight) {
        return new Linear(in.get(weight), null, List.of(new Linear.LowRank(in.get("down"), in.get("up"), 1)));
    }

    private static double[] linear(Map<String, double[]> in, double[] x, String weight) {
        return Exact.plusScaled(Exact.product(x, in.get(weight), 5), 1,
                Exact.product(Exact.product(x, in.get("down"), 5), in.get("up"), 2));
    }

    private static Differentiated streams() {
        return new Differentiated().input("x", 6, 5).input("c", 6, 5).input("down", 2, 5).input("up", 5, 2)
                .input("m", 2, 6 * 5).frozen("w", 5, 5).frozen("w2", 5, 5);
    }

    /// Two streams that read each other, as a block of the model: `x + g f(norm(x) + norm(c))`, and likewise for c.
    private static List<Tensor> block(Ops ops, Map<String, Tensor> in, Tensor x, Tensor c, boolean last) {
        Tensor m = in.get("m");
        Tensor a = ops.briefly(0).layerNormModulate(x, m, 0, 1, MAP);
        Tensor b = ops.briefly(1).layerNormModulate(c, m, 3, 4, MAP);
        Tensor mixed = ops.gatedResidual(ops.linear(a, layer(in, "w")), ops.linear(b, layer(in, "w2")), m, 5, MAP);
        Tensor x2 = ops.gatedResidual(x, ops.linear(mixed, layer(in, "w")), m, 2, MAP);
        return last ? List.of(x2) : List.of(x2, ops.gatedResidual(c, ops.linear(mixed, layer(in, "w2")), m, 5, MAP));
    }

    private static List<double[]> block(Map<String, double[]> in, double[] x, double[] c) {
        double[] m = in.get("m");
        double[] a = Exact.layerNormModulate(x, m, 0, 1, MAP);
        double[] b = Exact.layerNormModulate(c, m, 3, 4, MAP);
        double[] mixed = Exact.gatedResidual(linear(in, a, "w"), linear(in, b, "w2"), m, 5, MAP);
        return List.of(Exact.gatedResidual(x, linear(in, mixed, "w"), m, 2, MAP),
                Exact.gatedResidual(c, linear(in, mixed, "w2"), m, 5, MAP));
    }

    /// The second stream ends in the last block: its gradient comes through the first alone, and must reach the block
    /// before.
    @ParameterizedTest
    @EnumSource(Keep.class)
    void gradientsFlowThroughBlocksAndIntoAStreamThatEnds(Keep keep) {
        streams().check((ops, in) -> {
            List<Tensor> streams = List.of(in.get("x"), in.get("c"));
            for (boolean last : new boolean[] {false, false, true}) {
                streams = ops.tape().residualBlock(keep, streams,
                        (inner, s) -> block(inner, in, s.get(0), s.get(1), last));
            }
            return streams.getFirst();
        }, in -> {
            List<double[]> streams = List.of(in.get("x"), in.get("c"));
            for (int i = 0; i < 3; i++) streams = block(in, streams.get(0), streams.get(1));
            return streams.getFirst();
        });
    }

    /// The stream that ends is itself a residual inside the block, so that a finished buffer of the block's own memory
    /// is offered to it.
    @ParameterizedTest
    @EnumSource(Keep.class)
    void aStreamThatEndsMayBeUpdatedInsideTheBlock(Keep keep) {
        streams().check((ops, in) -> {
            Tensor m = in.get("m");
            Tensor c0 = ops.linear(in.get("c"), layer(in, "w"));
            List<Tensor> streams = ops.tape().residualBlock(keep, List.of(in.get("x"), c0), (inner, s) -> {
                Tensor c1 = inner.gatedResidual(s.get(1), inner.linear(s.get(1), layer(in, "w2")), m, 2, MAP);
                return List.of(inner.gatedResidual(s.get(0), inner.linear(c1, layer(in, "w")), m, 5, MAP));
            });
            return streams.getFirst();
        }, in -> {
            double[] c = linear(in, in.get("c"), "w");
            double[] c1 = Exact.gatedResidual(c, linear(in, c, "w2"), in.get("m"), 2, MAP);
            return Exact.gatedResidual(in.get("x"), linear(in, c1, "w"), in.get("m"), 5, MAP);
        });
    }

    /// In the backward pass the second stream writes into the first one's gradient before its own residual does.
    @ParameterizedTest
    @EnumSource(Keep.class)
    void aStreamMayBeReadAfterItsOutputIsMade(Keep keep) {
        streams().check((ops, in) -> {
            List<Tensor> streams = List.of(in.get("x"), in.get("c"));
            for (int i = 0; i < 3; i++) {
                streams = ops.tape().residualBlock(keep, streams, (inner, s) -> {
                    Tensor x2 = inner.gatedResidual(
                            s.get(0), inner.linear(s.get(1), layer(in, "w")), in.get("m"), 2, MAP);
                    Tensor mixed = inner.geluTanh(inner.linear(s.get(0), layer(in, "w2")));
                    return List.of(x2, inner.gatedResidual(s.get(1), mixed, in.get("m"), 5, MAP));
                });
            }
            return ops.join(streams.get(0), streams.get(1), 2);
        }, in -> {
            double[] x = in.get("x");
            double[] c = in.get("c");
            for (int i = 0; i < 3; i++) {
                double[] x2 = Exact.gatedResidual(x, linear(in, c, "w"), in.get("m"), 2, MAP);
                c = Exact.gatedResidual(c, Exact.gelu(linear(in, x, "w2")), in.get("m"), 5, MAP);
                x = x2;
            }
            return Exact.join(x, c, 2);
        });
    }

    /// Every brief operation, in one place after the other.
    private static Tensor briefly(Ops ops, Map<String, Tensor> in, Tensor x) {
        Tensor m = in.get("m");
        Tensor a = ops.linear(ops.briefly(0).layerNormModulate(x, m, 0, 1, MAP), layer(in, "w"));
        Tensor b = ops.linear(ops.briefly(0).geluTanh(a), layer(in, "w2"));
        Tensor first = ops.linear(ops.briefly(0).take(b, 2, 1, 1), layer(in, "w"));
        Tensor rest = ops.linear(ops.briefly(0).take(b, 2, 0, 2), layer(in, "w2"));
        List<Tensor> parts = ops.split(ops.join(first, rest, 2), 2, 2, 0, 1);
        Tensor back = ops.join(ops.linear(parts.get(0), layer(in, "w")), ops.linear(parts.get(1), layer(in, "w2")), 2);
        return ops.gatedResidual(x, back, m, 2, MAP);
    }

    private static double[] briefly(Map<String, double[]> in, double[] x) {
        double[] m = in.get("m");
        double[] a = linear(in, Exact.layerNormModulate(x, m, 0, 1, MAP), "w");
        double[] b = linear(in, Exact.gelu(a), "w2");
        double[] first = linear(in, Exact.take(b, 2, 1, 1, 5), "w");
        double[] rest = linear(in, Exact.take(b, 2, 0, 2, 5), "w2");
        double[] joint = Exact.join(first, rest, 2);
        double[] back = Exact.join(linear(in, Exact.take(joint, 2, 0, 2, 5), "w"),
                linear(in, Exact.take(joint, 2, 2, 1, 5), "w2"), 2);
        return Exact.gatedResidual(x, back, m, 2, MAP);
    }

    @ParameterizedTest
    @EnumSource(Keep.class)
    void briefResultsComeBackForTheirGradients(Keep keep) {
        streams().check((ops, in) -> {
            List<Tensor> x = ops.tape().residualBlock(keep, List.of(in.get("x")),
                    (inner, s) -> List.of(briefly(inner, in, s.getFirst())));
            return ops.join(in.get("c"), x.getFirst(), 2);
        }, in -> Exact.join(in.get("c"), briefly(in, in.get("x")), 2));
    }

    @Test
    void aBriefResultIsForProductsOnly() {
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tensor x = backend.tensor(arena, new float[] {1, 2}, 1, 2).requireGrad();
            Tape tape = Tape.recording(backend, arena);
            assertThatThrownBy(() -> tape.residualBlock(Keep.PRODUCTS, List.of(x), (inner, s) ->
                    List.of(inner.geluTanh(inner.briefly(0).geluTanh(s.get(0))))))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("brief");
        }
    }

    @Test
    void aTapeThatDoesNotRecordKeepsNothingAndComputesTheSame() {
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            float[] x = new float[30];
            Philox.stream(1, "x").fillNormal(x, 0);
            Tensor in = backend.tensor(arena, x, 6, 5).requireGrad();
            Tensor weight = backend.tensor(arena, x, 6, 5);
            Ops recording = new Ops(Tape.recording(backend, arena));
            Ops inference = new Ops(Tape.inference(backend, arena));
            Tensor recorded = recording.geluTanh(recording.linear(in, new Linear(weight, null)));
            Tensor plain = inference.geluTanh(inference.linear(in, new Linear(weight, null)));
            assertThat(backend.toArray(plain)).isEqualTo(backend.toArray(recorded));
            assertThat(recorded.requiresGrad()).isTrue();
            assertThat(plain.requiresGrad()).isFalse();
            inference.tape().backward();
            assertThat(in.grad()).isNull();
        }
    }

    @Test
    void whatNobodyUsesGetsNoGradient() {
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tape tape = Tape.recording(backend, arena);
            Ops ops = new Ops(tape);
            Tensor used = backend.tensor(arena, new float[] {1, 2}, 1, 2).requireGrad();
            Tensor unused = backend.tensor(arena, new float[] {1, 2}, 1, 2).requireGrad();
            Tensor out = ops.geluTanh(used);
            ops.geluTanh(unused);
            ops.meanSquaredError(out, used, new float[] {1}, 1);
            tape.backward();
            assertThat(used.grad()).isNotNull();
            assertThat(unused.grad()).isNull();
        }
    }

    /// A gradient from an earlier step is overwritten, not added to, once it has been cleared.
    @Test
    void clearingAGradientStartsAnew() {
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Tensor x = backend.tensor(arena, new float[] {1, -2, 3, 4}, 2, 2).requireGrad();
            x.attachGradient(arena.allocate(2, 2));
            Linear layer = new Linear(backend.tensor(arena, new float[] {1, 2, 3, 4}, 2, 2), null);
            float[][] gradients = new float[3][];
            for (int pass = 0; pass < 3; pass++) {
                if (pass == 2) x.clearGradient();
                try (TensorArena.Scope scope = arena.scope()) {
                    Tape tape = Tape.recording(backend, arena);
                    Tensor out = new Ops(tape).linear(x, layer);
                    new Ops(tape).meanSquaredError(out, arena.allocate(2, 2), new float[] {1}, 1);
                    backend.elementwise().copy((Tensor) layer.weight(), out.grad());
                    tape.backward();
                }
                gradients[pass] = backend.toArray(x.grad());
            }
            for (int i = 0; i < 4; i++) assertThat(gradients[1][i]).isEqualTo(2 * gradients[0][i]);
            assertThat(gradients[2]).isEqualTo(gradients[0]);
        }
    }
}
