package nocturne.qwen;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import nocturne.tensor.Attention;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.Rotation;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;
import nocturne.tensor.Weight;
import org.jspecify.annotations.Nullable;

/// One dual-stream block: picture tokens and text tokens with weights of their own, one joint attention.
///
/// Source: diffusers' `QwenImageTransformerBlock`; the design is MMDiT's, arXiv:2403.03206, figure 2.
record TransformerBlock(Stream picture, Stream text) {
    /// The parts of a modulation vector, in the order they are stored.
    private static final int SHIFT_1 = 0;
    private static final int SCALE_1 = 1;
    private static final int GATE_1 = 2;
    private static final int SHIFT_2 = 3;
    private static final int SCALE_2 = 4;
    private static final int GATE_2 = 5;
    /// Places of results that are used at once: of the model's width, and of the MLPs'.
    private static final int PICTURE = 0;
    private static final int TEXT = 1;
    private static final int PICTURE_HIDDEN = 2;
    private static final int TEXT_HIDDEN = 3;

    /// The weights of one stream.
    record Stream(Linear modulation, Linear q, Linear k, Linear v, Linear out, Linear mlpIn, Linear mlpOut,
            Tensor normQ, Tensor normK) {
        long parameters() {
            return normQ.elements() + normK.elements() + layers().stream().mapToLong(Linear::parameters).sum();
        }

        /// The modulation first.
        List<Linear> layers() {
            return List.of(modulation, q, k, v, out, mlpIn, mlpOut);
        }

        /// @param map from a layer's name and weights to the same layer with its adapters
        Stream with(String prefix, Names names, BiFunction<String, Linear, Linear> map) {
            return new Stream(
                    map.apply(prefix + names.modulation, modulation),
                    map.apply(prefix + names.q, q),
                    map.apply(prefix + names.k, k),
                    map.apply(prefix + names.v, v),
                    map.apply(prefix + names.out, out),
                    map.apply(prefix + names.mlpIn, mlpIn),
                    map.apply(prefix + names.mlpOut, mlpOut),
                    normQ,
                    normK);
        }
    }

    /// What a stream's layers are called in the model files.
    record Names(String modulation, String q, String k, String v, String out, String mlpIn, String mlpOut, String normQ,
            String normK) {
        static final Names PICTURE = new Names("img_mod.1", "attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0",
                "img_mlp.net.0.proj", "img_mlp.net.2", "attn.norm_q.weight", "attn.norm_k.weight");
        static final Names TEXT = new Names("txt_mod.1", "attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj",
                "attn.to_add_out", "txt_mlp.net.0.proj", "txt_mlp.net.2", "attn.norm_added_q.weight",
                "attn.norm_added_k.weight");

        List<String> modules() {
            return List.of(modulation, q, k, v, out, mlpIn, mlpOut);
        }
    }

    /// What all blocks of one forward pass share.
    ///
    /// @param condition   `silu(temb)`, `[B, D]`, or `[B + 1, D]` with noise level 0 in the last row
    /// @param textSamples `silu(temb)` of the samples alone, `[B, D]`
    /// @param keyBias     `[B * (L + N)]`, negative infinity at padded text tokens; null where nothing is padded
    record Context(int batch, Tensor condition, Tensor textSamples, RowMap pictureMap, RowMap textMap,
            Rotation rotation, @Nullable Tensor keyBias, Attention.Layout layout) {}

    long parameters() {
        return picture.parameters() + text.parameters();
    }

    /// All its frozen tensors, without the modulation layers'.
    List<Weight> weightsBesideModulation() {
        List<Weight> weights = new ArrayList<>();
        for (Stream stream : List.of(picture, text)) {
            weights.addAll(weights(stream.layers().subList(1, stream.layers().size())));
            weights.add(stream.normQ);
            weights.add(stream.normK);
        }
        return weights;
    }

    /// All its frozen tensors.
    List<Weight> weights() {
        List<Weight> weights = weightsBesideModulation();
        weights.addAll(weights(List.of(picture.modulation, text.modulation)));
        return weights;
    }

    static List<Weight> weights(List<Linear> layers) {
        List<Weight> weights = new ArrayList<>();
        for (Linear layer : layers) {
            weights.add(layer.weight());
            Tensor bias = layer.bias();
            if (bias != null) weights.add(bias);
        }
        return weights;
    }

    TransformerBlock with(int index, BiFunction<String, Linear, Linear> map) {
        String prefix = prefix(index);
        return new TransformerBlock(picture.with(prefix, Names.PICTURE, map), text.with(prefix, Names.TEXT, map));
    }

    /// The layers that all picture tokens go through, by name; the modulation is made once for a sample.
    Map<String, Weight> pictureWeights(int index) {
        Map<String, Weight> weights = new LinkedHashMap<>();
        picture.with(prefix(index), Names.PICTURE, (module, layer) -> {
            if (layer != picture.modulation) weights.put(module, layer.weight());
            return layer;
        });
        return weights;
    }

    static String prefix(int index) {
        return "transformer_blocks." + index + ".";
    }

    /// The names of a block's linear layers.
    static List<String> modules(int index) {
        return List.of(Names.PICTURE, Names.TEXT).stream().flatMap(names -> names.modules().stream())
                .map(prefix(index)::concat).toList();
    }

    static TransformerBlock load(Weights weights, int index, TransformerConfig config) {
        return load(weights, modulation(weights, index, config), index, config);
    }

    /// @param modulation the layers of [#modulation], or what stands in their place
    static TransformerBlock load(Weights weights, List<Linear> modulation, int index, TransformerConfig config) {
        return new TransformerBlock(
                stream(weights, prefix(index), Names.PICTURE, modulation.get(0), config),
                stream(weights, prefix(index), Names.TEXT, modulation.get(1), config));
    }

