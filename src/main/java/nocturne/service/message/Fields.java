package nocturne.service.message;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// The keys of one JSON object from outside, asked for one by one. What is wrong is collected, so that the sender
/// learns everything at once; a value that is wrong reads as null.
final class Fields {
    /// More than any request needs, and little enough to be read a thousand times a second.
    static final int LARGEST = 256 << 10;
    static final String UNREADABLE = "MESSAGE_UNREADABLE";
    static final String INVALID = "MESSAGE_INVALID";
    private static final String UNKNOWN_VERSION = "MESSAGE_VERSION";
    private static final String TOO_LARGE = "MESSAGE_TOO_LARGE";
    private static final int LONGEST_QUOTED = 60;

    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(50)
                    .maxStringLength(64 << 10)
                    .maxNameLength(1 << 10)
                    .maxNumberLength(100)
                    .maxDocumentLength(LARGEST)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final ObjectNode object;
    private final String prefix;
    private final List<Problem> problems;
    private final Set<String> known = new TreeSet<>();

    private Fields(ObjectNode object, String prefix, List<Problem> problems) {
        this.object = object;
        this.prefix = prefix;
        this.problems = problems;
    }

    /// @throws UserMistake if these bytes are no JSON object of version 1
    static Fields read(byte[] message) {
        if (message.length > LARGEST) {
            throw new UserMistake(TOO_LARGE, "",
                    "the message has %d bytes; at most %d are allowed. Name large things by"
                    .formatted(message.length, LARGEST) + " their address.");
        }
        JsonNode root;
        try {
            root = JSON.readTree(message);
        } catch (JsonProcessingException broken) {
            throw new UserMistake(UNREADABLE, "", "the message is not JSON as it should be: " + readable(broken));
        } catch (IOException broken) {
            throw new UserMistake(UNREADABLE, "", "the message is not text in UTF-8");
        }
        if (!(root instanceof ObjectNode object)) {
            throw new UserMistake(UNREADABLE, "", "the message is not a JSON object, such as {\"version\":1, ...}");
        }
        Fields fields = new Fields(object, "", new ArrayList<>());
        JsonNode version = fields.take("version");
        // A number that is 1 in any notation; what else a version might change, nobody knows.
        if (version == null || !version.isInt() || version.intValue() != 1) {
            throw new UserMistake(UNKNOWN_VERSION, "version", "%s; this Nocturne understands version 1".formatted(
                    version == null ? "is missing" : shown(version) + " is not known"));
        }
        return fields;
    }

    private static String readable(JsonProcessingException broken) {
        String what = String.valueOf(broken.getOriginalMessage());
        String where = broken.getLocation() == null ? "" : " (line %d, column %d)"
                .formatted(broken.getLocation().getLineNr(), broken.getLocation().getColumnNr());
        // Jackson explains its own settings in brackets, and quotes the sender's text at length.
        return cut(what.replaceAll("\\s*\\((?:`|from `|start marker|for Object).*", ""), 200) + where;
    }

    @Nullable String text(String key, int longest) {
        JsonNode value = take(key);
        if (value == null) return null;
        if (!value.isTextual()) return wrong(key, shown(value) + " is not allowed; a text in quotes");
        String text = value.textValue();
        if (text.isBlank()) return wrong(key, "is empty; leave it out, or say something");
        if (text.length() > longest) {
            return wrong(key, "has %d characters; at most %d are allowed".formatted(text.length(), longest));
        }
        return text;
    }

    @Nullable Integer number(String key, int least, int most) {
        JsonNode value = take(key);
        if (value == null) return null;
        if (value.isInt() && value.intValue() >= least && value.intValue() <= most) return value.intValue();
        wrong(key, "%s is not allowed; a whole number from %d to %d".formatted(shown(value), least, most));
        return null;
    }

    @Nullable Boolean flag(String key) {
        JsonNode value = take(key);
        if (value == null) return null;
        if (value.isBoolean()) return value.booleanValue();
        wrong(key, shown(value) + " is not allowed; true or false, without quotes");
        return null;
    }

    @Nullable Fields object(String key) {
        JsonNode value = take(key);
        if (value == null) return null;
        if (value instanceof ObjectNode inner) return new Fields(inner, prefix + key + ".", problems);
        wrong(key, shown(value) + " is not allowed; an object in braces");
        return null;
    }

    private @Nullable JsonNode take(String key) {
        known.add(key);
        JsonNode value = object.get(key);
        return value == null || value.isNull() ? null : value;
    }

    boolean has(String key) {
        return take(key) != null;
    }

    /// Notes what is wrong with a key.
    ///
    /// @return null, which is how a wrong value reads
    @Nullable String wrong(String key, String what) {
        problems.add(new Problem(INVALID, prefix + key, what));
        return null;
    }

    /// Notes the keys that nobody asked for.
    void refuseOthers() {
        List<String> others = new ArrayList<>();
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name)) others.add(name);
        });
        // A thousand foreign keys are one mistake.
        for (String name : others.subList(0, Math.min(others.size(), 10))) {
            wrong(cut(name, LONGEST_QUOTED), "is not known here; known are " + String.join(", ", known));
        }
    }

    /// @param what that was read, such as `the job request`
    /// @throws UserMistake if anything was wrong
    void refuseIfWrong(String what) {
        if (problems.isEmpty()) return;
        if (problems.size() == 1) throw new UserMistake(problems.getFirst().toString(), problems);
        throw new UserMistake("%s has %d problems".formatted(what, problems.size()), problems);
    }

    private static String shown(JsonNode value) {
        return switch (value.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "a list";
            default -> cut(value.toString(), LONGEST_QUOTED);
        };
    }

    private static String cut(String text, int longest) {
        return text.length() <= longest ? text : text.substring(0, longest) + "…";
    }
}
