package nocturne.qwen;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import nocturne.io.TensorSource;
import nocturne.quant.Float8Tensors;
import nocturne.quant.LayerFormats;
import nocturne.quant.QuantizedCache;
import nocturne.quant.QuantizedLayers;
import nocturne.quant.WeightType;
import org.jspecify.annotations.Nullable;

/// In which form the weights of the text encoder and the vision tower come to a device.
///
/// @param format of all their linear layers; null as they lie in the files
/// @param cache  where they are kept in the format for the next start; null to quantise them each time
public record EncoderLoading(@Nullable WeightType format, @Nullable QuantizedCache cache) {
    /// All weights as they are in the files.
    public static final EncoderLoading PLAIN = new EncoderLoading(null, null);

    /// The linear layers whose names begin with a prefix: whatever has a matrix of weights.
    static List<String> modules(TensorSource source, String prefix) {
        String weight = ".weight";
        return source.tensors().keySet().stream()
                .filter(name -> name.startsWith(prefix) && name.endsWith(weight)
                        && source.entry(name).shape().size() == 2)
                .map(name -> name.substring(0, name.length() - weight.length()))
                .toList();
    }

    /// @param parts the modules of each part that is brought to the device at once
    QuantizedLayers layers(Float8Tensors source, List<List<String>> parts) {
        Set<String> modules = parts.stream().flatMap(Collection::stream).collect(Collectors.toSet());
        LayerFormats asked = format == null ? LayerFormats.NONE : new LayerFormats(format, modules);
        return QuantizedLayers.of(source, asked.or(source.formats()), cache, parts);
    }
}
