package nocturne.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;
import nocturne.adapter.LinearShape;
import nocturne.adapter.LoraTargets;
import nocturne.adapter.RecoveryAdapter;
import nocturne.io.ContentHash;
import nocturne.quant.LayerFormats;
import nocturne.quant.QuantizedCache;
import nocturne.quant.WeightType;
import nocturne.qwen.Loading;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.ModelRecipe;
import nocturne.recipe.WeightFormat;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// The transformer that is trained on: in which formats its layers are kept, and what recovers their accuracy.
///
/// Layers that no format is asked for stay as they are: in codes, if that is how they lie on disk.
///
/// @param asked        for the layers of the blocks, or for those that the recovery adapter names; null for none
/// @param wanted       the layers that are to be in that format
/// @param stored       the layers that lie on disk in codes which can be kept as they are
/// @param recovery     null where there is none
/// @param recoveryHash identifies the recovery adapter; empty where there is none
record FrozenWeights(@Nullable WeightType asked, LayerFormats wanted, LayerFormats stored,
                     @Nullable RecoveryAdapter recovery, String recoveryHash) {
    /// @param recovery where the recovery adapter lies; null where the recipe names none
    /// @param stored   see [ModelFolder#storedFormats]
    /// @throws nocturne.problem.UserMistake `ADAPTER_INVALID` if the recovery adapter is for another model
    static FrozenWeights of(
            ModelRecipe recipe, @Nullable Path recovery, TransformerConfig config, LayerFormats stored) {
        WeightFormat format = recipe.transformerFormat();
        if (format == null || !format.type().isApplied()) {
            return new FrozenWeights(null, LayerFormats.NONE, stored, null, "");
        }
        WeightType type = format.type();
        SequencedMap<String, LinearShape> layers = LoraTargets.of(config.layers(), config.width());
        if (recovery == null) {
            return new FrozenWeights(type, new LayerFormats(type, layers.keySet()), stored, null, "");
        }
        layers.putAll(LoraTargets.outside(config.width(), config.textWidth(), config.tokenWidth()));
        RecoveryAdapter adapter = RecoveryAdapter.read(recovery, layers);
        return new FrozenWeights(
                type, new LayerFormats(type, adapter.names()), stored, adapter, ContentHash.ofFile(recovery));
    }

    /// Which layers are kept in which format.
    LayerFormats formats() {
        return wanted.or(stored);
    }

    /// @param cache   keeps the quantised weights for the next start; null to make them each time
    /// @param notices is told of a cache that is damaged or has no room
    /// @param weights where the transformer stays, but for the blocks that do not
    QwenImageTransformer load(ModelFolder model, @Nullable Path cache, Consumer<String> notices,
            Residency residency, Backend backend, TensorArena weights) {
        QuantizedCache kept = cache == null || wanted.modules().isEmpty()
                ? null
                : new QuantizedCache(cache, model.identity("transformer"), notices);
        Loading loading = new Loading(formats(), kept, residency);
        QwenImageTransformer transformer = model.loadTransformer(loading, backend, weights);
        return recovery == null ? transformer : transformer.recoveredBy(recovery.beside(backend, weights));
    }

    /// What the person should know about it.
    ///
    /// @param keepsCodes whether the device does, see [Backend#keepsCodes]
    List<String> notices(boolean keepsCodes) {
        List<String> notices = new ArrayList<>();
        if (asked != null) {
            notices.add(keepsCodes
                    ? "model.quantize: %d layers of the transformer are kept in %s on the device.".formatted(
                            wanted.modules().size(), asked.spelling())
                    : ("model.quantize: the transformer has the numbers of %s, but this device computes with them in"
                            + " float32: the results are those of the format, the memory is that of float32.")
                            .formatted(asked.spelling()));
        }
        long asTheyAre = stored.modules().stream().filter(this::isUsedAsItIs).count();
        long again = stored.modules().size() - asTheyAre;
        if (asTheyAre > 0) {
            notices.add("the transformer lies on disk in 8-bit floats; the codes of %d layers are used as they are."
                    .formatted(asTheyAre));
        }
        if (again > 0 && asked != null) {
            notices.add(("model.qtype: the transformer lies on disk in 8-bit floats; %d layers are brought from those"
                    + " to %s, which loses twice. The bf16 files of the model would lose once.").formatted(
                            again, asked.spelling()));
        }
        return notices;
    }

    private boolean isUsedAsItIs(String module) {
        WeightType type = wanted.types().get(module);
        return type == null || type.isFloat8();
    }
}
