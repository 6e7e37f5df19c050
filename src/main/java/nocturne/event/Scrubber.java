package nocturne.event;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Keeps secrets out of what is written down: every known one becomes `***`.
///
/// A secret is never meant to get into a text in the first place. But what a library puts into the message of its
/// exception is not ours to say, and such messages end up in events, files and logs. There is one list for the whole
/// process, because a text passes through many hands and a secret is one wherever it turns up.
public final class Scrubber {
    /// Shorter ones are part of ordinary words, and would make every text unreadable.
    public static final int SHORTEST = 6;
    static final String HIDDEN = "***";
    /// The longest first: one secret may be part of another.
    private static volatile List<String> known = List.of();

    private Scrubber() {}

    /// From now on this text, plain or as URLs and HTTP headers carry it, is replaced.
    public static synchronized void hide(String secret) {
        if (secret.length() < SHORTEST) return;
        Set<String> all = new LinkedHashSet<>(known);
        all.add(secret);
        all.add(URLEncoder.encode(secret, StandardCharsets.UTF_8));
        all.add(Base64.getEncoder().encodeToString(secret.getBytes(StandardCharsets.UTF_8)));
        known = all.stream().sorted(Comparator.comparingInt(String::length).reversed()).toList();
    }

    /// The text without any secret.
    public static String scrub(String text) {
        String clean = text;
        for (String secret : known) {
            if (clean.contains(secret)) clean = clean.replace(secret, HIDDEN);
        }
        return clean;
    }

    /// The same for every text below a node, but not for the names of fields.
    ///
    /// @return the node itself if there was nothing to do
    public static JsonNode scrub(JsonNode node) {
        return known.isEmpty() || !holdsSecret(node) ? node : copyOf(node);
    }

    /// The same for an event's data.
    public static ObjectNode scrub(ObjectNode data) {
        return scrub((JsonNode) data) instanceof ObjectNode clean ? clean : data;
    }

    private static boolean holdsSecret(JsonNode node) {
        return switch (node) {
            case TextNode text -> known.stream().anyMatch(text.textValue()::contains);
            default -> node.valueStream().anyMatch(Scrubber::holdsSecret);
        };
    }

    private static JsonNode copyOf(JsonNode node) {
        return switch (node) {
            case TextNode text -> TextNode.valueOf(scrub(text.textValue()));
            case ArrayNode array -> {
                ArrayNode copy = array.arrayNode(array.size());
                array.forEach(element -> copy.add(copyOf(element)));
                yield copy;
            }
            case ObjectNode object -> {
                ObjectNode copy = object.objectNode();
                object.forEachEntry((name, value) -> copy.set(name, copyOf(value)));
                yield copy;
            }
            default -> node;
        };
    }
}
