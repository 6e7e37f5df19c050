package nocturne.plan;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/// The words that a model's tokenizer knows as one piece, as far as its folder tells: `tokenizer/vocab.json`, a block
/// of pieces and their numbers. They were numbered in the order in which they were found worth a piece, common words
/// first.
final class Vocabulary {
    /// Pieces of Qwen's 151,643 up to here are everyday words and their parts.
    private static final int COMMON = 30_000;
    /// How its byte alphabet writes the blank before a word.
    private static final String BLANK = "\u0120";

    /// Every name is read once: keeping them all for later would cost more than the reading.
    private static final JsonFactory JSON =
            JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

    private Vocabulary() {}

    /// Whether a word is a common piece; false too where there is nothing to look it up in.
    ///
    /// @param model folder of the pipeline
    static boolean isCommon(String word, Path model) {
        Path file = model.resolve("tokenizer").resolve("vocab.json");
        if (!Files.isRegularFile(file)) return false;
        Set<String> spellings = Set.of(word, BLANK + word);
        try (JsonParser json = JSON.createParser(file.toFile())) {
            if (json.nextToken() != JsonToken.START_OBJECT) return false;
            for (String piece = json.nextFieldName(); piece != null; piece = json.nextFieldName()) {
                int number = json.nextIntValue(Integer.MAX_VALUE);
                if (number < COMMON && spellings.contains(piece)) return true;
                json.skipChildren();
            }
            return false;
        } catch (IOException unreadable) {
            // Whoever opens the model says what is wrong with it.
            return false;
        }
    }
}
