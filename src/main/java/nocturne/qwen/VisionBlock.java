package nocturne.qwen;

import java.util.List;
import nocturne.tensor.Attention;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;

/// One block of the vision tower: attention inside windows or over the whole picture, then a gated feed-forward part.
///
/// Source: transformers' `Qwen2_5_VLVisionBlock`.
///
/// @param qkv query, key and value, which lie in the files as one layer
record VisionBlock(VisionTowerConfig config, Tensor attentionNorm, List<Linear> qkv, Linear out, Tensor mlpNorm,
        Linear gate, Linear up, Linear down) {

    /// @param prefix what the block's tensors begin with, such as `visual.blocks.3.`
    static VisionBlock load(Weights weights, String prefix, VisionTowerConfig config) {
        int width = config.width();
        return new VisionBlock(config,
                weights.tensor(prefix + "norm1.weight", width),
                weights.linears(prefix + "attn.qkv", 3, width, width),
                weights.linear(prefix + "attn.proj", width, width),
                weights.tensor(prefix + "norm2.weight", width),
                weights.linear(prefix + "mlp.gate_proj", width, config.mlpWidth()),
                weights.linear(prefix + "mlp.up_proj", width, config.mlpWidth()),
                weights.linear(prefix + "mlp.down_proj", config.mlpWidth(), width));
    }

    /// Adds the block's two contributions to `h`, in place.
    ///
    /// @param h      `[patches, width]`, one picture in window order
    /// @param bounds cumulative patch numbers of what attends to each other
    void apply(Tape tape, Tensor h, HalfRotation rotation, int[] bounds) {
        Ops ops = new Ops(tape);
        Backend backend = tape.backend();
        Attention.Layout layout = new Attention.Layout(bounds, config.heads(), config.heads(), false);

        Tensor y = norm(tape, h, attentionNorm);
        Tensor queries = rotation.turn(tape, ops.linear(y, qkv.get(0)));
        Tensor keys = rotation.turn(tape, ops.linear(y, qkv.get(1)));
        Tensor attended = ops.attention(queries, keys, ops.linear(y, qkv.get(2)), null, layout);
        backend.elementwise().addScaled(ops.linear(attended, out), 1, h);

        y = norm(tape, h, mlpNorm);
        Tensor hidden = ops.linear(y, gate);                                            // [patches, mlpWidth]
        backend.elementwise().swiGlu(hidden, ops.linear(y, up), hidden);
        backend.elementwise().addScaled(ops.linear(hidden, down), 1, h);
    }

    static Tensor norm(Tape tape, Tensor x, Tensor weight) {
        Tensor y = tape.arena().allocate(x.shape());
        tape.backend().norms().rmsNorm(x, weight, VisionTowerConfig.RMS_EPS, y);
        return y;
    }
}
