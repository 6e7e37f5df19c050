package nocturne.service.publish;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import nocturne.event.EventLine;
import nocturne.problem.SickMachine;

/// A journal, seen by those who tell others what stands in it.
///
/// @param subject the job or host, the key of its events
/// @param file    `events.jsonl`
/// @param isHost  whether it is the host's
record Journal(String subject, Path file, boolean isHost) {
    private static final int ENOUGH_BYTES = 1 << 18;
    private static final int LONGEST_LINE = 1 << 26;

    /// @param line as it was written
    /// @param end  the cursor of whoever has been told it
    record Line(EventLine line, Cursor end) {}

    /// Where a reader's cursor is.
    Path cursor(String reader) {
        return file.resolveSibling("relayed-" + reader);
    }

    /// Whether there may be something behind the cursor.
    boolean hasMoreThan(Cursor cursor) {
        try {
            return Files.size(file) != cursor.offset();
        } catch (IOException none) {
            return false;
        }
    }

    /// The next lines behind a cursor, not all of them if there are many.
    ///
    /// @return empty if there is none
    List<Line> after(Cursor cursor) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long from = isLineStart(channel, cursor.offset()) ? cursor.offset() : 0;
            for (int size = ENOUGH_BYTES; ; size *= 4) {
                byte[] bytes = read(channel, from, size);
                boolean isAll = bytes.length < size;
                List<Line> lines = lines(bytes, from, cursor.sequence());
                if (!lines.isEmpty() || isAll) return lines;
                if (size >= LONGEST_LINE) throw new IOException("a line without an end at byte " + from);
            }
        } catch (NoSuchFileException none) {
            return List.of();
        } catch (IOException e) {
            throw new SickMachine("EVENTS_UNREADABLE", "reading " + file + ": " + e.getMessage(), e);
        }
    }

    /// Makes sure that what can be read now is on the disk: what others are told must not be taken back by a power cut.
    void force() {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(false);
        } catch (IOException e) {
            throw new SickMachine("EVENTS_UNWRITABLE", "forcing " + file + ": " + e.getMessage(), e);
        }
    }

    /// How many lines are behind a cursor.
    long countAfter(Cursor cursor) {
        long count = 0;
        for (List<Line> lines = after(cursor); !lines.isEmpty(); lines = after(lines.getLast().end())) {
            count += lines.size();
        }
        return count;
    }

    /// A journal that was repaired or replaced may be shorter than it was, or be broken elsewhere.
    private static boolean isLineStart(FileChannel channel, long offset) throws IOException {
        if (offset == 0) return true;
        if (offset > channel.size()) return false;
        byte[] before = read(channel, offset - 1, 1);
        return before.length == 1 && before[0] == '\n';
    }

    /// The whole events among the bytes, but for those told before.
    private static List<Line> lines(byte[] bytes, long from, long told) {
        List<Line> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '\n') continue;
            String text = new String(bytes, start, i - start, StandardCharsets.US_ASCII);
            long end = from + i + 1;
            // What somebody scribbled into the middle is no event, and is passed by.
            EventLine.parse(text).filter(line -> line.sequence() > told)
                    .ifPresent(line -> lines.add(new Line(line, new Cursor(line.sequence(), end))));
            start = i + 1;
        }
        return lines;
    }

    private static byte[] read(FileChannel channel, long from, int size) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(size, Math.max(0, channel.size() - from)));
        while (buffer.hasRemaining() && channel.read(buffer, from + buffer.position()) >= 0) {
            // Until it is full, or the file has become shorter.
        }
        byte[] bytes = new byte[buffer.position()];
        buffer.flip().get(bytes);
        return bytes;
    }
}
