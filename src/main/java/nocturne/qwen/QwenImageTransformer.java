package nocturne.qwen;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import nocturne.io.TensorSource;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.quant.QuantizedLayers;
import nocturne.tensor.Adapters;
import nocturne.tensor.Attention;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;
import nocturne.tensor.WeightStream;
import org.jspecify.annotations.Nullable;

/// The denoiser of Qwen-Image and Qwen-Image-Edit: from a noisy picture, its text and its control pictures to the
/// velocity `noise - latents`.
///
/// Immutable: [#with] gives the same frozen weights other adapters. Source: diffusers'
/// `QwenImageTransformer2DModel`.
public final class QwenImageTransformer {
    private static final String IMG_IN = "img_in";
    private static final String TXT_IN = "txt_in";
    private static final String NORM_OUT = "norm_out.linear";
    private static final String PROJ_OUT = "proj_out";
    private static final List<String> OUTSIDE_THE_BLOCKS = List.of(
            TimestepEmbedding.LINEAR_1, TimestepEmbedding.LINEAR_2, IMG_IN, TXT_IN, NORM_OUT, PROJ_OUT);

    private final TransformerConfig config;
    private final TimestepEmbedding timeEmbedding;
    private final Linear imgIn;
    private final Tensor txtNorm;
    private final Linear txtIn;
    private final List<TransformerBlock> blocks;
    private final BlockSupply supply;
    private final Linear normOut;
    private final Linear projOut;
    private final RotaryPositions positions;
    private final Adapters recovery;

    private QwenImageTransformer(TransformerConfig config, TimestepEmbedding timeEmbedding, Linear imgIn,
            Tensor txtNorm, Linear txtIn, List<TransformerBlock> blocks, BlockSupply supply, Linear normOut,
            Linear projOut, RotaryPositions positions, Adapters recovery) {
        this.config = config;
        this.timeEmbedding = timeEmbedding;
        this.imgIn = imgIn;
        this.txtNorm = txtNorm;
        this.txtIn = txtIn;
        this.blocks = List.copyOf(blocks);
        this.supply = supply;
        this.normOut = normOut;
        this.projOut = projOut;
        this.positions = positions;
        this.recovery = recovery;
    }

    /// @param source the transformer's tensors, with or without the prefix `diffusion_model.` or
    ///     `model.diffusion_model.`, under which single files for other programs wrap it
    /// @param arena  where the weights stay
    /// @throws UserMistake `MODEL_INVALID` naming every missing, misshapen or unknown tensor
    public static QwenImageTransformer load(TransformerConfig config, TensorSource source, Backend backend,
            TensorArena arena) {
        return load(config, source, Loading.PLAIN, backend, arena);
    }

    /// The same with some layers in a smaller format. Weights are brought to the device block by block.
    public static QwenImageTransformer load(TransformerConfig config, TensorSource source, Loading loading,
            Backend backend, TensorArena arena) {
        TensorSource tensors = TransformerShapes.unwrapped(source);
        // Everything is compared with the config before the first of many gigabytes is read.
        Weights check = Weights.checking(tensors);
        assemble(config, check, BlockLoader.Blocks.resident(config, check));
        check.noteUnused(TransformerShapes::isHarmless);
        check.requireComplete("transformer");

        List<List<String>> parts = new ArrayList<>(List.of(OUTSIDE_THE_BLOCKS));
        for (int i = 0; i < config.layers(); i++) parts.add(TransformerBlock.modules(i));
        QuantizedLayers layers = QuantizedLayers.of(tensors, loading.formats(), loading.cache(), parts);
        BlockWeights files = BlockWeights.of(tensors, layers, backend);
        BlockLoader.Blocks blocks = new BlockLoader(config, files, loading.residency(), backend, arena).load();
        try (QuantizedLayers.Part outside = layers.part(OUTSIDE_THE_BLOCKS)) {
            return assemble(config, Weights.of(tensors, outside, backend, arena), blocks);
        }
    }

    /// A transformer of random weights, to measure speed without a model.
    public static QwenImageTransformer random(TransformerConfig config, long seed, Backend backend, TensorArena arena) {
        Weights weights = Weights.random(seed, backend, arena);
        return assemble(config, weights, BlockLoader.Blocks.resident(config, weights));
    }

    /// The same with some layers in a smaller format, of which not all need stay on the device.
    ///
    /// @param numbers where a layer's numbers are until they are codes
    public static QwenImageTransformer random(TransformerConfig config, LayerFormats formats, Residency residency,
            long seed, Backend backend, TensorArena arena, TensorArena numbers) {
        BlockWeights source = BlockWeights.random(seed, formats, numbers, backend);
        return assemble(config, Weights.random(seed, formats, numbers, backend, arena),
                new BlockLoader(config, source, residency, backend, arena).load());
    }

