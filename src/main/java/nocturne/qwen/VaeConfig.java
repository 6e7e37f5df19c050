package nocturne.qwen;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// The sizes of a Qwen-Image autoencoder, as in `vae/config.json` (diffusers' `AutoencoderKLQwenImage`).
///
/// @param baseDim       channels at full resolution
/// @param latentDim     latent channels, 16 in every release
/// @param multipliers   channels of each level as a multiple of `baseDim`, finest first; each level halves the picture
/// @param resBlocks     residual blocks of an encoder level; a decoder level has one more
/// @param inputChannels channels of a picture, 3
/// @param latentsMean   mean of each latent channel over the training pictures, `[latentDim]`
/// @param latentsStd    deviation likewise, each greater than 0
public record VaeConfig(int baseDim, int latentDim, List<Integer> multipliers, int resBlocks, int inputChannels,
        List<Float> latentsMean, List<Float> latentsStd) {
    private static final int MOST_CHANNELS = 1 << 14;
    private static final int MOST_LEVELS = 8;

    public VaeConfig {
        multipliers = List.copyOf(multipliers);
        latentsMean = List.copyOf(latentsMean);
        latentsStd = List.copyOf(latentsStd);
    }

    /// Pixels along one side of what one latent stands for: 8 in every release.
    public int scale() {
        return 1 << (multipliers.size() - 1);
    }

    /// @throws UserMistake `MODEL_INVALID`, all problems of the file at once
    public static VaeConfig read(Path file) {
        try {
            return of(new ObjectMapper().readTree(Files.readString(file)), file.toString());
        } catch (JacksonException broken) {
            throw new UserMistake("MODEL_INVALID", file.toString(), "is not JSON: " + broken.getOriginalMessage());
        } catch (IOException unreadable) {
            throw new UserMistake("MODEL_INVALID", file.toString(),
                    "cannot be read; a model folder needs vae/config.json");
        }
    }

    /// @param where the file's name, for messages
    public static VaeConfig of(JsonNode json, String where) {
        return new Reader(json, where).read();
    }

    /// One pass over the file, which gathers every problem before it complains.
    private static final class Reader {
        private final JsonNode json;
        private final String where;
        private final List<Problem> problems = new ArrayList<>();

        Reader(JsonNode json, String where) {
            this.json = json;
            this.where = where;
        }

        VaeConfig read() {
            int baseDim = size("base_dim", 1024);
            int latentDim = size("z_dim", 1024);
            int resBlocks = size("num_res_blocks", 64);
            int inputChannels = json.has("input_channels") ? size("input_channels", 1024) : 3;
            if (inputChannels != 3) {
                complain("input_channels", inputChannels + " is not supported; only 3: red, green and blue");
            }
            List<Integer> multipliers = multipliers(baseDim);
            List<Float> mean = numbers("latents_mean", latentDim);
            List<Float> std = numbers("latents_std", latentDim);
            if (std.stream().anyMatch(value -> !(value > 0))) {
                complain("latents_std", "every deviation must be above 0");
            }
            if (!json.path("attn_scales").isMissingNode() && !json.path("attn_scales").isEmpty()) {
                complain("attn_scales", json.path("attn_scales") + " is not supported; it must be empty");
            }
            if (!problems.isEmpty()) {
                throw new UserMistake(where + " does not describe a Qwen-Image autoencoder.", problems);
            }
            return new VaeConfig(baseDim, latentDim, multipliers, resBlocks, inputChannels, mean, std);
        }

        private List<Integer> multipliers(int baseDim) {
            List<Integer> multipliers = new ArrayList<>();
            json.path("dim_mult").forEach(value -> multipliers.add(value.isInt() ? value.intValue() : 0));
            boolean sizesFit = multipliers.stream().allMatch(m -> m >= 1 && (long) m * baseDim <= MOST_CHANNELS);
            // Enlarging halves the channels of every decoder level but the finest.
            boolean halvesFit = multipliers.stream().skip(1).allMatch(m -> m * baseDim % 2 == 0);
            if (multipliers.isEmpty() || multipliers.size() > MOST_LEVELS || !sizesFit || !halvesFit) {
                complain("dim_mult", json.path("dim_mult")
                        + " is not allowed; 1 to 8 whole numbers above 0, each but the first even times base_dim");
            }
            return multipliers;
        }

        private int size(String key, int most) {
            JsonNode value = json.path(key);
            if (value.isInt() && value.intValue() >= 1 && value.intValue() <= most) return value.intValue();
            complain(key, (value.isMissingNode() ? "is missing" : value + " is not allowed")
                    + "; a whole number from 1 to " + most);
            return 1;
        }

        private List<Float> numbers(String key, int count) {
            List<Float> numbers = new ArrayList<>();
            json.path(key).forEach(value -> {
                if (value.isNumber() && Float.isFinite(value.floatValue())) numbers.add(value.floatValue());
            });
            if (numbers.size() != count || json.path(key).size() != count) {
                complain(key, "must be a list of %d numbers, one for each latent channel".formatted(count));
            }
            return numbers;
        }

        private void complain(String key, String what) {
            problems.add(new Problem("MODEL_INVALID", where + " " + key, what));
        }
    }
}
