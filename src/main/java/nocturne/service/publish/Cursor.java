package nocturne.service.publish;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.io.AtomicFiles;

/// How far one reader has been told a journal: `relayed-<reader>` beside it.
///
/// @param sequence of the last line told, 0 for none
/// @param offset   where the next one begins, in bytes
record Cursor(long sequence, long offset) {
    static final Cursor START = new Cursor(0, 0);
    private static final Pattern SHAPE = Pattern.compile("(\\d{1,18}) (\\d{1,18})\\s*");

    /// What is not there, or cannot be read, is the start: told twice is better than not told.
    static Cursor read(Path file) {
        try {
            Matcher text = SHAPE.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
            return text.matches() ? new Cursor(Long.parseLong(text.group(1)), Long.parseLong(text.group(2))) : START;
        } catch (IOException none) {
            return START;
        }
    }

    void write(Path file) {
        AtomicFiles.writeString(file, sequence + " " + offset + "\n");
    }
}
