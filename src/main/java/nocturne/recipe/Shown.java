package nocturne.recipe;

/// Text from outside as a message may show it: short, on one line, and without control characters, because the
/// message may end up in a terminal.
final class Shown {
    private static final int MOST_CHARACTERS = 60;

    private Shown() {}

    static String value(String text) {
        if (text.isEmpty()) return "\"\"";
        return key(text);
    }

    static String key(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().limit(MOST_CHARACTERS).forEach(c -> shown.appendCodePoint(isPrintable(c) ? c : '?'));
        if (text.codePointCount(0, text.length()) > MOST_CHARACTERS) shown.append("...");
        return shown.toString();
    }

    /// False for control and format characters, lone surrogates and other code points that are no text.
    static boolean isPrintable(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL, Character.SURROGATE, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> codePoint != 0xFEFF && (codePoint & 0xFFFE) != 0xFFFE;
        };
    }
}
