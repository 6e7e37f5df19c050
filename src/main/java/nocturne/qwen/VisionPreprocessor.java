package nocturne.qwen;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.image.Picture;
import nocturne.image.Resample;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.qwen.VisionPatches.PatchGrid;

/// Brings control pictures into the form the vision tower takes in: a size it can cut into patches, normalised colours,
/// patches in the tower's order.
///
/// Source: `Qwen2VLImageProcessorFast` of transformers, settings from the pipeline's `preprocessor_config.json`.
public final class VisionPreprocessor {
    /// Pictures longer than this many times their width (or wider) have no sensible size for the language model.
    public static final int MAX_ASPECT = 200;

    private final Settings settings;
    /// `[3][256]`: the normalised value of each 8-bit value of each channel.
    private final float[][] normalized = new float[3][256];

    /// @param minPixels   smaller pictures are enlarged to this many pixels
    /// @param maxPixels   larger pictures are shrunk to this many pixels
    /// @param patchSize   side of a patch in pixels
    /// @param mergeSize   patches per side of a merge cell; one cell becomes one token
    /// @param frames      identical copies of the picture a patch holds: the tower was made for films as well
    /// @param mean        per channel, on the scale 0..1
    /// @param deviation   per channel, on the scale 0..1
    public record Settings(long minPixels, long maxPixels, int patchSize, int mergeSize, int frames,
            List<Double> mean, List<Double> deviation) {
        public Settings {
            mean = List.copyOf(mean);
            deviation = List.copyOf(deviation);
        }

        /// Numbers in one patch.
        public int patchLength() {
            return 3 * frames * patchSize * patchSize;
        }
    }

    public VisionPreprocessor(Settings settings) {
        this.settings = settings;
        for (int channel = 0; channel < 3; channel++) {
            for (int value = 0; value < 256; value++) {
                normalized[channel][value] = (float)
                        ((value / 255.0 - settings.mean().get(channel)) / settings.deviation().get(channel));
            }
        }
    }

    /// Reads `preprocessor_config.json` in a pipeline's `processor/` folder.
    ///
    /// @throws UserMistake `MODEL_INVALID` with everything that is missing or not supported
    public static VisionPreprocessor open(Path folder) {
        Path file = folder.resolve("preprocessor_config.json");
        JsonNode json;
        try {
            json = new ObjectMapper().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            String why = Files.exists(file) ? "cannot be read as JSON" : "is missing; control pictures need it";
            throw new UserMistake("MODEL_INVALID", file.toString(), why);
        }
        return new VisionPreprocessor(new SettingsReader(file, json).read());
    }

    public Settings settings() {
        return settings;
    }

    /// The size at which the tower sees a picture of `width` x `height`: sides are multiples of a merge cell (28), the
    /// nearest ones unless the area leaves its bounds.
    ///
    /// @throws UserMistake `PICTURE_UNUSABLE` for a picture over 200 times as long as wide
    public PictureSize seenSize(int width, int height) {
        if (Math.max(width, height) > (long) MAX_ASPECT * Math.min(width, height)) {
            throw new UserMistake("PICTURE_UNUSABLE", "", ("A control picture of %d x %d pixels is more than %d times "
                    + "as long as wide; the language model cannot look at it.").formatted(width, height, MAX_ASPECT));
        }
        int cell = settings.patchSize() * settings.mergeSize();
        long seenWidth = (long) Math.rint((double) width / cell) * cell;
        long seenHeight = (long) Math.rint((double) height / cell) * cell;
        double area = (double) width * height;
        if (seenWidth * seenHeight > settings.maxPixels()) {
            double shrink = Math.sqrt(area / settings.maxPixels());
            seenWidth = Math.max(cell, (long) Math.floor(width / shrink / cell) * cell);
            seenHeight = Math.max(cell, (long) Math.floor(height / shrink / cell) * cell);
        } else if (seenWidth * seenHeight < settings.minPixels()) {
            double stretch = Math.sqrt(settings.minPixels() / area);
            seenWidth = (long) Math.ceil(width * stretch / cell) * cell;
            seenHeight = (long) Math.ceil(height * stretch / cell) * cell;
        }
        return new PictureSize(Math.toIntExact(seenWidth), Math.toIntExact(seenHeight));
    }

    /// Rows and columns of patches of a picture of `width` x `height`.
    public PatchGrid grid(int width, int height) {
        PictureSize seen = seenSize(width, height);
        return new PatchGrid(seen.height() / settings.patchSize(), seen.width() / settings.patchSize());
    }

