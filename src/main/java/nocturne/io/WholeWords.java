package nocturne.io;

import java.lang.Character.UnicodeScript;

/// Finds words in a text that are not parts of other words: `man` is not in `woman`.
public final class WholeWords {
    private WholeWords() {}

    /// Whether a text has a word, or several in this order, that are not parts of others.
    public static boolean holds(String text, String word) {
        return find(text, word, 0) >= 0;
    }

    /// A text with every place of such a word taken by something else.
    ///
    /// @param word not empty
    public static String replace(String text, String word, String by) {
        if (word.isEmpty()) throw new IllegalArgumentException("no word to replace");
        StringBuilder replaced = new StringBuilder();
        int done = 0;
        for (int at = find(text, word, 0); at >= 0; at = find(text, word, done)) {
            replaced.append(text, done, at).append(by);
            done = at + word.length();
        }
        return replaced.append(text, done, text.length()).toString();
    }

    private static int find(String text, String word, int from) {
        for (int at = text.indexOf(word, from); at >= 0; at = text.indexOf(word, at + 1)) {
            if (isEdge(text, at) && isEdge(text, at + word.length())) return at;
        }
        return -1;
    }

    /// Whether a word may begin or end between two characters.
    ///
    /// @param at of the character behind, from 0 to the text's length
    public static boolean isEdge(String text, int at) {
        return at == 0 || at == text.length()
                || !isJoined(text.codePointBefore(at)) || !isJoined(text.codePointAt(at));
    }

    /// Whether a character belongs to one word with its neighbours. Not where words are written without blanks between
    /// them, or with particles behind them.
    private static boolean isJoined(int character) {
        if (!Character.isLetterOrDigit(character)) return character == '_';
        return switch (UnicodeScript.of(character)) {
            case HAN, HIRAGANA, KATAKANA, HANGUL, THAI, LAO, KHMER, MYANMAR -> false;
            default -> true;
        };
    }
}
