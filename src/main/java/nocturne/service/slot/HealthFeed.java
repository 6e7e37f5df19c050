package nocturne.service.slot;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Devices as a file says they are, in place of real ones: one JSON object a line, the last whole one counts.
///
/// ```
/// {"cuda:0": {}, "cuda:1": {"recovery": "reset", "uncorrectable": 0, "slowdowns": ["too hot"], "usedBytes": 7}}
/// ```
///
/// A device that is no longer named is no longer there.
final class HealthFeed implements DeviceHealth {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;

    HealthFeed(Path file) {
        this.file = file;
    }

    @Override
    public Optional<Map<String, Reading>> read() throws IOException {
        if (Files.notExists(file)) return Optional.empty();
        String text = Files.readString(file);
        int end = text.lastIndexOf('\n');
        if (end < 0) return Optional.empty();
        JsonNode devices = JSON.readTree(text.substring(text.lastIndexOf('\n', end - 1) + 1, end));
        Map<String, Reading> readings = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> device : devices.properties()) {
            readings.put(device.getKey(), reading(device.getKey(), device.getValue()));
        }
        return Optional.of(readings);
    }

    private static Reading reading(String device, JsonNode of) {
        List<String> slowdowns = new ArrayList<>();
        of.path("slowdowns").forEach(word -> slowdowns.add(word.asText()));
        Set<Long> processes = new HashSet<>();
        of.path("processes").forEach(pid -> processes.add(pid.asLong()));
        Recovery recovery = Recovery.valueOf(of.path("recovery").asText("none").toUpperCase(Locale.ROOT));
        return new Reading(device, of.path("name").asText("scripted"), recovery, of.path("uncorrectable").asLong(),
                slowdowns, of.path("usedBytes").asLong(), processes, of.path("inability").asText(""));
    }
}
