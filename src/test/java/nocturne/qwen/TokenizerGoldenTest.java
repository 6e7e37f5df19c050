package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The expected ids were made by the `tokenizers` library with the same vocabularies; they must be met exactly.
class TokenizerGoldenTest {
    static final Path TINY = Path.of("models/qwen-image-tiny/tokenizer");
    /// The released vocabulary is too large to be kept with the sources; where it lies is told by a property.
    static final Path REAL = Path.of(System.getProperty("qwen.tokenizer.dir", "../shared/tokenizer/qwen2"));

    @TestFactory
    Stream<DynamicTest> givesTheReferenceIdsWithTheTinyVocabulary() {
        return cases(Tokenizer.open(TINY), Golden.json("tiny/tokenizer_cases.json"));
    }

    @TestFactory
    Stream<DynamicTest> givesTheReferenceIdsWithTheReleasedVocabulary() {
        return withReleased(tokenizer -> cases(tokenizer, Golden.json("golden2/tokenizer_cases.json").get("cases")));
    }

    @TestFactory
    Stream<DynamicTest> theTemplatesAreThePipelinesTemplates() {
        JsonNode templates = Golden.json("golden2/tokenizer_cases.json").get("templates");
        return templates.properties().stream().map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
            PromptTemplate template = template(entry.getKey());
            JsonNode expected = entry.getValue();
            // "edit" writes its one picture into the template, "edit_plus" describes the text added per picture.
            int pictures = template == PromptTemplate.EDIT ? 1 : 0;
            assertThat(template.text("{}", pictures)).isEqualTo(expected.get("text").asText());
            if (expected.has("per_image")) {
                String perPicture = expected.get("per_image").asText();
                assertThat(template.text("{}", 2)).isEqualTo(expected.get("text").asText().replace("{}",
                        perPicture.replace("{}", "1") + perPicture.replace("{}", "2") + "{}"));
            }
            assertThat(template.dropped(Tokenizer.open(TINY))).isEqualTo(expected.get("drop_idx").asInt());
        }));
    }

    @TestFactory
    Stream<DynamicTest> theDroppedPrefixIsAsLongWithTheReleasedVocabulary() {
        JsonNode templates = Golden.json("golden2/tokenizer_cases.json").get("templates");
        return withReleased(tokenizer -> templates.properties().stream().map(entry ->
                DynamicTest.dynamicTest(entry.getKey(), () -> assertThat(template(entry.getKey()).dropped(tokenizer))
                        .isEqualTo(entry.getValue().get("drop_idx").asInt()))));
    }

    @Test
    void givesTheIdsOfThePipelinesPrompts() {
        TensorSource reference = Golden.tensors("tiny/reference.safetensors");
        JsonNode prompts = Golden.json("tiny/reference.json");
        Tokenizer tokenizer = Tokenizer.open(TINY);
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(PromptTemplate.TEXT_TO_IMAGE.encode(tokenizer, prompts.get(i).get("prompt").asText()).ids())
                    .as("prompt %d", i).isEqualTo(reference.ints(i + ".ids"));
        }
    }

    private static PromptTemplate template(String name) {
        return switch (name) {
            case "image" -> PromptTemplate.TEXT_TO_IMAGE;
            case "edit" -> PromptTemplate.EDIT;
            case "edit_plus" -> PromptTemplate.EDIT_PLUS;
            default -> throw new AssertionError("a template we do not know: " + name);
        };
    }

    /// The cases, or one skipped test in their place: a factory that gives up itself would leave no trace in the
    /// report.
    static Stream<DynamicTest> withReleased(Function<Tokenizer, Stream<DynamicTest>> cases) {
        return Files.isDirectory(REAL) ? cases.apply(Tokenizer.open(REAL))
                : Stream.of(DynamicTest.dynamicTest("needs the released vocabulary", TokenizerGoldenTest::released));
    }

    static Tokenizer released() {
        Assumptions.assumeTrue(Files.isDirectory(REAL),
                () -> "Qwen's released vocabulary is not at " + REAL + "; name its folder with -Dqwen.tokenizer.dir");
        return Tokenizer.open(REAL);
    }

    private static Stream<DynamicTest> cases(Tokenizer tokenizer, JsonNode cases) {
        assertThat(cases).isNotEmpty();
        return IntStream.range(0, cases.size()).mapToObj(i -> {
            String text = cases.get(i).get("text").asText();
            int[] ids = StreamSupport.stream(cases.get(i).get("ids").spliterator(), false)
                    .mapToInt(JsonNode::asInt).toArray();
            return DynamicTest.dynamicTest("%d: %.40s".formatted(i, text), () -> {
                assertThat(tokenizer.encode(text)).isEqualTo(ids);
                assertThat(tokenizer.decode(ids)).isEqualTo(Normalizer.normalize(text, Normalizer.Form.NFC));
            });
        });
    }
}
