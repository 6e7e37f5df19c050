package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is made from the key tables: the schema agrees with the reader, and the committed documents with the tables.
class RecipeDocumentsTest {
    private static final JsonSchema SCHEMA =
            JsonSchemaFactory.getInstance(VersionFlag.V202012).getSchema(RecipeSchema.json());
    private static final RecipeReader READER = RecipeReader.in(
            new BundleFacts("maya.zip", new TreeMap<>(Map.of("dataset/40_maya", 7, "a", 3, ".", 1))));

    @Test
    void theCommittedReferenceIsOfTheseTables() throws IOException {
        assertThat(Files.readString(Path.of("docs/recipe.md")))
                .as("./nocturne recipe reference > docs/recipe.md").isEqualTo(RecipeReference.markdown());
    }

    @Test
    void theCommittedSchemaIsOfTheseTables() throws IOException {
        assertThat(Files.readString(Path.of("docs/recipe.schema.json")))
                .as("./nocturne recipe schema > docs/recipe.schema.json").isEqualTo(RecipeSchema.json());
    }

    @ParameterizedTest
    @ValueSource(strings = {"src/test/resources/nocturne/recipe/qwen-character-template.yaml",
        "src/test/resources/nocturne/recipe/web-interface-job.json", "examples/ohwx/recipe.yaml"})
    void theSchemaAcceptsRecipesThatAreInUse(String file) throws IOException {
        assertThat(complaints(Files.readString(Path.of(file)))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "trigger: ohwx", "train: {lr: 1e-4}", "train: {lr: '1e-4'}",
        "train: {optimizer: {name: adamw8bit, lr: 2e-4}}", "optimizer: {name: adamw8bit}", "training: {epochs: 10}",
        "train: {noise_scheduler: flow_match, timestep_type: Flux-Shift}", "datasets: [{folder_path: a,"
            + " resolution: 1024}]", "network: {linear: null}", "model: {qtype: 'uint3|recovery.safetensors'}",
        "datasets:", "train: {steps: '1_000'}",
        "model: {quantize: 'Yes'}", "datasets: [{folder_path: 10}]", "config: {process: {trigger_word: ohwx}}"})
    void theSchemaAcceptsEverySpelling(String recipe) throws IOException {
        assertThat(complaints(recipe)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            trian: {}                                   ; trian
            train: {stepz: 3}                           ; stepz
            train: {steps: 0}                           ; steps
            train: {steps: many}                        ; steps
            network: {linear: 16.5}                     ; linear
            datasets: [{folder_path: a, resolution: 100}] ; resolution
            train: {timestep_type: sigmoidal}           ; timestep_type
            model: {qtype: int9}                        ; qtype
            config: {process: []}                       ; process
            slider: {a: 1}                              ; slider
            """)
    void theSchemaComplainsWhereTheReaderDoes(String recipe, String about) throws IOException {
        assertThat(complaints(recipe)).anyMatch(message -> message.getMessage().contains(about));
    }

    /// An editor must not paint red what the service would have trained.
    @Property(tries = 300)
    void whatTheReaderTakesTheSchemaTakes(@ForAll long seed) throws JsonProcessingException {
        String recipe = new RandomRecipes(seed).yaml();
        try {
            READER.read(recipe, "recipe.yaml");
        } catch (UserMistake refused) {
            return;
        }
        assertThat(complaints(recipe)).as(recipe).isEmpty();
    }

    @Test
    void everyKeyOfTheSchemaIsExplained() throws JsonProcessingException {
        JsonNode properties = new ObjectMapper().readTree(RecipeSchema.json()).at("/$defs/recipe/properties/network");
        properties.path("properties").properties().forEach(key -> {
            if (key.getValue().has("properties")) return;
            assertThat(key.getValue().path("description").asText()).as(key.getKey()).isNotBlank();
        });
    }

    private static Set<ValidationMessage> complaints(String recipe) throws JsonProcessingException {
        JsonNode tree = new YAMLMapper().readTree(recipe);
        boolean isEmpty = tree == null || tree.isMissingNode();
        return SCHEMA.validate(isEmpty ? new ObjectMapper().createObjectNode() : tree);
    }

    /// Guards the tests above: a schema that accepts everything would pass half of them.
    @Test
    void theSchemaIsClosed() throws JsonProcessingException {
        ObjectNode recipe = (ObjectNode) new ObjectMapper().readTree(RecipeSchema.json()).at("/$defs/recipe");
        assertThat(recipe.path("additionalProperties").asBoolean(true)).isFalse();
    }
}
