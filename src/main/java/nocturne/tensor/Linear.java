package nocturne.tensor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A frozen linear layer with low-rank adapters beside it: `y = x W^T + bias + sum_i scale_i (x A_i^T) B_i^T`.
///
/// Source: "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685, section 4.1.
///
/// @param weight   `[out, in]`
/// @param bias     `[out]` or null
/// @param adapters added in order; may be empty
public record Linear(Weight weight, @Nullable Tensor bias, List<LowRank> adapters) {
    public Linear {
        adapters = List.copyOf(adapters);
    }

    public Linear(Weight weight, @Nullable Tensor bias) {
        this(weight, bias, List.of());
    }

    public Linear with(List<LowRank> more) {
        return new Linear(weight, bias, more);
    }

    /// Frozen numbers: weight and bias, without adapters.
    public long parameters() {
        return weight.elements() + (bias == null ? 0 : bias.elements());
    }

    public int in() {
        return weight.columns();
    }

    public int out() {
        return weight.rows();
    }

    /// A low-rank update `scale * B A`.
    ///
    /// @param down  A, `[rank, in]`
    /// @param up    B, `[out, rank]`
    /// @param scale `alpha / rank` times the strength asked for
    public record LowRank(Tensor down, Tensor up, float scale) {
        boolean trained() {
            return down.requiresGrad();
        }
    }
}
