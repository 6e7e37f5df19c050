package nocturne.report;

import java.util.Base64;

/// Text from users made harmless for a web page.
final class Html {
    private Html() {}

    /// `text` as it may stand between tags and inside quoted attributes.
    ///
    /// Characters that could hide or reorder what a person reads (controls, bidirectional overrides) are spelled
    /// out, such as `[U+202E]`; line ends and tabs stay.
    static String escaped(String text) {
        StringBuilder safe = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(point -> {
            switch (point) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                case '\n', '\t' -> safe.append((char) point);
                default -> {
                    if (misleading(point)) safe.append(String.format("[U+%04X]", point));
                    else safe.appendCodePoint(point);
                }
            }
        });
        return safe.toString();
    }

    private static boolean misleading(int point) {
        return Character.isISOControl(point)
                || (point >= 0x202a && point <= 0x202e)         // embeddings and overrides
                || (point >= 0x2066 && point <= 0x2069)         // isolates
                || point == 0x200e || point == 0x200f || point == 0x061c
                || point == 0x2028 || point == 0x2029
                || (point >= 0xd800 && point <= 0xdfff)         // half a surrogate pair
                || (point & 0xfffe) == 0xfffe;                  // not a character
    }

    /// A PNG inside the page itself.
    static String picture(byte[] png, String alternative) {
        return "<img alt=\"" + escaped(alternative) + "\" src=\"data:image/png;base64,"
                + Base64.getEncoder().encodeToString(png) + "\"/>";
    }
}
