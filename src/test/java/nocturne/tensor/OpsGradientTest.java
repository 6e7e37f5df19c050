package nocturne.tensor;

import static nocturne.tensor.Exact.attention;
import static nocturne.tensor.Exact.gatedResidual;
import static nocturne.tensor.Exact.gelu;
import static nocturne.tensor.Exact.join;
import static nocturne.tensor.Exact.layerNormModulate;
import static nocturne.tensor.Exact.plusScaled;
import static nocturne.tensor.Exact.product;
import static nocturne.tensor.Exact.rmsNorm;
import static nocturne.tensor.Exact.rotated;
import static nocturne.tensor.Exact.take;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Stream;
import nocturne.cpu.CpuBackend;
import nocturne.tensor.Attention.Layout;
import nocturne.tensor.Linear.Kronecker;
import nocturne.tensor.Linear.LowRank;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Gradients of the operations against differences of the same computation in double: alone, and with one tensor used
/// in several places, where the gradients must add up.
class OpsGradientTest {
    /// Samples that all have a modulation row of their own, and samples whose tail shares the last one.
    static Stream<RowMap> maps() {
        return Stream.of(RowMap.perSample(2, 3), new RowMap(2, 3, 2, 2), new RowMap(2, 3, 0, 2));
    }

    private static int modulationRows(RowMap map) {
        return map.split() < map.rows() ? map.tailRow() + 1 : map.batch();
    }

    private static Linear layer(Map<String, Tensor> in, String weight) {
        return new Linear(in.get(weight), null);
    }

    @Test
    void linearWithATrainedAndAFrozenAdapter() {
        new Differentiated().input("x", 6, 5).frozen("w", 7, 5).frozen("bias", 7).input("down", 2, 5).input("up", 7, 2)
                .frozen("down2", 3, 5).frozen("up2", 7, 3)
                .check((ops, in) -> ops.linear(in.get("x"), new Linear(in.get("w"), in.get("bias"),
                                List.of(new LowRank(in.get("down"), in.get("up"), 0.75f),
                                        new LowRank(in.get("down2"), in.get("up2"), -1.5f)))),
                        in -> {
                            double[] y = plusScaled(product(in.get("x"), in.get("w"), 5), 1, in.get("bias"));
                            y = plusScaled(y, 0.75, product(product(in.get("x"), in.get("down"), 5), in.get("up"), 2));
                            return plusScaled(
                                    y, -1.5, product(product(in.get("x"), in.get("down2"), 5), in.get("up2"), 3));
                        });
    }

    /// Four rows of `x` are the eight rows of the two parts of its six columns.
    @Test
    void linearWithAKroneckerProductBeside() {
        new Differentiated().input("x", 4, 6).frozen("w", 12, 6).input("down", 2, 6).input("up", 12, 2)
                .frozen("first", 3, 2).frozen("second", 4, 3)
                .check((ops, in) -> ops.linear(in.get("x"), new Linear(in.get("w"), null,
                                List.of(new Kronecker(in.get("first"), in.get("second"), -0.5f),
                                        new LowRank(in.get("down"), in.get("up"), 2)))),
                        in -> {
                            double[] delta = new double[12 * 6];
                            for (int at = 0; at < delta.length; at++) {
                                int out = at / 6;
                                int column = at % 6;
                                delta[at] = in.get("first")[out / 4 * 2 + column / 3]
                                        * in.get("second")[out % 4 * 3 + column % 3];
                            }
                            double[] y = plusScaled(product(in.get("x"), in.get("w"), 6), -0.5,
                                    product(in.get("x"), delta, 6));
                            return plusScaled(y, 2, product(product(in.get("x"), in.get("down"), 6), in.get("up"), 2));
                        });
    }

    /// The first layer of a model: its input needs no gradient, its adapter does.
    @Test
    void linearOfAnInputThatNeedsNoGradient() {
        new Differentiated().frozen("x", 6, 5).frozen("w", 7, 5).input("down", 2, 5).input("up", 7, 2)
                .check((ops, in) -> ops.linear(in.get("x"), new Linear(in.get("w"), null,
                                List.of(new LowRank(in.get("down"), in.get("up"), 2)))),
                        in -> plusScaled(product(in.get("x"), in.get("w"), 5), 2,
                                product(product(in.get("x"), in.get("down"), 5), in.get("up"), 2)));
    }

