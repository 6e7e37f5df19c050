package nocturne.recipe;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// Text as YAML, in quotes where a YAML reader could take it for something else.
final class Quoted {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z][A-Za-z0-9_]*([./-][A-Za-z0-9_]+)*");
    private static final Set<String> NOT_TEXT = Set.of("true", "false", "yes", "no", "on", "off", "null", "y", "n");

    private Quoted() {}

    static String text(String value) {
        boolean plain = PLAIN.matcher(value).matches() && !NOT_TEXT.contains(value.toLowerCase(Locale.ROOT));
        return plain ? value : always(value);
    }

    static String always(String value) {
        StringBuilder quoted = new StringBuilder("\"");
        value.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\t' -> quoted.append("\\t");
                default -> quoted.appendCodePoint(c);
            }
        });
        return quoted.append('"').toString();
    }
}
