package nocturne.service.slot;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// One beat of a trainer's heart, as it stands in `heartbeat.json`. Never trusted for the job's state.
///
/// @param pid   who beats
/// @param phase what it is at
/// @param step  updates made
/// @param work  pieces of work done, of any kind
/// @param beat  counts up while the process lives, whether or not it gets anything done
record Beat(long pid, String phase, long step, long work, long beat) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_BYTES = 4096;

    /// Empty if there is none, or if it is just being written.
    static Optional<Beat> read(Path file) {
        try {
            if (Files.size(file) > MOST_BYTES) return Optional.empty();
            JsonNode beat = JSON.readTree(new String(Files.readAllBytes(file), StandardCharsets.US_ASCII).strip());
            if (!beat.path("beat").isNumber()) return Optional.empty();
            return Optional.of(new Beat(beat.path("pid").asLong(), beat.path("phase").asText(),
                    beat.path("step").asLong(), beat.path("work").asLong(), beat.path("beat").asLong()));
        } catch (IOException missingOrTorn) {
            return Optional.empty();
        }
    }

    boolean isFurtherThan(Beat before) {
        return step != before.step || work != before.work || !phase.equals(before.phase);
    }
}
