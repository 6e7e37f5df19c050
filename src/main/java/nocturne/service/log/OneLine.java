package nocturne.service.log;

import java.util.Locale;

/// Text from anywhere as a bounded piece of one line that cannot command a terminal: what controls, reorders or hides
/// other characters is shown as its number.
public final class OneLine {
    private OneLine() {}

    /// @param longest characters to keep; what is cut off is counted
    public static String of(String text, int longest) {
        StringBuilder line = new StringBuilder(Math.min(text.length(), longest) + 16);
        int at = 0;
        while (at < text.length() && line.length() < longest) {
            int character = text.codePointAt(at);
            at += Character.charCount(character);
            if (isHarmless(character)) line.appendCodePoint(character);
            else line.append(shown(character));
        }
        if (at < text.length()) line.append(" ... (").append(text.length() - at).append(" more characters)");
        return line.toString();
    }

    private static boolean isHarmless(int character) {
        return switch (Character.getType(character)) {
            // FORMAT holds the marks that turn the direction of text around, and those that nobody sees.
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE, Character.UNASSIGNED, Character.PRIVATE_USE -> false;
            default -> true;
        };
    }

    private static String shown(int character) {
        return switch (character) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> String.format(Locale.ROOT, "\\u%04x", character);
        };
    }
}