    /// A transformer without numbers, to find out with a [Backend#rehearsal] what memory a real one takes.
    public static QwenImageTransformer empty(TransformerConfig config, LayerFormats formats, Residency residency,
            Backend backend, TensorArena arena) {
        BlockWeights source = BlockWeights.empty(formats, backend);
        return assemble(config, Weights.empty(formats, backend, arena),
                new BlockLoader(config, source, residency, backend, arena).load());
    }

    private static QwenImageTransformer assemble(
            TransformerConfig config, Weights weights, BlockLoader.Blocks blocks) {
        int width = config.width();
        return new QwenImageTransformer(
                config,
                TimestepEmbedding.load(weights, width),
                weights.linear(IMG_IN, config.tokenWidth(), width),
                weights.tensor("txt_norm.weight", config.textWidth()),
                weights.linear(TXT_IN, config.textWidth(), width),
                blocks.blocks(),
                blocks.supply(),
                weights.linear(NORM_OUT, width, 2 * width),
                weights.linear(PROJ_OUT, width, config.tokenWidth()),
                new RotaryPositions(config.axes()),
                Adapters.NONE);
    }

    public TransformerConfig config() {
        return config;
    }

    /// How many frozen numbers the model has.
    public long parameters() {
        long count = txtNorm.elements();
        for (Linear layer : List.of(timeEmbedding.linear1(), timeEmbedding.linear2(), imgIn, txtIn, normOut, projOut)) {
            count += layer.parameters();
        }
        for (TransformerBlock block : blocks) count += block.parameters();
        return count;
    }

    /// The frozen matrices that all picture tokens are multiplied with, by the names of their layers: all but a few
    /// percent of the work. Those of the text are not among them, whose activations reach much further apart.
    public SequencedMap<String, Weight> pictureWeights() {
        SequencedMap<String, Weight> weights = new LinkedHashMap<>();
        for (int i = 0; i < blocks.size(); i++) weights.putAll(blocks.get(i).pictureWeights(i));
        return weights;
    }

    /// Memory that the weights take which do not stay on the device.
    ///
    /// @param slots   on the device, for those that are there
    /// @param loading on the device before the slots are there
    /// @param pinned  in host memory, for all of them
    /// @param tables  in host memory, of what the modulation layers answer
    public record Streamed(long slots, long loading, long pinned, long tables) {
        /// Everything stays.
        public static final Streamed NOTHING = new Streamed(0, 0, 0, 0);
    }

    public Streamed streamed() {
        WeightStream stream = supply.stream();
        if (stream == null) return Streamed.NOTHING;
        ModulationTables tables = supply.tables();
        return new Streamed(stream.deviceBytes(), stream.loadingBytes(), stream.hostBytes(),
                tables == null ? 0 : tables.mostBytes(txtNorm.type()));
    }

    /// The same weights with adapters beside the blocks' linear layers, replacing any there were.
    public QwenImageTransformer with(Adapters adapters) {
        Adapters all = recovery.and(adapters);
        List<TransformerBlock> adapted = new ArrayList<>();
        for (int i = 0; i < blocks.size(); i++) {
            adapted.add(blocks.get(i).with(i, (module, layer) -> layer.with(all.on(module))));
        }
        return new QwenImageTransformer(
                config, timeEmbedding, imgIn, txtNorm, txtIn, adapted, supply, normOut, projOut, positions, recovery);
    }

    /// The same weights with frozen adapters that belong to them and stay whatever [#with] brings: they give back what
    /// a smaller format has taken, inside the blocks and outside.
    public QwenImageTransformer recoveredBy(Adapters adapters) {
        return new QwenImageTransformer(
                config,
                timeEmbedding.with(adapters),
                imgIn.with(adapters.on(IMG_IN)),
                txtNorm,
                txtIn.with(adapters.on(TXT_IN)),
                blocks,
                supply.forgetting(),
                normOut.with(adapters.on(NORM_OUT)),
                projOut.with(adapters.on(PROJ_OUT)),
                positions,
                adapters).with(Adapters.NONE);
    }

    /// The same model with or without Qwen-Image-Edit-2511's treatment of control tokens.
    public QwenImageTransformer withZeroCondT(boolean zeroCondT) {
        return new QwenImageTransformer(
                config.withZeroCondT(zeroCondT), timeEmbedding, imgIn, txtNorm, txtIn, blocks, supply, normOut, projOut,
                positions, recovery);
    }

    /// Whether a noise level that [#announce] was not told of costs time.
    public boolean wantsAnnouncements() {
        return supply.tables() != null;
    }

