package nocturne.desk;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import nocturne.event.EventLine;
import nocturne.problem.SickMachine;

/// A job's events, read from a file that somebody else may be appending to.
///
/// @param file one event a line; need not exist
record Journal(Path file) {
    /// Enough for some hundred events.
    private static final int TAIL = 1 << 17;

    static Journal of(Path file) {
        return new Journal(file);
    }

    /// Every whole line, oldest first.
    List<EventLine> all() {
        // A reader of its own: unlike Files.lines it passes over bytes that are no text, as a power cut may leave them.
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
            return lines.lines().flatMap(line -> EventLine.parse(line).stream()).toList();
        } catch (NoSuchFileException nothingYet) {
            return List.of();
        } catch (IOException | UncheckedIOException e) {
            throw new SickMachine("READ_FAILED", "reading " + file + " failed: " + e.getMessage(), e);
        }
    }

    /// The newest event of a type, if it is not too far back to matter.
    Optional<EventLine> last(String type) {
        List<EventLine> events = new ArrayList<>(read(Math.max(0, length() - TAIL)));
        Collections.reverse(events);
        return events.stream().filter(line -> line.type().equals(type)).findFirst();
    }

    /// What was written behind a place in the file, at most as much as [#last] looks at.
    List<EventLine> from(long place) {
        return read(Math.max(place, length() - TAIL));
    }

    private long length() {
        try {
            return Files.size(file);
        } catch (IOException none) {
            return 0;
        }
    }

    private List<EventLine> read(long from) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) Math.clamp(channel.size() - from, 0, 2L * TAIL));
            while (bytes.hasRemaining()) if (channel.read(bytes, from + bytes.position()) < 0) break;
            String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
            return text.lines().flatMap(line -> EventLine.parse(line).stream()).toList();
        } catch (IOException nothingToSee) {
            return List.of();
        }
    }
}
