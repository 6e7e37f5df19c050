package nocturne.recipe;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.quant.WeightType;

/// The key tables as a JSON Schema, with which editors complete, explain and check a recipe while it is written.
///
/// It says what can be said about a key by itself. What two keys mean together, and what a bundle must hold, only
/// [RecipeReader] knows: a text that the schema accepts may still have problems, a recipe that the reader takes without
/// a notice satisfies the schema.
///
/// Source: JSON Schema, draft 2020-12.
public final class RecipeSchema {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String DIALECT = "https://json-schema.org/draft/2020-12/schema";
    /// YAML 1.1, which most editors speak, reads `1e-4` as a text.
    private static final String NUMBER_AS_TEXT = "^[-+]?(\\d[\\d_]*\\.?[\\d_]*|\\.\\d[\\d_]*)([eE][-+]?\\d+)?$";
    private static final String IGNORED = "[-_ ]*";
    private static final List<String> MOVED_BLOCKS = List.of("optimizer", "training", "ema_config");

    private RecipeSchema() {}

    /// The schema as JSON text.
    public static String json() {
        ObjectNode definitions = JSON.objectNode();
        ObjectNode schema = JSON.objectNode().put("$schema", DIALECT).put("title", "Recipe of a Nocturne job")
                .put("description", "The short form, or AI-Toolkit's: job, config, process.");
        schema.set("anyOf", JSON.arrayNode().add(reference("recipe")).add(reference("wrapped")).add(ofType("null")));
        definitions.set("recipe", recipe());
        definitions.set("wrapped", wrapped());
        schema.set("$defs", definitions);
        try {
            return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(schema) + "\n";
        } catch (JsonProcessingException e) {
            throw new AssertionError("a tree of nodes is always JSON", e);
        }
    }

    private static ObjectNode recipe() {
        ObjectNode recipe = block(RootKeys.ROOT);
        ObjectNode properties = (ObjectNode) recipe.get("properties");
        // Blocks that other spellings have beside `train`; Dialect moves them.
        for (String moved : MOVED_BLOCKS) {
            if (!properties.has(moved)) properties.set(moved, JSON.objectNode());
        }
        ((ObjectNode) properties.at("/train/properties")).set("optimizer", JSON.objectNode()
                .set("anyOf", JSON.arrayNode().add(key(TrainKeys.OPTIMIZER)).add(ofType("object"))));
        return recipe;
    }

    /// `job`, `config: {name, process: [recipe]}`, `meta`.
    private static ObjectNode wrapped() {
        ObjectNode process = ofType("array").put("minItems", 1).put("maxItems", 1);
        process.set("items", reference("recipe"));
        // A single one may stand without its dash.
        ObjectNode processes = JSON.objectNode();
        processes.set("anyOf", JSON.arrayNode().add(process).add(reference("recipe")));
        ObjectNode config = ofType("object");
        config.set("properties", JSON.objectNode().<ObjectNode>set("name", key(RootKeys.NAME))
                .set("process", processes));
        config.set("required", JSON.arrayNode().add("process"));
        ObjectNode wrapped = ofType("object");
        ObjectNode properties = JSON.objectNode();
        properties.set("job", JSON.objectNode());
        properties.set("config", config);
        properties.set("meta", key(RootKeys.META));
        wrapped.set("properties", properties);
        wrapped.set("required", JSON.arrayNode().add("config"));
        return wrapped;
    }

    private static ObjectNode block(Block block) {
        ObjectNode properties = JSON.objectNode();
        ObjectNode patterns = JSON.objectNode();
        for (Key<?> key : block.keys()) {
            for (String name : key.names()) {
                ObjectNode described = key(key);
                if (!name.equals(key.name())) described.put("description", "The same as %s.".formatted(key.name()));
                properties.set(name, described);
            }
        }
        for (Block inner : block.blocks()) {
            ObjectNode schema = block(inner);
            properties.set(inner.name(), inner.list() ? listOf(schema) : schema);
        }
        for (Unused row : block.unused()) {
            for (String spec : row.names()) {
                String name = Unused.name(spec);
                ObjectNode schema = unused(row, Unused.value(spec));
                if (name.endsWith("*")) patterns.set("^" + name.substring(0, name.length() - 1), schema);
                else properties.set(name, schema);
            }
        }
        ObjectNode schema = JSON.objectNode();
        schema.set("type", JSON.arrayNode().add("object").add("null"));
        schema.set("properties", properties);
        if (!patterns.isEmpty()) schema.set("patternProperties", patterns);
        return schema.put("additionalProperties", false);
    }

    private static <T> ObjectNode key(Key<T> key) {
        ObjectNode schema = JSON.objectNode();
        schema.put("description", (key.meaning() + " " + key.why()).strip());
        ArrayNode kinds = JSON.arrayNode();
        kind(key.kind()).forEach(kinds::add);
        // A key without a value counts as not written.
        schema.set("anyOf", kinds.add(ofType("null")));
        key.standard().ifPresent(value -> schema.set("default", parsed(key.kind().print(value))));
        return schema;
    }

