package nocturne.event;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/// One line of an event log, read back.
///
/// @param text            the line as it stands in the file, without its end
/// @param id              `<job>/<attempt>/<sequence>`
/// @param type            such as `nocturne.job.completed.v1`
/// @param subject         the job
/// @param sequence        counts the log's events from 1
/// @param time            RFC 3339, for people
/// @param trainerSequence how far the trainer's own log had been taken over when this was written; 0 where it plays no
///                        part
/// @param data            what [Event#data] made
public record EventLine(String text, String id, String type, String subject, long sequence, String time,
        long trainerSequence, ObjectNode data) {
    static final String TRAINER_SEQUENCE = "trainersequence";
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Empty if the text is no whole event, such as the last line of a file that is being written.
    public static Optional<EventLine> parse(String text) {
        try {
            JsonNode line = JSON.readTree(text);
            if (line == null || !(line.path("data") instanceof ObjectNode data)) return Optional.empty();
            long sequence = Long.parseLong(line.path("sequence").asText());
            String type = line.path("type").asText();
            String subject = line.path("subject").asText();
            if (type.isEmpty() || subject.isEmpty()) return Optional.empty();
            return Optional.of(new EventLine(text, line.path("id").asText(), type, subject, sequence,
                    line.path("time").asText(), line.path(TRAINER_SEQUENCE).asLong(), data));
        } catch (JsonProcessingException | NumberFormatException broken) {
            return Optional.empty();
        }
    }

    /// The attempt it belongs to, 0 if the id does not say.
    public int attempt() {
        String[] parts = id.split("/");
        return parts.length >= 3 && parts[parts.length - 2].matches("\\d{1,9}")
                ? Integer.parseInt(parts[parts.length - 2])
                : 0;
    }
}
