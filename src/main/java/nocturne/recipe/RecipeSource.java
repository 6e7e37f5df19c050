package nocturne.recipe;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;

/// YAML, JSON or JSON with comments as a tree of [Node]s, or the line on which it is none.
///
/// A recipe arrives from anywhere, so what YAML offers beyond plain data is refused: tags, merge keys, several
/// documents, and aliases that grow the tree beyond what a person writes. `${NAME}` is refused because a reader that
/// replaced it would tell the service's environment to whoever wrote the recipe.
final class RecipeSource {
    /// The largest recipes seen have some 300 nodes; this stops "billion laughs" long before it hurts.
    static final int MOST_NODES = 10_000;
    /// `config.process[0].train.optimizer_params.betas[0]` is 8 deep.
    static final int MOST_DEPTH = 24;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonReadFeature.ALLOW_JAVA_COMMENTS).enable(JsonReadFeature.ALLOW_TRAILING_COMMA).build();
    private static final String WRAPPER = "config.process[0].";
    private static final YAMLFactory YAML = new YAMLFactory();

    /// What an anchor stands for, with its size and depth, so that an alias is paid for before it is used.
    private record Anchored(Node node, int nodes, int depth) {}

    private final JsonParser parser;
    private final Findings findings;
    private final Map<String, Anchored> anchors = new HashMap<>();
    private int nodes;
    /// Depth of the deepest node since the innermost anchor began.
    private int deepest;

    private RecipeSource(JsonParser parser, Findings findings) {
        this.parser = parser;
        this.findings = findings;
    }

    /// @param file its ending decides: `.json` and `.jsonc` are JSON, everything else is YAML
    /// @throws UserMistake if the text is no such tree
    static Node parse(String text, String file, Findings findings) {
        RecipeText.check(text, findings);
        String name = file.toLowerCase(Locale.ROOT);
        boolean json = name.endsWith(".json") || name.endsWith(".jsonc");
        try (JsonParser parser = json ? JSON.createParser(text) : YAML.createParser(text)) {
            return new RecipeSource(parser, findings).document();
        } catch (IOException e) {
            throw new UncheckedIOException("reading a text in memory", e);
        }
    }

    private Node document() throws IOException {
        JsonToken first = next();
        if (first == null) return new Node.Scalar(Position.START, null);
        Node root = value(first, 1, "");
        if (next() != null) {
            throw findings.fatal(position(), "", "a second document begins here; a recipe is one document. "
                    + "Drop two jobs as two bundles.");
        }
        return root;
    }

    private Node value(JsonToken token, int depth, String path) throws IOException {
        Position at = position();
        if (isAlias()) return alias(at, depth);
        String anchor = anchor();
        refuseTag(at);
        count(1, depth, at);
        int nodesBefore = nodes - 1;
        int outerDeepest = deepest;
        deepest = depth;
        Node node = switch (token) {
            case START_OBJECT -> mapping(at, depth, path);
            case START_ARRAY -> sequence(at, depth, path);
            case VALUE_NULL -> new Node.Scalar(at, null);
            default -> scalar(at, path);
        };
        if (anchor != null) anchors.put(anchor, new Anchored(node, nodes - nodesBefore, deepest - depth + 1));
        deepest = Math.max(deepest, outerDeepest);
        return node;
    }

    private Node mapping(Position at, int depth, String path) throws IOException {
        List<Node.Entry> entries = new ArrayList<>();
        Map<String, Position> seen = new HashMap<>();
        for (JsonToken token = next(); token != JsonToken.END_OBJECT; token = next()) {
            if (token == null) throw findings.fatal(at, "", "this block never ends.");
            Position keyAt = position();
            String key = parser.currentName();
            if (isAlias()) throw findings.fatal(keyAt, "", "an alias cannot be a key.");
            if (key.equals("<<")) {
                throw findings.fatal(keyAt, "", "merge keys (<<) are not read; write the keys out.");
            }
            String keyPath = (path.isEmpty() ? "" : path + ".") + Shown.key(key);
            if (hasVariable(key)) refuseVariable(keyAt, keyPath);
            Position earlier = seen.putIfAbsent(key, keyAt);
            if (earlier != null) {
                findings.refuse(keyAt, shortened(keyPath), "is given twice, first in line %d; keep one."
                        .formatted(earlier.line()));
            }
            JsonToken valueToken = next();
            if (valueToken == null) throw findings.fatal(keyAt, "", "this key never gets a value.");
            Node value = value(valueToken, depth + 1, keyPath);
            if (earlier == null) entries.add(new Node.Entry(keyAt, key, value));
        }
        return new Node.Mapping(at, entries);
    }

    private Node sequence(Position at, int depth, String path) throws IOException {
        List<Node> items = new ArrayList<>();
        for (JsonToken token = next(); token != JsonToken.END_ARRAY; token = next()) {
            if (token == null) throw findings.fatal(at, "", "this list never ends.");
            items.add(value(token, depth + 1, path + "[" + items.size() + "]"));
        }
        return new Node.Sequence(at, items);
    }

    private Node scalar(Position at, String path) throws IOException {
        String text = parser.getText();
        if (!hasVariable(text)) return new Node.Scalar(at, text);
        refuseVariable(at, path);
        return new Node.Scalar(at, null);
    }

    private Node alias(Position at, int depth) throws IOException {
        String name = parser.getText();
        Anchored anchored = anchors.get(name);
        // An anchor is known once its node is complete, so an alias to itself ends here as well.
        if (anchored == null) throw findings.fatal(at, "", "the alias *" + Shown.key(name)
                + " names no anchor above it.");
        count(anchored.nodes(), depth + anchored.depth() - 1, at);
        return anchored.node();
    }

    private void count(int more, int depth, Position at) {
        nodes += more;
        deepest = Math.max(deepest, depth);
        if (nodes > MOST_NODES) {
            throw findings.fatal(at, "", "the recipe has more than %d values, aliases counted at full length."
                    .formatted(MOST_NODES));
        }
        if (depth > MOST_DEPTH) {
            throw findings.fatal(at, "", "blocks are nested more than %d deep here.".formatted(MOST_DEPTH));
        }
    }

    private static boolean hasVariable(String text) {
        return text.contains("${");
    }

    private void refuseVariable(Position at, String path) {
        findings.refuse(at, shortened(path), "${...} is not replaced: a recipe cannot read the environment. "
                + "Write the value itself.");
    }

    /// The path without the levels that every AI-Toolkit file has.
    private static String shortened(String path) {
        return path.startsWith(WRAPPER) ? path.substring(WRAPPER.length()) : path;
    }

    private void refuseTag(Position at) throws IOException {
        if (parser.getTypeId() != null) {
            throw findings.fatal(at, "", "YAML tags (!%s) are not read; write the plain value."
                    .formatted(Shown.key(String.valueOf(parser.getTypeId()))));
        }
    }

    private boolean isAlias() {
        return parser instanceof YAMLParser yaml && yaml.isCurrentAlias();
    }

    private @Nullable String anchor() throws IOException {
        return parser.canReadObjectId() && parser.getObjectId() != null ? parser.getObjectId().toString() : null;
    }

    private Position position() {
        return position(parser.currentTokenLocation());
    }

    private static Position position(@Nullable JsonLocation location) {
        return location == null ? Position.START
                : new Position(Math.max(1, location.getLineNr()), Math.max(1, location.getColumnNr()));
    }

    private @Nullable JsonToken next() throws IOException {
        try {
            return parser.nextToken();
        } catch (JsonProcessingException e) {
            throw syntaxError(e);
        }
    }

    private UserMistake syntaxError(JsonProcessingException e) {
        if (e.getCause() instanceof MarkedYAMLException yaml) {
            Mark mark = yaml.getProblemMark();
            Position at = mark == null ? position(e.getLocation())
                    : new Position(mark.getLine() + 1, mark.getColumn() + 1);
            String problem = String.valueOf(yaml.getProblem());
            if (problem.contains("'\\t(TAB)'")) {
                return findings.fatal(at, "", "a tab stands where YAML wants spaces; indent with spaces.");
            }
            String context = yaml.getContext() == null ? "" : " " + yaml.getContext();
            return findings.fatal(at, "", "is not valid YAML%s: %s.".formatted(context, Shown.key(problem)));
        }
        String message = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("unreadable");
        if (message.startsWith("Expected a field name")) message = "a key is a single word here";
        return findings.fatal(position(e.getLocation()), "", "cannot be read: " + Shown.key(message) + ".");
    }
}
