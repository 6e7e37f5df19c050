package nocturne.qwen;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// What a model's `scheduler/scheduler_config.json` says about its noise levels.
///
/// Field names and defaults are those of diffusers' `FlowMatchEulerDiscreteScheduler`. Settings that would lead to
/// another schedule than the one built here are refused when the file is read, so a config in hand is one we obey.
///
/// @param baseShift       `mu` of a picture with `baseImageTokens` tokens
/// @param maxShift        `mu` of a picture with `maxImageTokens` tokens
/// @param baseImageTokens tokens of the smaller reference picture
/// @param maxImageTokens  tokens of the larger reference picture; more than `baseImageTokens`
/// @param shiftTerminal   the last noise level before 0, in (0, 1); 0 leaves the schedule unstretched
/// @param trainTimesteps  the scheduler's timestep is this many times sigma
public record FlowMatchConfig(double baseShift, double maxShift, int baseImageTokens, int maxImageTokens,
                              double shiftTerminal, int trainTimesteps) {
    private static final String SCHEDULER = "FlowMatchEulerDiscreteScheduler";
    private static final long MAX_FILE_BYTES = 1 << 20;
    private static final int MAX_TOKENS = 1 << 24;
    private static final int MAX_TIMESTEPS = 1 << 20;
    // exp(mu) of a shift beyond this no longer leaves float32 room for a schedule.
    private static final double MAX_SHIFT = 10;

    /// Settings under which diffusers builds another schedule, with the only value accepted.
    private static final Map<String, String> REQUIRED = Map.of(
            "_class_name", SCHEDULER,
            "use_dynamic_shifting", "true",
            "time_shift_type", "exponential",
            "invert_sigmas", "false",
            "stochastic_sampling", "false",
            "use_beta_sigmas", "false",
            "use_exponential_sigmas", "false",
            "use_karras_sigmas", "false");
    // `shift` is the fixed shift, which dynamic shifting replaces.
    private static final Set<String> KNOWN = Set.of("shift", "base_shift", "max_shift", "base_image_seq_len",
            "max_image_seq_len", "shift_terminal", "num_train_timesteps");

    public FlowMatchConfig {
        if (!(Math.abs(baseShift) <= MAX_SHIFT && Math.abs(maxShift) <= MAX_SHIFT)) {
            throw new IllegalArgumentException("shifts %s, %s are not in [-10, 10]".formatted(baseShift, maxShift));
        }
        if (baseImageTokens < 1 || maxImageTokens <= baseImageTokens) {
            throw new IllegalArgumentException("tokens %d to %d".formatted(baseImageTokens, maxImageTokens));
        }
        if (!(shiftTerminal >= 0 && shiftTerminal < 1)) {
            throw new IllegalArgumentException("shiftTerminal must be in [0, 1), was " + shiftTerminal);
        }
        if (trainTimesteps < 1) throw new IllegalArgumentException("trainTimesteps " + trainTimesteps);
    }

    /// Reads `scheduler_config.json`.
    ///
    /// @throws UserMistake `MODEL_INVALID` with every setting that is out of range or not supported, each by name
    public static FlowMatchConfig read(Path file) {
        return new Reader(file).read();
    }

    /// How far the schedule leans towards noise for a picture of `targetTokens` tokens (control images not counted):
    /// the line through the two reference sizes, also outside of them.
    ///
    /// Source: `calculate_shift` of diffusers' `pipeline_qwenimage`, in the same order of operations.
    public double mu(int targetTokens) {
        double slope = (maxShift - baseShift) / (maxImageTokens - baseImageTokens);
        double intercept = baseShift - slope * baseImageTokens;
        return targetTokens * slope + intercept;
    }

    /// One pass over the file, which gathers every problem before it complains.
    private static final class Reader {
        private final Path file;
        private final List<Problem> problems = new ArrayList<>();

        Reader(Path file) {
            this.file = file;
        }

        FlowMatchConfig read() {
            JsonNode root = parsed();
            for (Map.Entry<String, JsonNode> setting : root.properties()) {
                checkSupported(setting.getKey(), setting.getValue());
            }
            if (!root.has("use_dynamic_shifting")) complain("use_dynamic_shifting", "is missing; it must be true");
            double baseShift = number(root, "base_shift", 0.5, -MAX_SHIFT, MAX_SHIFT);
            double maxShift = number(root, "max_shift", 1.15, -MAX_SHIFT, MAX_SHIFT);
            int baseTokens = whole(root, "base_image_seq_len", 256, MAX_TOKENS);
            int maxTokens = whole(root, "max_image_seq_len", 4096, MAX_TOKENS);
            double terminal = number(root, "shift_terminal", 0, 0, Math.nextDown(1.0));
            int timesteps = whole(root, "num_train_timesteps", 1000, MAX_TIMESTEPS);
            if (problems.isEmpty() && maxTokens <= baseTokens) {
                complain("max_image_seq_len", maxTokens + " is not more than base_image_seq_len, " + baseTokens);
            }
            if (!problems.isEmpty()) throw mistake();
            return new FlowMatchConfig(baseShift, maxShift, baseTokens, maxTokens, terminal, timesteps);
        }

        private JsonNode parsed() {
            try {
                if (Files.size(file) > MAX_FILE_BYTES) return broken("is larger than 1 MiB, as no such file should be");
                @Nullable JsonNode root = new ObjectMapper().readTree(Files.readString(file));
                return root != null && root.isObject() ? root : broken("is not a JSON object");
            } catch (JacksonException e) {
                return broken("is not JSON: " + e.getOriginalMessage());
            } catch (IOException e) {
                return broken((Files.exists(file) ? "cannot be read" : "is missing")
                        + "; the model folder needs this file");
            }
        }

        private void checkSupported(String key, JsonNode value) {
            @Nullable String required = REQUIRED.get(key);
            if (required != null) {
                if (!value.asText().equals(required)) complain(key, value + " is not supported; only " + required);
            } else if (!KNOWN.contains(key) && !key.startsWith("_") && !isOff(value)) {
                complain(key, "is a setting of no scheduler that is supported here");
            }
        }

        /// A setting of a later release that is switched off changes nothing.
        private static boolean isOff(JsonNode value) {
            return value.isNull() || value.isBoolean() && !value.booleanValue();
        }

        private double number(JsonNode root, String key, double preset, double low, double high) {
            JsonNode value = root.path(key);
            if (value.isMissingNode() || value.isNull()) return preset;
            double given = value.isNumber() ? value.doubleValue() : Double.NaN;
            if (given >= low && given <= high) return given;
            complain(key, "%s is not allowed; a number from %s to %s".formatted(value, low, high));
            return preset;
        }

        private int whole(JsonNode root, String key, int preset, int high) {
            JsonNode value = root.path(key);
            if (value.isMissingNode() || value.isNull()) return preset;
            if (value.isInt() && value.intValue() >= 1 && value.intValue() <= high) return value.intValue();
            complain(key, "%s is not allowed; a whole number from 1 to %d".formatted(value, high));
            return preset;
        }

        private JsonNode broken(String what) {
            problems.add(new Problem("MODEL_INVALID", file.toString(), what));
            throw mistake();
        }

        private void complain(String key, String what) {
            problems.add(new Problem("MODEL_INVALID", file + " " + key, what));
        }

        private UserMistake mistake() {
            String plural = problems.size() == 1 ? "" : "s";
            return new UserMistake("%s has %d problem%s.".formatted(file, problems.size(), plural), problems);
        }
    }
}
