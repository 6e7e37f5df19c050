package nocturne.qwen;

import nocturne.tensor.Attention;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;

/// One decoder layer of the language model: attention that looks back, then a gated feed-forward part.
///
/// Source: transformers' `Qwen2_5_VLDecoderLayer`.
record TextEncoderLayer(TextEncoderConfig config, Tensor attentionNorm, Linear q, Linear k, Linear v, Linear out,
        Tensor mlpNorm, Linear gate, Linear up, Linear down) {

    /// @param prefix what the layer's tensors begin with, such as `model.layers.3.`
    static TextEncoderLayer load(Weights weights, String prefix, TextEncoderConfig config) {
        int width = config.width();
        int kvWidth = config.kvHeads() * config.headDim();
        int qWidth = config.heads() * config.headDim();
        return new TextEncoderLayer(config,
                weights.tensor(prefix + "input_layernorm.weight", width),
                weights.linear(prefix + "self_attn.q_proj", width, qWidth),
                weights.linear(prefix + "self_attn.k_proj", width, kvWidth),
                weights.linear(prefix + "self_attn.v_proj", width, kvWidth),
                weights.linearWithoutBias(prefix + "self_attn.o_proj", qWidth, width),
                weights.tensor(prefix + "post_attention_layernorm.weight", width),
                weights.linearWithoutBias(prefix + "mlp.gate_proj", width, config.mlpWidth()),
                weights.linearWithoutBias(prefix + "mlp.up_proj", width, config.mlpWidth()),
                weights.linearWithoutBias(prefix + "mlp.down_proj", config.mlpWidth(), width));
    }

    /// Adds the layer's two contributions to `h`, in place.
    ///
    /// @param h `[S, width]`, one prompt
    void apply(Tape tape, Tensor h, HalfRotation rotation) {
        Ops ops = new Ops(tape);
        Backend backend = tape.backend();
        int tokens = h.rows();
        Attention.Layout layout =
                new Attention.Layout(new int[] {0, tokens}, config.heads(), config.kvHeads(), true);

        Tensor y = norm(tape, h, attentionNorm);
        Tensor queries = rotation.turn(tape, ops.linear(y, q));                         // [S, heads * headDim]
        Tensor keys = rotation.turn(tape, ops.linear(y, k));                            // [S, kvHeads * headDim]
        Tensor attended = ops.attention(queries, keys, ops.linear(y, v), null, layout);
        backend.elementwise().addScaled(ops.linear(attended, out), 1, h);

        y = norm(tape, h, mlpNorm);
        Tensor hidden = ops.linear(y, gate);                                            // [S, mlpWidth]
        backend.elementwise().swiGlu(hidden, ops.linear(y, up), hidden);
        backend.elementwise().addScaled(ops.linear(hidden, down), 1, h);
    }

    private Tensor norm(Tape tape, Tensor x, Tensor weight) {
        Tensor y = tape.arena().allocate(x.shape());
        tape.backend().norms().rmsNorm(x, weight, config.rmsEps(), y);
        return y;
    }
}