    @ParameterizedTest
    @MethodSource("maps")
    void layerNormAndItsModulation(RowMap map) {
        new Differentiated().input("x", 6, 5).input("m", modulationRows(map), 6 * 5)
                .check((ops, in) -> ops.layerNormModulate(in.get("x"), in.get("m"), 3, 4, map),
                        in -> layerNormModulate(in.get("x"), in.get("m"), 3, 4, map));
    }

    @ParameterizedTest
    @MethodSource("maps")
    void layerNormOfWhatNeedsNoGradient(RowMap map) {
        new Differentiated().frozen("x", 6, 5).input("m", modulationRows(map), 6 * 5)
                .check((ops, in) -> ops.layerNormModulate(in.get("x"), in.get("m"), 0, 1, map),
                        in -> layerNormModulate(in.get("x"), in.get("m"), 0, 1, map));
        new Differentiated().input("x", 6, 5).frozen("m", modulationRows(map), 6 * 5)
                .check((ops, in) -> ops.layerNormModulate(in.get("x"), in.get("m"), 0, 1, map),
                        in -> layerNormModulate(in.get("x"), in.get("m"), 0, 1, map));
    }

    @ParameterizedTest
    @MethodSource("maps")
    void gatedResidualOfItsThreeInputs(RowMap map) {
        for (String[] trained : new String[][] {{"x", "y", "m"}, {"x"}, {"y"}, {"m"}}) {
            Differentiated computation = new Differentiated();
            for (String name : List.of("x", "y", "m")) {
                int[] dims = name.equals("m") ? new int[] {modulationRows(map), 3 * 5} : new int[] {6, 5};
                if (List.of(trained).contains(name)) computation.input(name, dims);
                else computation.frozen(name, dims);
            }
            computation.check((ops, in) -> ops.gatedResidual(in.get("x"), in.get("y"), in.get("m"), 2, map),
                    in -> gatedResidual(in.get("x"), in.get("y"), in.get("m"), 2, map));
        }
    }

    @Test
    void geluInAChain() {
        new Differentiated().input("x", 4, 7)
                .check((ops, in) -> ops.geluTanh(in.get("x")), in -> gelu(in.get("x")));
        new Differentiated().input("x", 4, 7).frozen("w", 9, 7)
                .check((ops, in) -> ops.geluTanh(ops.linear(in.get("x"), layer(in, "w"))),
                        in -> gelu(product(in.get("x"), in.get("w"), 7)));
    }

    @Test
    void rmsNormWithAFrozenWeight() {
        new Differentiated().input("x", 4, 7).frozen("w", 7)
                .check((ops, in) -> ops.rmsNorm(in.get("x"), in.get("w")), in -> rmsNorm(in.get("x"), in.get("w")));
    }

    @Test
    void joinRotatedNormalisesTurnsAndJoins() {
        int batch = 2;
        int headDim = 6;
        double[] angles = new double[5 * headDim / 2];
        for (int i = 0; i < angles.length; i++) angles[i] = 0.7 * i - 3;
        new Differentiated().input("first", batch * 2, 2 * headDim).input("second", batch * 3, 2 * headDim)
                .frozen("w1", headDim).frozen("w2", headDim)
                .check((ops, in) -> ops.joinRotated(in.get("first"), in.get("w1"), in.get("second"), in.get("w2"),
                                rotation(ops, angles, headDim), batch),
                        in -> join(
                                rotated(rmsNorm(in.get("first"), in.get("w1")), angles, batch, 0, 12, headDim),
                                rotated(rmsNorm(in.get("second"), in.get("w2")), angles, batch, 2, 12, headDim),
                                batch));
    }

