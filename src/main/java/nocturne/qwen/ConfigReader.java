package nocturne.qwen;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Reads numbers out of a model's `config.json` and collects everything that is missing or not allowed on the way.
final class ConfigReader {
    private static final String CODE = "MODEL_INVALID";
    private static final int MAX_SIZE = 1 << 24;

    private final String where;
    private final JsonNode json;
    private final List<Problem> problems;

    private ConfigReader(String where, JsonNode json, List<Problem> problems) {
        this.where = where;
        this.json = json;
        this.problems = problems;
    }

    /// @param where the file's name, for messages
    ConfigReader(JsonNode json, String where) {
        this(where, json, new ArrayList<>());
    }

    /// @throws UserMistake `MODEL_INVALID` if the file is missing or is not JSON
    static ConfigReader open(Path file) {
        try {
            return new ConfigReader(new ObjectMapper().readTree(Files.readString(file)), file.toString());
        } catch (JsonProcessingException broken) {
            throw new UserMistake(CODE, file.toString(), "is not JSON: " + broken.getOriginalMessage());
        } catch (IOException unreadable) {
            throw new UserMistake(CODE, file.toString(), Files.exists(file) ? "cannot be read" : "is missing");
        }
    }

    /// The object at `key`, sharing the list of problems; this object itself where there is none.
    ConfigReader inside(String key) {
        return json.path(key).isObject() ? new ConfigReader(where + " " + key, json.path(key), problems) : this;
    }

    boolean has(String key) {
        return json.hasNonNull(key);
    }

    /// A whole number above 0 under the first of `keys` that is there.
    int size(String... keys) {
        JsonNode value = first(keys);
        if (value.isInt() && value.intValue() > 0 && value.intValue() <= MAX_SIZE) return value.intValue();
        problem(keys[0], described(value) + "; a whole number above 0");
        return 1;
    }

    /// A number above 0.
    double positive(String key) {
        JsonNode value = json.path(key);
        double number = value.isNumber() ? value.doubleValue() : 0;
        if (number > 0 && Double.isFinite(number)) return number;
        problem(key, described(value) + "; a number above 0");
        return 1;
    }

    /// A list of whole numbers of at least 0.
    List<Integer> wholeNumbers(String key) {
        List<Integer> numbers = new ArrayList<>();
        for (JsonNode number : json.path(key)) numbers.add(number.isInt() ? number.intValue() : -1);
        if (json.path(key).isArray() && numbers.stream().allMatch(n -> n >= 0)) return numbers;
        problem(key, "has to be a list of whole numbers");
        return List.of();
    }

    /// Refuses a setting that changes what the model computes in a way we do not.
    void expect(String key, String wanted) {
        String found = json.path(key).asText(wanted);
        if (!found.equals(wanted)) problem(key, "%s is not supported; Qwen2.5-VL has %s".formatted(found, wanted));
    }

    void problem(String key, String what) {
        problems.add(new Problem(CODE, where + " " + key, what));
    }

    void require(boolean holds, String key, String what) {
        if (!holds) problem(key, what);
    }

    /// @param what the part of the model, for the headline
    /// @throws UserMistake `MODEL_INVALID` with everything found
    void requireSound(String what) {
        if (!problems.isEmpty()) throw new UserMistake("%s does not describe a %s.".formatted(where, what), problems);
    }

    private static String described(JsonNode value) {
        return value.isMissingNode() ? "is missing" : value + " is not allowed";
    }

    private JsonNode first(String... keys) {
        return Arrays.stream(keys).filter(json::has).findFirst().map(json::path).orElse(json.path(keys[0]));
    }
}