    /// Whether [#announce] would find nothing to do.
    public boolean isReadyFor(float... timesteps) {
        ModulationTables tables = supply.tables();
        return tables == null || tables.knows(timesteps);
    }

    /// Says which noise levels are coming, so that what they need is had for all of them at once and not for each when
    /// it is there; see [Residency#tabulates]. Changes no result.
    ///
    /// @param passes    for the work, all of it given back
    /// @param timesteps noise levels in 0..1; 256 are taken note of at most
    public void announce(TensorArena passes, float... timesteps) {
        ModulationTables tables = supply.tables();
        if (tables == null) return;
        // The level of control tokens, in the models that have one.
        tables.announce(timeEmbedding, passes, config.zeroCondT() ? prepended(0, timesteps) : timesteps);
    }

    private static float[] prepended(float first, float[] others) {
        float[] all = new float[others.length + 1];
        all[0] = first;
        System.arraycopy(others, 0, all, 1, others.length);
        return all;
    }

    /// The velocity of the target tokens.
    ///
    /// @param keep what a block, by its number, keeps for the backward pass
    /// @return `[B * T, 64]`
    public Tensor forward(Tape tape, TransformerInput input, IntFunction<Tape.Keep> keep) {
        return forward(tape, input, keep, input.targetTokens());
    }

    /// The same, all blocks alike.
    public Tensor forward(Tape tape, TransformerInput input, Tape.Keep keep) {
        return forward(tape, input, block -> keep);
    }

    /// The outputs of the first `outputTokens` tokens of each sample.
    Tensor forward(Tape tape, TransformerInput input, IntFunction<Tape.Keep> keep, int outputTokens) {
        Ops ops = new Ops(tape);
        int batch = input.batch();
        int textRows = input.textRows();
        boolean zeroCondT = config.zeroCondT() && input.targetTokens() < input.tokensPerSample();
        // Control tokens are modulated as if they were free of noise.
        float[] levels = zeroCondT ? Arrays.copyOf(input.timesteps(), batch + 1) : input.timesteps();
        Tensor samples = ops.silu(timeEmbedding.forward(ops, input.timesteps()));                 // [B, D]
        Tensor condition = zeroCondT ? ops.silu(timeEmbedding.forward(ops, levels)) : samples;
        RowMap pictureMap = new RowMap(batch, input.tokensPerSample(),
                zeroCondT ? input.targetTokens() : input.tokensPerSample(), batch);
        TransformerBlock.Context context = new TransformerBlock.Context(
                batch,
                condition,
                samples,
                pictureMap,
                RowMap.perSample(batch, textRows),
                positions.of(tape, textRows, input.grids()),
                keyBias(tape, input),
                Attention.Layout.uniform(batch, textRows + input.tokensPerSample(), config.heads()));

        Tensor x = ops.linear(input.tokens(), imgIn);                                             // [B N, D]
        Tensor c = ops.linear(ops.rmsNorm(input.text(), txtNorm), txtIn);                         // [B L, D]
        IntConsumer needs = supply.pass(timeEmbedding, tape.arena(), levels, input.timesteps());
        for (int i = 0; i < blocks.size(); i++) {
            int index = i;
            boolean last = i == blocks.size() - 1;
            List<Tensor> streams = tape.residualBlock(keep.apply(i), List.of(x, c), (inner, in) -> {
                needs.accept(index);
                List<Tensor> out = blocks.get(index).forward(inner, in.get(0), in.get(1), context, last);
                inner.tape().beforeBackward(() -> needs.accept(index));
                return out;
            });
            x = streams.getFirst();
            if (!last) c = streams.get(1);
        }
        Tensor head = ops.take(x, batch, 0, outputTokens);                                        // [B T, D]
        Tensor modulation = ops.linear(samples, normOut);                                         // [B, 2 D]
        // Here the scale is stored first, unlike in the blocks.
        Tensor y = ops.layerNormModulate(head, modulation, 1, 0, RowMap.perSample(batch, outputTokens));
        return ops.linear(y, projOut);
    }

    /// Negative infinity for padded text tokens, which then weigh nothing as keys.
    private static @Nullable Tensor keyBias(Tape tape, TransformerInput input) {
        int textRows = input.textRows();
        if (Arrays.stream(input.textLengths()).allMatch(length -> length == textRows)) return null;
        int joint = textRows + input.tokensPerSample();
        float[] bias = new float[input.batch() * joint];
        for (int b = 0; b < input.batch(); b++) {
            Arrays.fill(bias, b * joint + input.textLengths()[b], b * joint + textRows, Float.NEGATIVE_INFINITY);
        }
        return tape.backend().floats(tape.arena(), bias, bias.length);
    }
}