    /// The tokens a picture of `width` x `height` takes in the language model's prompt.
    public int tokens(int width, int height) {
        return grid(width, height).tokens(settings.mergeSize());
    }

    /// Resizes, normalises and cuts.
    ///
    /// @throws UserMistake as [#seenSize]
    public VisionPatches patches(List<Picture> pictures) {
        List<PatchGrid> grids = new ArrayList<>();
        int total = 0;
        for (Picture picture : pictures) {
            PatchGrid grid = grid(picture.width(), picture.height());
            grids.add(grid);
            total = Math.addExact(total, grid.patches());
        }
        float[] pixelValues = new float[Math.multiplyExact(total, settings.patchLength())];
        int at = 0;
        for (int i = 0; i < pictures.size(); i++) {
            Picture picture = pictures.get(i);
            PictureSize seen = seenSize(picture.width(), picture.height());
            at = cut(Resample.torchvisionBicubic(picture, seen.width(), seen.height()), grids.get(i), pixelValues, at);
        }
        return new VisionPatches(pixelValues, settings.patchLength(), grids);
    }

    private int cut(Picture picture, PatchGrid grid, float[] out, int start) {
        int merge = settings.mergeSize();
        int at = start;
        for (int cellRow = 0; cellRow < grid.rows(); cellRow += merge) {
            for (int cellColumn = 0; cellColumn < grid.columns(); cellColumn += merge) {
                for (int row = cellRow; row < cellRow + merge; row++) {
                    for (int column = cellColumn; column < cellColumn + merge; column++) {
                        at = patch(picture, row * settings.patchSize(), column * settings.patchSize(), out, at);
                    }
                }
            }
        }
        return at;
    }

    private int patch(Picture picture, int top, int left, float[] out, int start) {
        int side = settings.patchSize();
        int at = start;
        for (int channel = 0; channel < 3; channel++) {
            for (int frame = 0; frame < settings.frames(); frame++) {
                for (int y = top; y < top + side; y++) {
                    for (int x = left; x < left + side; x++) {
                        out[at++] = normalized[channel][picture.at(x, y, channel)];
                    }
                }
            }
        }
        return at;
    }

    /// Collects every problem of the settings file before refusing it.
    private static final class SettingsReader {
        private final Path file;
        private final JsonNode json;
        private final List<Problem> problems = new ArrayList<>();

        SettingsReader(Path file, JsonNode json) {
            this.file = file;
            this.json = json;
        }

        Settings read() {
            for (String step : List.of("do_resize", "do_rescale", "do_normalize")) {
                if (!json.path(step).asBoolean(true)) problem(step, "is false; the model was trained with it");
            }
            // Newer files call the two bounds "size", with sides in the names though they count pixels.
            long min = whole(json.has("min_pixels") ? "/min_pixels" : "/size/shortest_edge", 1L << 40);
            long max = whole(json.has("max_pixels") ? "/max_pixels" : "/size/longest_edge", 1L << 40);
            if (min > max) problem("min_pixels", "is greater than max_pixels");
            Settings settings = new Settings(min, max, (int) whole("/patch_size", 64), (int) whole("/merge_size", 8),
                    (int) whole("/temporal_patch_size", 8), three("image_mean"), three("image_std"));
            if (settings.deviation().stream().anyMatch(d -> !(d > 0))) problem("image_std", "has to be above 0");
            if (!problems.isEmpty()) throw new UserMistake(file + " cannot be used.", problems);
            return settings;
        }

        private long whole(String pointer, long limit) {
            JsonNode value = json.at(pointer);
            long number = value.isIntegralNumber() ? value.longValue() : 0;
            if (number >= 1 && number <= limit) return number;
            problem(pointer.substring(1).replace('/', '.'), value.isMissingNode() ? "is missing"
                    : "is %s; expected a whole number from 1 to %d".formatted(value, limit));
            return 1;
        }

        private List<Double> three(String key) {
            List<Double> numbers = new ArrayList<>();
            for (JsonNode number : json.path(key)) if (number.isNumber()) numbers.add(number.doubleValue());
            if (numbers.size() == 3) return numbers;
            problem(key, "has to hold three numbers");
            return List.of(1.0, 1.0, 1.0);
        }

        private void problem(String key, String what) {
            problems.add(new Problem("MODEL_INVALID", file + " " + key, what));
        }
    }
}
