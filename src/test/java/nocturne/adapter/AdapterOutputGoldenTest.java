package nocturne.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import nocturne.adapter.AdapterModule.Factor;
import nocturne.adapter.AdapterModule.Kronecker;
import nocturne.adapter.AdapterModule.Product;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.DType;
import nocturne.io.TensorSource;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerCase;
import nocturne.qwen.TransformerConfig;
import nocturne.qwen.TransformerInput;
import nocturne.tensor.Adapters;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear.LowRank;
import nocturne.tensor.Ops;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What the reference's transformer computes with each adapter file attached, and the gradients it gives the factors.
///
/// Tolerances are the reference's for float32: outputs 1e-4, losses 1e-5, gradients relative L2 1e-3 for each tensor.
class AdapterOutputGoldenTest {
    private static final String FOLDER = "golden/lora_files/";
    private static final JsonNode INDEX = Golden.json(FOLDER + "index.json");
    private static final TensorSource INPUTS = Golden.tensors(FOLDER + "inputs.safetensors");
    private static final TensorSource EXPECTED = Golden.tensors(FOLDER + "expected.safetensors");

    @TempDir
    Path folder;

    private Backend backend;
    private TensorArena arena;

    @BeforeEach
    void start() {
        backend = CpuBackend.withAllProcessors();
        arena = backend.newArena();
    }

    @AfterEach
    void stop() {
        arena.close();
        backend.close();
    }

    static Stream<String> files() {
        return Golden.names(INDEX.path("files")).stream();
    }

    static Stream<String> loraFiles() {
        return files().filter(name -> read(name).modules().values().stream()
                .allMatch(AdapterModule.LowRank.class::isInstance));
    }

    static Stream<String> filesWithGradients() {
        return files().filter(name -> INDEX.at("/files/" + name).has("grads"));
    }

