package nocturne.tensor;

import java.util.List;
import java.util.stream.Stream;
import nocturne.tensor.Linear.Adapter;

/// What is put beside each frozen linear layer of a model, by the layer's name in the model files.
public interface Adapters {
    /// Nothing anywhere: the base model.
    Adapters NONE = module -> List.of();

    /// @param module such as `transformer_blocks.0.attn.to_q`
    List<? extends Adapter> on(String module);

    /// These, and behind them those of `others`.
    default Adapters and(Adapters others) {
        if (this == NONE) return others;
        if (others == NONE) return this;
        return module -> Stream.<Adapter>concat(on(module).stream(), others.on(module).stream()).toList();
    }
}
