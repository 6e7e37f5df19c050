package nocturne.service.slot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import nocturne.event.EventLine;
import nocturne.problem.SickMachine;
import org.jspecify.annotations.Nullable;

/// Follows the log that a trainer writes, `run/events.jsonl`, from its beginning and line by line.
///
/// Only whole lines count. A line that is no event is passed by: the trainer cuts off what a crash left when it opens
/// the log again.
final class TrainerLog {
    private static final int BLOCK = 1 << 16;
    /// No event is nearly as long; what is, is not kept in memory.
    private static final int LONGEST_LINE = 1 << 20;

    private final Path file;
    private final ByteBuffer block = ByteBuffer.allocate(BLOCK);
    private byte[] rest = new byte[0];
    private boolean overlong;
    private long position;
    private @Nullable EventLine last;

    TrainerLog(Path file) {
        this.file = file;
    }

    /// The events written since the last call, oldest first.
    ///
    /// @throws SickMachine if the file is there and cannot be read
    List<EventLine> news() {
        if (Files.notExists(file)) return List.of();
        List<EventLine> lines = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            // The trainer cuts off half a line when it opens the log again; what we hold of it is then void.
            if (channel.size() < position) {
                position = Math.max(0, position - rest.length);
                rest = new byte[0];
            }
            while (channel.read(block.clear(), position) > 0) {
                block.flip();
                position += block.remaining();
                split(lines);
            }
        } catch (IOException e) {
            throw new SickMachine("EVENTS_UNREADABLE", "reading " + file + ": " + e.getMessage(), e);
        }
        return lines;
    }

    /// The newest event of all, also of attempts before.
    Optional<EventLine> last() {
        return Optional.ofNullable(last);
    }

    private void split(List<EventLine> lines) {
        byte[] bytes = new byte[block.remaining()];
        block.get(bytes);
        int from = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '\n') continue;
            if (!overlong) line(join(rest, bytes, from, i)).ifPresent(lines::add);
            overlong = false;
            rest = new byte[0];
            from = i + 1;
        }
        rest = join(rest, bytes, from, bytes.length);
        if (rest.length > LONGEST_LINE) {
            rest = new byte[0];
            overlong = true;
        }
    }

    private Optional<EventLine> line(byte[] bytes) {
        Optional<EventLine> event = EventLine.parse(new String(bytes, StandardCharsets.US_ASCII));
        event.ifPresent(found -> last = found);
        return event;
    }

    private static byte[] join(byte[] head, byte[] bytes, int from, int to) {
        byte[] joined = new byte[head.length + to - from];
        System.arraycopy(head, 0, joined, 0, head.length);
        System.arraycopy(bytes, from, joined, head.length, to - from);
        return joined;
    }
}
