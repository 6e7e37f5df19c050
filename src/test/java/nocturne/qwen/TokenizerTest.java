package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
    private static final Path TINY = TokenizerGoldenTest.TINY;
    private static final Tokenizer TOKENIZER = Tokenizer.open(TINY);

    @Property(tries = 500)
    void decodingGivesBackTheComposedText(@ForAll("texts") String text) {
        assertThat(TOKENIZER.decode(TOKENIZER.encode(text)))
                .isEqualTo(Normalizer.normalize(text, Normalizer.Form.NFC));
    }

    @Property(tries = 200)
    void addedTokensAreCutOutWhereverTheyStand(@ForAll("texts") String before, @ForAll("texts") String after) {
        int[] ids = TOKENIZER.encode(before + Tokenizer.IMAGE_PAD + after);
        int[] expected = IntStream.concat(IntStream.concat(IntStream.of(TOKENIZER.encode(before)),
                IntStream.of(TOKENIZER.special(Tokenizer.IMAGE_PAD))), IntStream.of(TOKENIZER.encode(after))).toArray();
        assertThat(ids).isEqualTo(expected);
    }

    /// Any code points but surrogates, mixed with what the word pattern treats specially and with combining marks.
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> wild = Arbitraries.integers().between(0, Character.MAX_CODE_POINT)
                .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE).map(Character::toString);
        Arbitrary<String> chosen = Arbitraries.of(" ", "\n", "\r", "\t", "\u00a0", "\u0085", "\u3000", "'s", "'\u017f",
                "don't", "1", "Ⅷ", "e\u0301", "\u0308", "\u1100\u1161", "ohwx", "a large green star", "!?", "\u200d");
        return Arbitraries.frequencyOf(Tuple.of(1, wild), Tuple.of(3, chosen))
                .list().ofMaxSize(40).map(parts -> String.join("", parts));
    }

    @Test
    void theOrderOfComposingAndCuttingIsThatOfTheLibrary() {
        // ">" and U+0338 would compose to one character, and the added token would be lost.
        assertThat(TOKENIZER.encode(Tokenizer.IMAGE_PAD + "\u0338"))
                .startsWith(TOKENIZER.special(Tokenizer.IMAGE_PAD));
    }

    @Test
    void halfASurrogatePairBecomesTheReplacementCharacter() {
        assertThat(TOKENIZER.decode(TOKENIZER.encode("a\ud83db\udc00"))).isEqualTo("a\ufffdb\ufffd");
        assertThat(TOKENIZER.decode(TOKENIZER.encode("\ud83d\ude00"))).isEqualTo("\ud83d\ude00");
    }

    @Test
    void oneEndlessWordIsMergedWithoutGivingUp() {
        String endless = "the".repeat(200_000);
        assertThat(TOKENIZER.decode(TOKENIZER.encode(endless))).isEqualTo(endless);
    }

    @Test
    void anUnknownIdIsAnError() {
        assertThatThrownBy(() -> TOKENIZER.decode(new int[] {TOKENIZER.size()}))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theTwoFormsOfATokenizerFolderGiveTheSameIds(@TempDir Path folder) throws IOException {
        ObjectMapper json = new ObjectMapper();
        var whole = json.readTree(TINY.resolve("tokenizer.json").toFile());
        json.writeValue(folder.resolve("vocab.json").toFile(), whole.at("/model/vocab"));
        StringBuilder merges = new StringBuilder("#version: 0.2\n");
        for (var merge : whole.at("/model/merges")) {
            merges.append(merge.get(0).asText()).append(' ').append(merge.get(1).asText()).append('\n');
        }
        Files.writeString(folder.resolve("merges.txt"), merges);
        var added = json.createObjectNode();
        for (var token : whole.get("added_tokens")) added.set(token.get("content").asText(), token.get("id"));
        json.writeValue(folder.resolve("added_tokens.json").toFile(), added);

        String text = PromptTemplate.TEXT_TO_IMAGE.text("a small red circle, don't you see? 12 ① \u3000 é", 0);
        assertThat(Tokenizer.open(folder).encode(text)).isEqualTo(TOKENIZER.encode(text));
    }

    @Test
    void anEmptyFolderIsRefusedWithWhatIsExpected(@TempDir Path folder) {
        assertThat(refusal(folder).report()).contains("tokenizer.json").contains("vocab.json").contains("merges.txt");
        assertThat(refusal(folder.resolve("nowhere")).report()).contains("no such folder");
    }

    @Test
    void missingMergesAndAnUnreadableVocabularyAreToldTogether(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0, ");
        assertThat(refusal(folder).problems()).extracting(Problem::toString).satisfiesExactly(
                problem -> assertThat(problem).contains("vocab.json").contains("not valid JSON"),
                problem -> assertThat(problem).contains("merges.txt").contains("missing"));
    }

    @Test
    void aVocabularyWithoutAllBytesAndWithoutQwensTokensIsRefused(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0, \"b\": 1, \"c\": 1, \"d\": -4, \"e\": \"x\"}");
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\na b\na\n", StandardCharsets.UTF_8);
        assertThat(refusal(folder).report()).contains("\"d\" is -4").contains("\"e\" is \"x\"").contains("line 3");

        Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0, \"b\": 1, \"c\": 1}");
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\na b\n", StandardCharsets.UTF_8);
        assertThat(refusal(folder).report()).contains("253 of the 256 single bytes", "two tokens have the id 1",
                "\"a b\"", Tokenizer.IMAGE_PAD, Tokenizer.MESSAGE_START);
    }

    @Test
    void anotherModelsTokenizerIsRefused(@TempDir Path folder) throws IOException {
        String whole = Files.readString(TINY.resolve("tokenizer.json"));
        Files.writeString(folder.resolve("tokenizer.json"), whole.replace("\\\\p{N}|", "\\\\p{N}{1,3}|")
                .replace("\"NFC\"", "\"NFKC\""));
        assertThat(refusal(folder).report()).contains("word pattern").contains("NFKC");
    }

    private static UserMistake refusal(Path folder) {
        return catchThrowableOfType(UserMistake.class, () -> Tokenizer.open(folder));
    }
}
