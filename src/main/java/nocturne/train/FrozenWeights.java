package nocturne.train;

import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;
import nocturne.adapter.LinearShape;
import nocturne.adapter.RecoveryAdapter;
import nocturne.io.ContentHash;
import nocturne.quant.LayerFormats;
import nocturne.quant.WeightCache;
import nocturne.qwen.Loading;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.Residency;
import nocturne.recipe.ModelRecipe;
import nocturne.recipe.WeightFormat;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// The transformer that is trained on: in which format its blocks' layers are kept, and what recovers their accuracy.
///
/// @param format       as the recipe has it; null for the weights as they are on disk
/// @param formats      the layers that are kept in it
/// @param recovery     null where there is none
/// @param recoveryHash identifies the recovery adapter; empty where there is none
record FrozenWeights(@Nullable WeightFormat format, LayerFormats formats, @Nullable RecoveryAdapter recovery,
                     String recoveryHash) {
    /// @param recovery where the recovery adapter lies; null where the recipe names none
    /// @param layers   the linear layers of the transformer's blocks
    /// @throws nocturne.problem.UserMistake `ADAPTER_INVALID` if the recovery adapter is for another model
    static FrozenWeights of(
            ModelRecipe recipe, @Nullable Path recovery, SequencedMap<String, LinearShape> layers) {
        WeightFormat format = recipe.transformerFormat();
        if (format == null || !format.type().isApplied()) return new FrozenWeights(null, LayerFormats.NONE, null, "");
        if (recovery == null) {
            return new FrozenWeights(format, new LayerFormats(format.type(), layers.keySet()), null, "");
        }
        RecoveryAdapter adapter = RecoveryAdapter.read(recovery, layers);
        return new FrozenWeights(format, new LayerFormats(format.type(), adapter.names()), adapter,
                ContentHash.ofFile(recovery));
    }

    /// @param cache   keeps the quantised weights for the next start; null to make them each time
    /// @param notices is told of a cache that is damaged or has no room
    /// @param weights where the transformer stays, but for the blocks that do not
    QwenImageTransformer load(ModelFolder model, @Nullable Path cache, Consumer<String> notices,
            Residency residency, Backend backend, TensorArena weights) {
        WeightCache kept = cache == null || formats.modules().isEmpty()
                ? null
                : new WeightCache(cache, model.identity("transformer"), notices);
        Loading loading = new Loading(formats, kept, residency);
        QwenImageTransformer transformer = model.loadTransformer(loading, backend, weights);
        return recovery == null ? transformer : transformer.recoveredBy(recovery.beside(backend, weights));
    }

    /// What the person should know about it.
    List<String> notices() {
        if (format == null) return List.of();
        return List.of(("model.quantize: the transformer has the numbers of %s, but this device computes with them in"
                + " float32: the results are those of the format, the memory is that of float32.")
                .formatted(format.type().spelling()));
    }
}
