package nocturne.event;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Where the sound part of an event log ends: behind its last line that is a whole event.
///
/// @param length   bytes up to and with that line's end, 0 if there is none
/// @param sequence its number, 0 if there is none
/// @param attempt  the attempt it belongs to, 0 if there is none
/// @param job      its subject, empty if there is none
/// @param trainerSequence how far the trainer's own log has been taken over, 0 in a log that takes nothing over
record EventTail(long length, long sequence, int attempt, String job, long trainerSequence) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final EventTail EMPTY = new EventTail(0, 0, 0, "", 0);
    private static final byte[] BEGINNING = "{\"specversion\":\"1.0\"".getBytes(StandardCharsets.US_ASCII);
    private static final long FIRST_LOOK = 1 << 16;
    /// Half a line and a page of zeros are normal after a crash; more broken lines than this were not our doing.
    private static final long FURTHEST_LOOK = 1 << 26;

    /// @throws UserMistake if the file holds something, but nothing of it is an event
    static EventTail of(FileChannel log, Path file) throws IOException {
        long size = log.size();
        if (size == 0) return EMPTY;
        for (long look = FIRST_LOOK; ; look *= 4) {
            long from = Math.max(0, size - look);
            byte[] bytes = read(log, from, size);
            EventTail found = lastIn(bytes, from);
            if (found != null) return found;
            if (from == 0 && isTornFirstLine(bytes)) return EMPTY;
            if (from == 0 || look >= FURTHEST_LOOK) {
                throw new UserMistake("EVENTS_UNREADABLE", file.toString(),
                        "is not an event log, or is damaged beyond its last lines; move it away, "
                                + "or choose another output folder");
            }
        }
    }

    private static @Nullable EventTail lastIn(byte[] bytes, long from) {
        int end = lastLineEnd(bytes, bytes.length);
        while (end >= 0) {
            int before = lastLineEnd(bytes, end);
            if (before < 0 && from > 0) return null;        // the line begins before what was read
            EventTail event = parsed(bytes, before + 1, end, from + end + 1);
            if (event != null) return event;
            end = before;
        }
        return null;
    }

    private static int lastLineEnd(byte[] bytes, int before) {
        int at = before - 1;
        while (at >= 0 && bytes[at] != '\n') at--;
        return at;
    }

    private static @Nullable EventTail parsed(byte[] bytes, int start, int end, long length) {
        try {
            JsonNode line = JSON.readTree(bytes, start, end - start);
            String[] id = line.path("id").asText().split("/");
            String job = line.path("subject").asText();
            if (!line.isObject() || job.isEmpty() || id.length < 3) return null;
            return new EventTail(length, Long.parseLong(line.path("sequence").asText()),
                    Integer.parseInt(id[id.length - 2]), job, line.path(EventLine.TRAINER_SEQUENCE).asLong());
        } catch (IOException | NumberFormatException broken) {
            return null;
        }
    }

    /// Whether the machine stopped while the very first line was written: its beginning, or zeros, and no end.
    private static boolean isTornFirstLine(byte[] bytes) {
        boolean zeros = true;
        boolean beginning = true;
        for (int i = 0; i < bytes.length; i++) {
            zeros &= bytes[i] == 0;
            beginning &= i < BEGINNING.length ? bytes[i] == BEGINNING[i] : bytes[i] != '\n';
        }
        return zeros || beginning;
    }

    private static byte[] read(FileChannel log, long from, long to) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) (to - from));
        while (buffer.hasRemaining()) {
            if (log.read(buffer, from + buffer.position()) < 0) break;
        }
        return Arrays.copyOf(buffer.array(), buffer.position());
    }
}
