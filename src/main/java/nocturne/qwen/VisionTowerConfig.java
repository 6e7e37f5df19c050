package nocturne.qwen;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import nocturne.problem.UserMistake;

/// The sizes of the vision tower of Qwen2.5-VL: `vision_config` in `text_encoder/config.json`.
///
/// @param width      features of a patch inside the tower
/// @param layers     transformer blocks
/// @param heads      attention heads
/// @param mlpWidth   hidden width of the feed-forward part
/// @param patchSize  side of a patch in pixels
/// @param frames     frames a patch holds
/// @param mergeSize  patches per side of a merge cell, which becomes one token
/// @param windowSize side of an attention window in pixels
/// @param outWidth   features of a token, the language model's width
/// @param fullLayers blocks whose attention spans the whole picture instead of a window
public record VisionTowerConfig(int width, int layers, int heads, int mlpWidth, int patchSize, int frames,
        int mergeSize, int windowSize, int outWidth, List<Integer> fullLayers) {
    /// Added to the mean square in every norm of the tower.
    static final float RMS_EPS = 1e-6f;

    public VisionTowerConfig {
        fullLayers = List.copyOf(fullLayers);
    }

    public int headDim() {
        return width / heads;
    }

    /// Numbers in one patch: three channels, frames, rows, columns.
    public int patchLength() {
        return 3 * frames * patchSize * patchSize;
    }

    /// Patches in a merge cell.
    public int mergeUnit() {
        return mergeSize * mergeSize;
    }

    /// Side of an attention window in merge cells.
    public int windowCells() {
        return windowSize / patchSize / mergeSize;
    }

    /// @param file `text_encoder/config.json`
    /// @throws UserMistake `MODEL_INVALID`, all problems of the file at once
    public static VisionTowerConfig read(Path file) {
        return of(ConfigReader.open(file));
    }

    /// @param where the file's name, for messages
    static VisionTowerConfig of(JsonNode json, String where) {
        return of(new ConfigReader(json, where));
    }

    private static VisionTowerConfig of(ConfigReader whole) {
        whole.require(whole.has("vision_config"), "vision_config", "is missing; control pictures need it");
        ConfigReader vision = whole.inside("vision_config");
        VisionTowerConfig config = new VisionTowerConfig(vision.size("hidden_size"), vision.size("depth"),
                vision.size("num_heads"), vision.size("intermediate_size"), vision.size("patch_size"),
                vision.size("temporal_patch_size"), vision.size("spatial_merge_size"), vision.size("window_size"),
                vision.size("out_hidden_size"), vision.wholeNumbers("fullatt_block_indexes"));
        vision.expect("hidden_act", "silu");
        vision.require(vision.size("in_channels", "in_chans") == 3, "in_channels", "has to be 3: red, green, blue");
        vision.require(config.width % config.heads == 0 && config.headDim() % 4 == 0, "num_heads",
                "%d heads of %d features: a head needs a multiple of 4".formatted(config.heads, config.width));
        vision.require(config.windowCells() > 0, "window_size", "is smaller than a merge cell");
        whole.requireSound("Qwen2.5-VL vision tower");
        return config;
    }
}
