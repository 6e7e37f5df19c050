package nocturne.qwen;

import nocturne.quant.LayerFormats;
import nocturne.quant.QuantizedCache;
import org.jspecify.annotations.Nullable;

/// In which form the frozen weights of a transformer come to a device.
///
/// @param formats   which layers are kept in a smaller format
/// @param cache     where those are kept for the next start; null to quantise them each time
/// @param residency which blocks stay on the device, if it has memory of its own
public record Loading(LayerFormats formats, @Nullable QuantizedCache cache, Residency residency) {
    /// All weights as they are in the files.
    public static final Loading PLAIN = new Loading(LayerFormats.NONE, null, Residency.ALL);

    /// All of the model on the device, some layers in a smaller format that is made each time.
    public static Loading in(LayerFormats formats) {
        return new Loading(formats, null, Residency.ALL);
    }
}