    /// The layers that make both streams' modulation vectors.
    static List<Linear> modulation(Weights weights, int index, TransformerConfig config) {
        int width = config.width();
        return List.of(weights.linear(prefix(index) + Names.PICTURE.modulation, width, 6 * width),
                weights.linear(prefix(index) + Names.TEXT.modulation, width, 6 * width));
    }

    private static Stream stream(
            Weights weights, String prefix, Names names, Linear modulation, TransformerConfig config) {
        int width = config.width();
        return new Stream(
                modulation,
                weights.linear(prefix + names.q, width, width),
                weights.linear(prefix + names.k, width, width),
                weights.linear(prefix + names.v, width, width),
                weights.linear(prefix + names.out, width, width),
                weights.linear(prefix + names.mlpIn, width, config.mlpWidth()),
                weights.linear(prefix + names.mlpOut, config.mlpWidth(), width),
                weights.tensor(prefix + names.normQ, config.headDim()),
                weights.tensor(prefix + names.normK, config.headDim()));
    }

    /// @param x    picture tokens, `[B * N, D]`
    /// @param c    text tokens, `[B * L, D]`
    /// @param last the text stream's update feeds nothing after the last block and is left out
    /// @return `[x, c]`, or `[x]` for the last block
    List<Tensor> forward(Ops ops, Tensor x, Tensor c, Context context, boolean last) {
        int batch = context.batch;
        int pictureRows = context.pictureMap.rows();
        int textRows = context.textMap.rows();
        List<Tensor> modulations = modulations(ops, context);
        Tensor im = modulations.get(0);                                                           // [B (+ 1), 6 D]
        Tensor tm = modulations.get(1);                                                           // [B, 6 D]
        Tensor a = ops.briefly(PICTURE).layerNormModulate(x, im, SHIFT_1, SCALE_1, context.pictureMap);
        Tensor b = ops.briefly(TEXT).layerNormModulate(c, tm, SHIFT_1, SCALE_1, context.textMap);

        List<Tensor> p = ops.linears(a, List.of(picture.q, picture.k, picture.v), b, List.of(text.q, text.k, text.v));
        Tensor q = ops.joinRotated(p.get(3), text.normQ, p.get(0), picture.normQ, context.rotation, batch);
        Tensor k = ops.joinRotated(p.get(4), text.normK, p.get(1), picture.normK, context.rotation, batch);
        Tensor v = ops.join(p.get(5), p.get(2), batch);                                           // [B (L + N), D]
        Tensor o = ops.attention(q, k, v, context.keyBias, context.layout);

        if (last) {
            Tensor fromPicture = ops.briefly(PICTURE).take(o, batch, textRows, pictureRows);
            Tensor x1 = ops.gatedResidual(x, ops.linear(fromPicture, picture.out), im, GATE_1, context.pictureMap);
            return List.of(feedForward(ops, x1, im, picture, context.pictureMap));
        }
        List<Tensor> parts = ops.split(o, batch, textRows, TEXT, PICTURE);
        List<Tensor> out = ops.linears(parts.get(1), List.of(picture.out), parts.get(0), List.of(text.out));
        Tensor x1 = ops.gatedResidual(x, out.get(0), im, GATE_1, context.pictureMap);
        Tensor c1 = ops.gatedResidual(c, out.get(1), tm, GATE_1, context.textMap);
        return feedForward(ops, x1, im, c1, tm, context);
    }

    /// The modulation vectors of both streams; without `zero_cond_t` they are made from the same embedding.
    private List<Tensor> modulations(Ops ops, Context context) {
        if (context.condition == context.textSamples) {
            return List.of(ops.linear(context.condition, picture.modulation),
                    ops.linear(context.textSamples, text.modulation));
        }
        return ops.linears(
                context.condition, List.of(picture.modulation), context.textSamples, List.of(text.modulation));
    }

    /// Both streams' feed-forward parts.
    private List<Tensor> feedForward(Ops ops, Tensor x, Tensor im, Tensor c, Tensor tm, Context context) {
        Tensor a = ops.briefly(PICTURE).layerNormModulate(x, im, SHIFT_2, SCALE_2, context.pictureMap);
        Tensor b = ops.briefly(TEXT).layerNormModulate(c, tm, SHIFT_2, SCALE_2, context.textMap);
        List<Tensor> in = ops.linears(a, List.of(picture.mlpIn), b, List.of(text.mlpIn));          // [.., 4 D]
        Tensor h = ops.briefly(PICTURE_HIDDEN).geluTanh(in.get(0));
        Tensor g = ops.briefly(TEXT_HIDDEN).geluTanh(in.get(1));
        List<Tensor> out = ops.linears(h, List.of(picture.mlpOut), g, List.of(text.mlpOut));
        return List.of(ops.gatedResidual(x, out.get(0), im, GATE_2, context.pictureMap),
                ops.gatedResidual(c, out.get(1), tm, GATE_2, context.textMap));
    }

    private static Tensor feedForward(Ops ops, Tensor x, Tensor modulation, Stream stream, RowMap map) {
        Tensor a = ops.briefly(PICTURE).layerNormModulate(x, modulation, SHIFT_2, SCALE_2, map);
        Tensor hidden = ops.briefly(PICTURE_HIDDEN).geluTanh(ops.linear(a, stream.mlpIn));         // [.., 4 D]
        return ops.gatedResidual(x, ops.linear(hidden, stream.mlpOut), modulation, GATE_2, map);
    }
}
