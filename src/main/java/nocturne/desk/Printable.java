package nocturne.desk;

/// Makes a text from outside safe to print: a name in a bundle must not move the cursor, colour the terminal, turn the
/// writing direction or begin a line of its own.
public final class Printable {
    private Printable() {}

    /// The text with every character that is not seen, but acts, replaced by U+FFFD, and line ends by a space.
    public static String of(String text) {
        StringBuilder plain = new StringBuilder(text.length());
        text.codePoints().forEach(c -> plain.appendCodePoint(visible(c)));
        return plain.toString();
    }

    /// The same, cut to `length` characters with an ellipsis.
    public static String of(String text, int length) {
        String plain = of(text);
        if (plain.codePointCount(0, plain.length()) <= length) return plain;
        return plain.substring(0, plain.offsetByCodePoints(0, length - 1)).stripTrailing() + "…";
    }

    private static int visible(int c) {
        if (c == '\n' || c == '\r' || c == '\t') return ' ';
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE, Character.UNASSIGNED, Character.PRIVATE_USE -> 0xFFFD;
            default -> c;
        };
    }
}