    @Test
    void withoutAdapterTheOutputIsTheBases() {
        assertThat(Golden.maxAbsDiff(output(Adapters.NONE), EXPECTED.floats("base"))).isLessThan(1e-4);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    void theAdaptedModelComputesTheReferencesOutput(String name) {
        assertThat(Golden.maxAbsDiff(output(attached(read(name))), EXPECTED.floats(name))).isLessThan(1e-4);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("loraFiles")
    void writtenInOurFormItComputesTheSame(String name) {
        List<AdapterModule.LowRank> modules =
                read(name).modules().values().stream().map(AdapterModule.LowRank.class::cast).toList();
        Path file = folder.resolve(name + ".safetensors");
        AdapterFile.write(file, modules, DType.F32, AdapterMetadataTest.sample(), false);
        AdapterWeights again = AdapterFile.read(file, targets());
        assertThat(Golden.maxAbsDiff(output(attached(again)), EXPECTED.floats(name))).isLessThan(1e-4);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("filesWithGradients")
    void theFactorsGetTheReferencesGradients(String name) {
        AdapterWeights weights = read(name);
        Map<String, List<LowRank>> factors = factors(weights, true);
        Tape tape = Tape.recording(backend, arena);
        Tensor out = model().with(of(factors)).forward(tape, input(), Tape.Keep.ALL);
        float[] target = INPUTS.floats("target_packed");
        float[] sampleWeights = new float[INPUTS.floats("timestep").length];
        Arrays.fill(sampleWeights, 1);
        double loss = new Ops(tape).meanSquaredError(
                out, backend.tensor(arena, target, out.shape().toArray()), sampleWeights, 1);
        assertThat(loss).isCloseTo(INDEX.at("/files/" + name).path("loss").doubleValue(), within(1e-5));
        tape.backward();

        TensorSource golden = Golden.tensors(FOLDER + INDEX.at("/files/" + name).path("grads").textValue());
        AdapterKey.Grammar grammar = new AdapterKey.Grammar(targets());
        for (String key : golden.tensors().keySet()) {
            AdapterKey read = grammar.read(key).key();
            assertThat(read).as(key).isNotNull();
            LowRank factor = factors.get(read.module()).getFirst();
            float[] ours = switch (weights.modules().get(read.module())) {
                case AdapterModule.LowRank lora -> gradient(
                        read.part() == AdapterKey.Part.DOWN ? factor.down() : factor.up());
                case Kronecker lokr -> KroneckerGradient.of(lokr, gradient(factor.up())).of(read.part());
            };
            float[] theirs = golden.floats(key);
            assertThat(Golden.relativeL2(ours, theirs)).as("relative L2 of " + key).isLessThan(1e-3);
            double largest = Golden.maxAbsDiff(new float[theirs.length], theirs);
            assertThat(Golden.maxAbsDiff(ours, theirs)).as("largest error of " + key)
                    .isLessThan(1e-5 * Math.max(1, largest));
        }
    }

    /// A layer behind the text stream's end gets no gradient; the reference stores zeros for it.
    private float[] gradient(Tensor factor) {
        Tensor gradient = factor.grad();
        return gradient == null ? new float[(int) factor.elements()] : backend.toArray(gradient);
    }

    /// The chain rule from the gradient of `scale * kron(first, second)` to the factors: of each factor the gradient is
    /// the sum over the other's entries, and a product's parts get it by the rule for products.
    private record KroneckerGradient(Kronecker module, float[] first, float[] second) {
        static KroneckerGradient of(Kronecker module, float[] delta) {
            float[] a = module.first().values();
            float[] b = module.second().values();
            int k = module.second().rows();
            int n = module.second().columns();
            int m = module.first().columns();
            double[] dA = new double[a.length];
            double[] dB = new double[b.length];
            for (int row = 0; row < module.out(); row++) {
                for (int column = 0; column < module.in(); column++) {
                    double slope = (double) module.scale() * delta[row * module.in() + column];
                    int inA = row / k * m + column / n;
                    int inB = row % k * n + column % n;
                    dA[inA] += slope * b[inB];
                    dB[inB] += slope * a[inA];
                }
            }
            return new KroneckerGradient(module, rounded(dA), rounded(dB));
        }

        float[] of(AdapterKey.Part part) {
            return switch (part) {
                case W1 -> first;
                case W2 -> second;
                case W1_A -> left(module.first(), first);
                case W1_B -> right(module.first(), first);
                case W2_A -> left(module.second(), second);
                case W2_B -> right(module.second(), second);
                case DOWN, UP, ALPHA -> throw new AssertionError(part + " in a LoKr");
            };
        }

        /// `dLeft = dFactor right^T`.
        private static float[] left(Factor factor, float[] gradient) {
            Product product = (Product) factor;
            double[] left = new double[product.left().length];
            for (int i = 0; i < left.length; i++) {
                int row = i / product.rank();
                int r = i % product.rank();
                for (int c = 0; c < product.columns(); c++) {
                    left[i] += (double) gradient[row * product.columns() + c]
                            * product.right()[r * product.columns() + c];
                }
            }
            return rounded(left);
        }

        /// `dRight = left^T dFactor`.
        private static float[] right(Factor factor, float[] gradient) {
            Product product = (Product) factor;
            double[] right = new double[product.right().length];
            for (int i = 0; i < right.length; i++) {
                int r = i / product.columns();
                int column = i % product.columns();
                for (int row = 0; row < product.rows(); row++) {
                    right[i] += (double) gradient[row * product.columns() + column]
                            * product.left()[row * product.rank() + r];
                }
            }
            return rounded(right);
        }

        private static float[] rounded(double[] numbers) {
            float[] rounded = new float[numbers.length];
            for (int i = 0; i < rounded.length; i++) rounded[i] = (float) numbers[i];
            return rounded;
        }
    }

    private float[] output(Adapters adapters) {
        return backend.toArray(model().with(adapters).forward(Tape.inference(backend, arena), input(), Tape.Keep.ALL));
    }

    private QwenImageTransformer model() {
        return QwenImageTransformer.load(TransformerCase.config().withZeroCondT(false),
                Golden.tensors(FOLDER + INDEX.path("base").textValue()), backend, arena);
    }

    private TransformerInput input() {
        float[] timesteps = INPUTS.floats("timestep");
        List<Long> text = INPUTS.entry("encoder_hidden_states").shape();
        int[] textLengths = new int[timesteps.length];
        Arrays.fill(textLengths, text.get(1).intValue());
        return new TransformerInput(tokens("hidden_states"), tokens("encoder_hidden_states"), textLengths, timesteps,
                TransformerCase.grids(INDEX.path("img_shapes").get(0)));
    }

    /// `[B, rows, width]` as `[B * rows, width]`.
    private Tensor tokens(String name) {
        List<Long> shape = INPUTS.entry(name).shape();
        return backend.tensor(
                arena, INPUTS.floats(name), (int) (shape.get(0) * shape.get(1)), shape.get(2).intValue());
    }

    private Adapters attached(AdapterWeights weights) {
        return of(factors(weights, false));
    }

    private static Adapters of(Map<String, List<LowRank>> factors) {
        return module -> factors.getOrDefault(module, List.of());
    }

    /// A LoRA as it is; a LoKr as its whole change of the weight behind an identity, so that the gradient of the upper
    /// factor is the gradient of the weight.
    private Map<String, List<LowRank>> factors(AdapterWeights weights, boolean trained) {
        Map<String, List<LowRank>> factors = new LinkedHashMap<>();
        weights.modules().forEach((module, adapter) -> factors.put(module, List.of(switch (adapter) {
            case AdapterModule.LowRank lora -> new LowRank(factor(lora.down(), lora.rank(), lora.in(), trained),
                    factor(lora.up(), lora.out(), lora.rank(), trained), lora.scale());
            case Kronecker lokr -> new LowRank(factor(identity(lokr.in()), lokr.in(), lokr.in(), trained),
                    factor(lokr.delta(), lokr.out(), lokr.in(), trained), 1);
        })));
        return factors;
    }

    private Tensor factor(float[] numbers, int rows, int columns, boolean trained) {
        Tensor factor = backend.tensor(arena, numbers, rows, columns);
        if (trained) {
            factor.requireGrad();
            factor.attachGradient(arena.allocate(rows, columns));
        }
        return factor;
    }

    private static float[] identity(int size) {
        float[] identity = new float[size * size];
        for (int i = 0; i < size; i++) identity[i * size + i] = 1;
        return identity;
    }

    private static SequencedMap<String, LinearShape> targets() {
        TransformerConfig config = TransformerCase.config();
        return LoraTargets.of(config.layers(), config.width());
    }

    private static AdapterWeights read(String name) {
        return AdapterFile.read(Golden.path(FOLDER + INDEX.at("/files/" + name).path("file").textValue()), targets());
    }
}