    private static ObjectNode unused(Unused row, String allowed) {
        String description = switch (row) {
            case Unused.Ignored ignored -> "Not used: " + ignored.why() + ".";
            case Unused.Fixed fixed -> "%s: %s.".formatted(
                    allowed.isEmpty() ? "Off only" : "Only " + allowed.replace("|", " or "), fixed.why());
            case Unused.Refused refused -> "Not supported: " + refused.why() + ".";
        };
        ObjectNode schema = JSON.objectNode().put("description", description).put("deprecated", true);
        if (row instanceof Unused.Refused) schema.put("type", "null");
        return schema;
    }

    /// The forms a value may have.
    private static Stream<ObjectNode> kind(Kind<?> kind) {
        return switch (kind) {
            case Kind.Flag() -> Stream.of(ofType("boolean"),
                    spelled(Stream.of("true", "false", "yes", "no", "on", "off"), ""));
            case Kind.Whole(int least, int most, int unit) -> {
                ObjectNode whole = ofType("integer").put("minimum", least).put("maximum", most);
                yield Stream.of(unit == 1 ? whole : whole.put("multipleOf", unit), numberAsText());
            }
            case Kind.Seed() -> Stream.of(ofType("integer").put("minimum", 0).put("maximum", Kind.Seed.MOST),
                    numberAsText());
            case Kind.Real(double least, double most, boolean open) -> Stream.of(
                    ofType("number").put(open ? "exclusiveMinimum" : "minimum", least).put("maximum", most),
                    numberAsText());
            case Kind.Text(String expects, int most, var _) ->
                    Stream.of(JSON.objectNode().put("title", expects).put("maxLength", most)
                            .set("type", scalar()));
            case Kind.MemoryBytes size -> Stream.of(ofType("string").put("title", size.expects())
                    .put("pattern", "^ *\\d{1,4}(\\.\\d{1,9})? ?[gG][iI]?[bB] *$"));
            case Kind.BundlePath path -> Stream.of(scalar(path.expects()));
            case Kind.ModelPlace place -> Stream.of(scalar(place.expects()));
            case Kind.Choice<?> choice -> Stream.of(
                    values(choice.constants().map(Spelled::spelling)),
                    spelled(choice.constants().flatMap(constant -> constant.allSpellings().stream()), "")
                            .put("title", choice.expects()));
            case Kind.WeightFormatText format -> Stream.of(
                    values(Stream.of(WeightType.values()).map(WeightType::spelling)),
                    spelled(Stream.of(WeightType.values()).map(WeightType::spelling), "(\\s*\\|.+)?")
                            .put("title", format.expects()));
            case Kind.ListOf<?>(Kind<?> item, int least, int most) -> {
                ArrayNode items = JSON.arrayNode();
                kind(item).forEach(items::add);
                ObjectNode list = ofType("array").put("minItems", least).put("maxItems", most);
                list.set("items", JSON.objectNode().set("anyOf", items));
                yield least <= 1 ? Stream.concat(Stream.of(list), kind(item)) : Stream.of(list);
            }
            case Kind.Placed<?>(Kind<?> item) -> kind(item);
            case Kind.Notes() -> Stream.of(ofType("object"));
        };
    }

    private static ObjectNode values(Stream<String> values) {
        ArrayNode all = JSON.arrayNode();
        values.forEach(all::add);
        return JSON.objectNode().set("enum", all);
    }

    /// Upper case, `_`, `-` and blanks make no difference, which an enum cannot say.
    private static ObjectNode spelled(Stream<String> words, String ending) {
        String any = words.map(word -> word.replaceAll("[-_ ]", "").chars()
                        .mapToObj(letter -> Character.isLetter(letter)
                                ? "[%c%c]".formatted(letter, Character.toUpperCase(letter))
                                : "%c".formatted(letter))
                        .collect(Collectors.joining(IGNORED, IGNORED, IGNORED)))
                .collect(Collectors.joining("|", "^(", ")" + ending + "$"));
        return ofType("string").put("pattern", any);
    }

    private static ObjectNode numberAsText() {
        return ofType("string").put("pattern", NUMBER_AS_TEXT);
    }

    private static ObjectNode scalar(String expects) {
        return JSON.objectNode().put("title", expects).set("type", scalar());
    }

    private static ArrayNode scalar() {
        return JSON.arrayNode().add("string").add("number").add("boolean");
    }

    private static ObjectNode listOf(ObjectNode items) {
        ObjectNode list = JSON.objectNode();
        list.set("type", JSON.arrayNode().add("array").add("null"));
        return list.set("items", items);
    }

    private static ObjectNode ofType(String type) {
        return JSON.objectNode().put("type", type);
    }

    private static ObjectNode reference(String definition) {
        return JSON.objectNode().put("$ref", "#/$defs/" + definition);
    }

    private static JsonNode parsed(String yaml) {
        try {
            return new YAMLMapper().readTree(yaml);
        } catch (JsonProcessingException e) {
            throw new AssertionError("what a kind prints is YAML: " + yaml, e);
        }
    }
}
