package nocturne.quant;

import java.util.Optional;
import java.util.Set;

/// Which layers of a model are kept in a smaller format.
///
/// @param modules the layers by name, such as `transformer_blocks.0.attn.to_q`; all others stay as they are
public record LayerFormats(WeightType type, Set<String> modules) {
    /// Every layer stays as it is.
    public static final LayerFormats NONE = new LayerFormats(WeightType.UINT8, Set.of());

    public LayerFormats {
        modules = Set.copyOf(modules);
    }

    /// The format of a layer's weights `[out, in]`; empty where they stay as they are.
    public Optional<WeightType> of(String module, int in) {
        return modules.contains(module) && type.fits(in) ? Optional.of(type) : Optional.empty();
    }
}
