package nocturne.train;

import java.util.HashMap;
import java.util.Map;
import nocturne.dataset.findings.CaptionTokens;
import nocturne.qwen.PromptTemplate;

/// How many tokens the transformer is given for a text, as far as that is known before anything is encoded.
final class TextLengths {
    /// Behind every text: the template's end.
    static final int CLOSING = 5;
    /// Around each control picture's own tokens: "Picture 12: " and a mark before and behind.
    private static final int AROUND_A_CONTROL = 8;
    /// Of a character of the alphabets of Europe, roughly, where no tokenizer can be asked. English prose takes 0.22.
    private static final double TOKENS_OF_A_LETTER = 0.35;
    /// Characters from here on are Hebrew, Arabic, Indic, Chinese, Japanese, Korean or pictures: each takes about one.
    private static final int FIRST_BEYOND_EUROPE = 0x0590;

    private final CaptionTokens tokenizer;
    /// Many samples share a caption, and a forecast asks again for every rung.
    private final Map<String, Integer> known = new HashMap<>();

    TextLengths(CaptionTokens tokenizer) {
        this.tokenizer = tokenizer;
    }

    /// Of a text without control pictures; its end is cut off where it is too long for the model.
    int alone(String text) {
        return Math.min(PromptTemplate.WORD_LIMIT, words(text) + CLOSING);
    }

    /// Of a text behind control pictures.
    ///
    /// @param controls      how many there are
    /// @param controlTokens of all of them together
    int behind(int controls, int controlTokens, String text) {
        return words(text) + CLOSING + controls * AROUND_A_CONTROL + controlTokens;
    }

    private int words(String text) {
        return known.computeIfAbsent(text, it -> tokenizer.count(it).orElseGet(() -> guess(it)));
    }

    private static int guess(String text) {
        long beyond = text.codePoints().filter(character -> character >= FIRST_BEYOND_EUROPE).count();
        long letters = text.codePointCount(0, text.length()) - beyond;
        return Math.toIntExact(beyond + (long) Math.ceil(TOKENS_OF_A_LETTER * letters));
    }
}
