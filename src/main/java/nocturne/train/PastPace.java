package nocturne.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import nocturne.io.AtomicFiles;

/// How fast earlier jobs were computed on a device, so that a next one's end can be told.
///
/// A speed is the operations of a job's steps that it cannot do without, a second: what was computed twice, or waited
/// for, makes it lower, as it will the next time. Of several jobs at once the last word stays; it is an estimate.
final class PastPace {
    private static final ObjectMapper JSON = new ObjectMapper();
    /// What the jobs before the last one count for.
    private static final double MEMORY = 0.5;

    private final Path file;

    /// @param cache the folder of caches, which stays from job to job
    PastPace(Path cache) {
        file = cache.resolve("pace.json");
    }

    /// Remembers a job.
    ///
    /// @param device     its name, see [nocturne.tensor.Backend#name]
    /// @param operations a second
    void note(String device, double operations) {
        if (!(operations > 0) || Double.isInfinite(operations)) return;
        ObjectNode all = read();
        OptionalDouble before = of(device);
        all.put(device, before.isPresent() ? MEMORY * before.getAsDouble() + (1 - MEMORY) * operations : operations);
        AtomicFiles.writeString(file, all.toPrettyString());
    }

    /// @return operations a second; empty if no job has run on such a device
    OptionalDouble of(String device) {
        JsonNode known = read().path(device);
        return known.isNumber() && known.asDouble() > 0 ? OptionalDouble.of(known.asDouble()) : OptionalDouble.empty();
    }

    /// A file that cannot be read is as good as none.
    private ObjectNode read() {
        try {
            boolean isThere = Files.isRegularFile(file);
            if (isThere && JSON.readTree(Files.readString(file)) instanceof ObjectNode all) return all;
        } catch (JsonProcessingException damaged) {
            // It is written anew.
        } catch (IOException unreadable) {
            // Then nothing is known.
        }
        return JSON.createObjectNode();
    }
}
