package nocturne.memory;

import java.util.List;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.RecoveryAdapter;
import nocturne.quant.LayerFormats;
import nocturne.qwen.PictureSize;
import nocturne.qwen.TextEncoderConfig;
import nocturne.qwen.TransformerConfig;
import nocturne.qwen.VaeConfig;
import nocturne.qwen.VisionPatches.PatchGrid;
import nocturne.qwen.VisionTowerConfig;
import org.jspecify.annotations.Nullable;

/// All of a run that decides what memory it takes.
///
/// @param transformer its sizes
/// @param formats     of its frozen weights
/// @param recovery    null where there is none
/// @param trained     what is trained
/// @param training    the largest step there will be
/// @param heldOut     the largest pass that measures; null where nothing is held out
/// @param encoders    null where nothing is encoded and nothing drawn
public record Workload(TransformerConfig transformer, LayerFormats formats, @Nullable RecoveryAdapter recovery,
        Trained trained, PassShape training, @Nullable PassShape heldOut, @Nullable Encoders encoders) {
    /// @param inBytes  whether the optimiser keeps its moments in bytes
    /// @param averaged whether there is a moving average
    public record Trained(LoraLayout layout, boolean inBytes, boolean averaged) {}

    /// The parts that turn pictures and words into what the transformer is given, and back.
    ///
    /// @param vision        null where nobody looks at control pictures
    /// @param promptTokens  of each prompt, with the template's
    /// @param controls      patches of each control picture that the language model is shown
    /// @param pictures      that are encoded; sides are multiples of 16
    /// @param drawings      that are made
    public record Encoders(VaeConfig autoencoder, TextEncoderConfig text, @Nullable VisionTowerConfig vision,
            List<Integer> promptTokens, List<PatchGrid> controls, List<PictureSize> pictures, List<Drawing> drawings) {
        public Encoders {
            promptTokens = List.copyOf(promptTokens);
            controls = List.copyOf(controls);
            pictures = List.copyOf(pictures);
            drawings = List.copyOf(drawings);
        }
    }

    /// A sample picture.
    ///
    /// @param pass     of the denoising loop, with the longer of its two prompts
    /// @param adapters that it shows, each of the layout that is trained
    public record Drawing(PassShape pass, PictureSize size, int adapters) {}

    /// Whether the autoencoder stays until the end.
    boolean draws() {
        return encoders != null && !encoders.drawings().isEmpty();
    }
}
