package nocturne.tensor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A frozen linear layer with adapters beside it: `y = x (W + sum_i delta_i)^T + bias`, where no delta is ever made.
///
/// @param weight   `[out, in]`
/// @param bias     `[out]` or null
/// @param adapters added in order; may be empty
public record Linear(Weight weight, @Nullable Tensor bias, List<Adapter> adapters) {
    public Linear {
        adapters = List.copyOf(adapters);
    }

    public Linear(Weight weight, @Nullable Tensor bias) {
        this(weight, bias, List.of());
    }

    public Linear with(List<? extends Adapter> more) {
        return new Linear(weight, bias, List.copyOf(more));
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

    /// What is added to the weight.
    public sealed interface Adapter {}

    /// A low-rank update `scale * B A`.
    ///
    /// Source: "LoRA: Low-Rank Adaptation of Large Language Models", arXiv:2106.09685, section 4.1.
    ///
    /// @param down  A, `[rank, in]`
    /// @param up    B, `[out, rank]`
    /// @param scale `alpha / rank` times the strength asked for
    public record LowRank(Tensor down, Tensor up, float scale) implements Adapter {
        boolean trained() {
            return down.requiresGrad();
        }
    }

    /// An update `scale * kron(first, second)`, always frozen: entry `(i K + r, j N + c)` of the product is
    /// `first[i, j] second[r, c]`.
    ///
    /// Source: LoKr in "Navigating Text-To-Image Customization", arXiv:2309.14859.
    ///
    /// @param first  `[L, M]`
    /// @param second `[K, N]`; the layer's out is `L K`, its in `M N`
    public record Kronecker(Tensor first, Tensor second, float scale) implements Adapter {}
}
