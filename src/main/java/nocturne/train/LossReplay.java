package nocturne.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.util.TreeMap;
import nocturne.report.LossHistory;
import nocturne.report.LossHistory.HeldOut;
import nocturne.report.LossHistory.Training;

/// Reads the losses back out of an event log.
final class LossReplay {
    private static final ObjectMapper JSON = new ObjectMapper();

    private LossReplay() {}

    /// What a resumed run announces again replaces what the interrupted one had announced. A line that is no event
    /// is passed over: the curve is worth having without it.
    static LossHistory of(Reader events) throws IOException {
        TreeMap<Long, Training> training = new TreeMap<>();
        TreeMap<Long, HeldOut> heldOut = new TreeMap<>();
        BufferedReader lines = new BufferedReader(events);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode event = parsed(line);
            JsonNode data = event.path("data");
            long step = data.path("step").asLong();
            switch (event.path("type").asText()) {
                case "nocturne.step" ->
                    training.put(step, new Training(step, number(data, "loss"), number(data, "learningRate")));
                case "nocturne.heldout.measured" -> heldOut.put(step, new HeldOut(step, number(data, "loss")));
                case "nocturne.resumed" -> {
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

    private static double number(JsonNode data, String name) {
        return data.path(name).asDouble(Double.NaN);
    }
}
