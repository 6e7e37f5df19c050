package nocturne.qwen;

import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Cuts text into the pieces inside which byte pairs may merge. Qwen2's rule: contractions; a word with at most one
/// leading sign or space; single digits; runs of signs; line breaks; other white space.
final class WordSplitter {
    /// The pattern as the released `tokenizer.json` states it. A file with another one is another tokenizer.
    static final String RELEASED = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    // The released engine reads \s as Unicode's White_Space (Java's \s is ASCII, and its Unicode flag would also change
    // other classes) and ignores case by Unicode's rules, so that 'ſ (long s) is a contraction too: hence `u`.
    private static final Pattern PIECES = Pattern.compile(RELEASED
            .replace("(?i:", "(?iu:")
            .replace("\\s", "\\p{IsWhite_Space}")
            .replace("\\S", "\\P{IsWhite_Space}"));

    private WordSplitter() {}

    /// Hands over the pieces of `text` from left to right; together they are the whole text.
    static void split(String text, Consumer<String> piece) {
        Matcher matcher = PIECES.matcher(text);
        int done = 0;
        while (matcher.find()) {
            // Every character belongs to some alternative; were one left out, it would be a piece of its own.
            if (matcher.start() > done) piece.accept(text.substring(done, matcher.start()));
            piece.accept(matcher.group());
            done = matcher.end();
        }
        if (done < text.length()) piece.accept(text.substring(done));
    }
}