    private static Rotation rotation(Ops ops, double[] angles, int headDim) {
        Backend backend = ops.tape().backend();
        float[] cos = new float[2 * angles.length];
        float[] sin = new float[2 * angles.length];
        for (int i = 0; i < cos.length; i++) {
            cos[i] = (float) Math.cos(angles[i / 2]);
            sin[i] = (float) ((i % 2 == 0 ? -1 : 1) * Math.sin(angles[i / 2]));
        }
        int positions = cos.length / headDim;
        return new Rotation(backend.tensor(ops.tape().arena(), cos, positions, headDim),
                backend.tensor(ops.tape().arena(), sin, positions, headDim));
    }

    /// Rows that nobody takes influence nothing: the sum over the parts taken has their gradient 0.
    @Test
    void joinAndTake() {
        new Differentiated().input("first", 2 * 2, 5).input("second", 2 * 3, 5)
                .check((ops, in) -> ops.join(in.get("first"), in.get("second"), 2),
                        in -> join(in.get("first"), in.get("second"), 2));
        new Differentiated().input("joint", 2 * 5, 4)
                .check((ops, in) -> ops.take(in.get("joint"), 2, 1, 3), in -> take(in.get("joint"), 2, 1, 3, 4));
    }

    /// Both parts used, or one of them.
    @Test
    void splitIsTheInverseOfJoin() {
        new Differentiated().input("joint", 2 * 5, 4).frozen("w", 4, 4)
                .check((ops, in) -> {
                    List<Tensor> parts = ops.split(in.get("joint"), 2, 2, 0, 1);
                    return ops.join(ops.linear(parts.get(1), layer(in, "w")), parts.get(0), 2);
                }, in -> join(product(take(in.get("joint"), 2, 2, 3, 4), in.get("w"), 4),
                        take(in.get("joint"), 2, 0, 2, 4), 2));
        new Differentiated().input("joint", 2 * 5, 4)
                .check((ops, in) -> ops.split(in.get("joint"), 2, 2, 0, 1).get(1),
                        in -> take(in.get("joint"), 2, 2, 3, 4));
    }

    @TestFactory
    Stream<DynamicTest> attentionOfEveryLayout() {
        return Stream.of(Layout.uniform(2, 4, 3), new Layout(new int[] {0, 3, 4, 9}, 2, 2, false),
                        new Layout(new int[] {0, 5, 8}, 4, 2, false))
                .flatMap(layout -> Stream.of(false, true).map(masked -> DynamicTest.dynamicTest(
                        layout.sequences() + " sequences, " + layout.heads() + " heads, " + layout.kvHeads()
                                + " key heads" + (masked ? ", masked" : ""), () -> checkAttention(layout, masked))));
    }

    private static void checkAttention(Layout layout, boolean masked) {
        int rows = layout.rows();
        boolean[] visible = new boolean[rows];
        float[] bias = new float[rows];
        for (int i = 0; i < rows; i++) {
            visible[i] = !masked || i % 3 != 1;
            if (!visible[i]) bias[i] = Float.NEGATIVE_INFINITY;
        }
        new Differentiated().input("q", rows, layout.heads() * 6).input("k", rows, layout.kvHeads() * 6)
                .input("v", rows, layout.kvHeads() * 6)
                .check((ops, in) -> ops.attention(in.get("q"), in.get("k"), in.get("v"),
                                masked ? ops.tape().backend().tensor(ops.tape().arena(), bias, rows) : null, layout),
                        in -> attention(in.get("q"), in.get("k"), in.get("v"), visible, layout));
    }

    /// One tensor as input of several operations: their gradients add up, in whatever order they come.
    @Test
    void aTensorUsedTwiceGetsTheSumOfItsGradients() {
        RowMap map = RowMap.perSample(2, 3);
        new Differentiated().input("x", 6, 5).frozen("w", 5, 5).frozen("w2", 5, 5).input("m", 2, 6 * 5).frozen("g", 5)
                .check((ops, in) -> {
                    Tensor x = in.get("x");
                    Tensor m = in.get("m");
                    Tensor first = ops.linear(ops.layerNormModulate(x, m, 0, 1, map), layer(in, "w"));
                    Tensor x1 = ops.gatedResidual(x, first, m, 2, map);
                    Tensor second = ops.gatedResidual(
                            ops.rmsNorm(x, in.get("g")), ops.linear(x, layer(in, "w2")), m, 2, map);
                    return ops.gatedResidual(x1, ops.layerNormModulate(second, m, 0, 1, map), m, 5, map);
                }, in -> {
                    double[] x = in.get("x");
                    double[] m = in.get("m");
                    double[] first = product(layerNormModulate(x, m, 0, 1, map), in.get("w"), 5);
                    double[] x1 = gatedResidual(x, first, m, 2, map);
                    double[] second = gatedResidual(rmsNorm(x, in.get("g")), product(x, in.get("w2"), 5), m, 2, map);
                    return gatedResidual(x1, layerNormModulate(second, m, 0, 1, map), m, 5, map);
                });
    }

