package nocturne.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.TreeMap;
import nocturne.event.EventLog;
import nocturne.problem.SickMachine;
import nocturne.report.LossHistory;
import nocturne.report.LossHistory.ByNoise;
import nocturne.report.LossHistory.HeldOut;
import nocturne.report.LossHistory.Training;

/// Reads the losses back out of an event log.
final class LossReplay {
    private static final ObjectMapper JSON = new ObjectMapper();

    private LossReplay() {}

    /// What a resumed run announces again replaces what the interrupted one had announced. A line that is no event
    /// is passed over: the curve is worth having without it.
    ///
    /// @throws SickMachine if the log cannot be read
    static LossHistory of(EventLog events) {
        try {
            // Not closed: the reader is the log's own channel.
            return of(events.reader());
        } catch (IOException e) {
            throw new SickMachine("EVENTS_UNREADABLE", "reading the losses back: " + e.getMessage(), e);
        }
    }

    private static LossHistory of(Reader events) throws IOException {
        TreeMap<Long, Training> training = new TreeMap<>();
        TreeMap<Long, HeldOut> heldOut = new TreeMap<>();
        BufferedReader lines = new BufferedReader(events);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode event = parsed(line);
            JsonNode data = event.path("data");
            long step = data.path("step").asLong();
            switch (event.path("type").asText()) {
                case "nocturne.job.stepped.v1" ->
                    training.put(step, new Training(step, number(data, "loss"), number(data, "learningRate"),
                            byNoise(data.path("lossByNoise"))));
                case "nocturne.job.measured.v1" -> heldOut.put(step, new HeldOut(step, number(data, "loss")));
                case "nocturne.job.resumed.v1" -> {
                    training.tailMap(step, false).clear();
                    heldOut.tailMap(step, false).clear();
                }
                default -> { }
            }
        }
        return new LossHistory(training.values().stream().toList(), heldOut.values().stream().toList());
    }

    private static JsonNode parsed(String line) {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException broken) {
            return JSON.missingNode();
        }
    }

    private static ByNoise byNoise(JsonNode loss) {
        return new ByNoise(number(loss, "high"), number(loss, "middle"), number(loss, "low"));
    }

    private static double number(JsonNode data, String name) {
        return data.path(name).asDouble(Double.NaN);
    }
}
