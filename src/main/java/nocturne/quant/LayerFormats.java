package nocturne.quant;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Which layers of a model are kept in a smaller format, and in which.
///
/// @param types by layer, such as `transformer_blocks.0.attn.to_q`; all others stay as they are
public record LayerFormats(Map<String, WeightType> types) {
    /// Every layer stays as it is.
    public static final LayerFormats NONE = new LayerFormats(Map.of());

    public LayerFormats {
        types = Map.copyOf(types);
    }

    /// The same format for all of these.
    public LayerFormats(WeightType type, Set<String> modules) {
        this(modules.stream().collect(Collectors.toMap(Function.identity(), module -> type)));
    }

    /// These, and for the layers that they do not name those of `others`.
    public LayerFormats or(LayerFormats others) {
        Map<String, WeightType> all = new HashMap<>(others.types);
        all.putAll(types);
        return new LayerFormats(all);
    }

    /// The layers by name.
    public Set<String> modules() {
        return types.keySet();
    }

    /// The format of a layer's weights `[out, in]`; empty where they stay as they are.
    public Optional<WeightType> of(String module, int in) {
        return Optional.ofNullable(types.get(module)).filter(type -> type.fits(in));
    }
}
