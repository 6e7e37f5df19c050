package nocturne.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// Text from users made harmless for a web page.
final class Html {
    private static final String POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

    private Html() {}

    /// A page up to its first element, with style and a policy that forbids it to load anything.
    static String head(String title) {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta http-equiv="Content-Security-Policy" content="%s"/>
                <title>%s</title>
                <style>
                %s</style>
                </head>
                <body>
                """.formatted(POLICY, escaped(title), style());
    }

    private static String style() {
        try (InputStream in = Html.class.getResourceAsStream("report.css")) {
            if (in == null) throw new IllegalStateException("report.css is missing from the program");
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("reading report.css", e);
        }
    }

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
