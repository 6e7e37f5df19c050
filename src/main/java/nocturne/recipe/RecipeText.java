package nocturne.recipe;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// The bytes of a recipe as text: UTF-8 without exceptions, bounded, free of control characters.
final class RecipeText {
    /// A recipe is a page or two; a megabyte is no recipe.
    static final int MOST_BYTES = 1 << 20;

    private RecipeText() {}

    static String decode(byte[] bytes, Findings findings) {
        if (bytes.length > MOST_BYTES) {
            throw findings.fatal(Position.START, "", "the file is larger than 1 MB, which no recipe is.");
        }
        if (startsWith(bytes, 0xFF, 0xFE) || startsWith(bytes, 0xFE, 0xFF)) {
            throw findings.fatal(Position.START, "", "the file is UTF-16; save it as UTF-8.");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (startsWith(bytes, 0xEF, 0xBB, 0xBF)) in.position(3);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT);
        if (decoder.decode(in, out, true).isError()) {
            throw findings.fatal(lineAt(bytes, in.position()), "", "is not valid UTF-8; save the file as UTF-8.");
        }
        String text = out.flip().toString();
        check(text, findings);
        return text;
    }

    /// @throws nocturne.problem.UserMistake if the text is too long or holds a control character
    static void check(String text, Findings findings) {
        if (text.length() > MOST_BYTES) {
            throw findings.fatal(Position.START, "", "the text is larger than 1 MB, which no recipe is.");
        }
        int line = 1;
        int lineStart = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\n') {
                line++;
                lineStart = i + 1;
            } else if (c < ' ' && c != '\t' && c != '\r' || c == 0x7F) {
                throw findings.fatal(new Position(line, i - lineStart + 1), "",
                        "holds the control character 0x%02X; is this a text file?".formatted((int) c));
            }
        }
    }

    private static boolean startsWith(byte[] bytes, int... start) {
        if (bytes.length < start.length) return false;
        for (int i = 0; i < start.length; i++) if ((bytes[i] & 0xFF) != start[i]) return false;
        return true;
    }

    private static Position lineAt(byte[] bytes, int position) {
        int line = 1;
        for (int i = 0; i < position; i++) if (bytes[i] == '\n') line++;
        return new Position(line, 1);
    }
}