    @Test
    void anAdapterUsedByTwoLayersGetsTheSumOfItsGradients() {
        new Differentiated().input("x", 6, 5).frozen("w", 5, 5).input("down", 2, 5).input("up", 5, 2)
                .check((ops, in) -> {
                    Linear layer = layer(in, "w").with(List.of(new LowRank(in.get("down"), in.get("up"), 0.5f)));
                    return ops.linear(ops.linear(in.get("x"), layer), layer);
                }, in -> {
                    double[] y = in.get("x");
                    for (int i = 0; i < 2; i++) {
                        y = plusScaled(product(y, in.get("w"), 5), 0.5,
                                product(product(y, in.get("down"), 5), in.get("up"), 2));
                    }
                    return y;
                });
    }

    /// Parts that overlap, of a tensor that something else uses as well.
    @Test
    void rowsTakenTwiceGetTheSumOfTheirGradients() {
        new Differentiated().input("joint", 2 * 5, 4).frozen("w", 4, 4)
                .check((ops, in) -> {
                    Tensor joint = ops.linear(in.get("joint"), layer(in, "w"));
                    Tensor whole = ops.linear(joint, layer(in, "w"));
                    Tensor parts = ops.join(ops.take(joint, 2, 0, 3), ops.take(joint, 2, 1, 3), 2);
                    return ops.join(parts, whole, 2);
                }, in -> {
                    double[] joint = product(in.get("joint"), in.get("w"), 4);
                    double[] parts = join(take(joint, 2, 0, 3, 4), take(joint, 2, 1, 3, 4), 2);
                    return join(parts, product(joint, in.get("w"), 4), 2);
                });
    }

    /// These overwrite their inputs' gradients. Rather than lose one silently they refuse.
    @TestFactory
    Stream<DynamicTest> operationsThatCannotAddRefuseASecondUse() {
        RowMap map = RowMap.perSample(1, 4);
        Map<String, BiFunction<Ops, Tensor, Tensor>> operations = Map.of(
                "geluTanh", (ops, x) -> ops.geluTanh(x),
                "join", (ops, x) -> ops.join(x, x, 1),
                "attention", (ops, x) -> ops.attention(x, x, x, null, Layout.uniform(1, 4, 2)),
                "gate's input", (ops, x) -> {
                    Tensor other = ops.tape().backend().tensor(ops.tape().arena(), new float[16], 4, 4);
                    Tensor once = ops.gatedResidual(other, x, other, 0, map);
                    return ops.gatedResidual(once, x, other, 0, map);
                });
        return operations.entrySet().stream().sorted(Map.Entry.comparingByKey())
                .map(operation -> DynamicTest.dynamicTest(operation.getKey(), () -> refuses(operation.getValue())));
    }

    private static void refuses(BiFunction<Ops, Tensor, Tensor> operation) {
        Consumer<Tape> pass = tape -> {
            Ops ops = new Ops(tape);
            Tensor x = tape.backend().tensor(tape.arena(), new float[16], 4, 4).requireGrad();
            // The second use of x: its gradient is there when the operation's turn comes.
            Tensor out = operation.apply(ops, x);
            Tensor sum = ops.join(out, ops.rmsNorm(x, tape.arena().allocate(4)), 1);
            ops.meanSquaredError(sum, sum, new float[] {1}, 1);
            tape.backward();
        };
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            assertThatThrownBy(() -> pass.accept(Tape.recording(backend, arena)))
                    .isInstanceOf(IllegalStateException.class).hasMessageContaining("overwrite");
        }
    }
}
