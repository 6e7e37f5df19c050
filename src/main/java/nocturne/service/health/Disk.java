package nocturne.service.health;

import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import nocturne.io.FreeSpace;
import nocturne.service.ServiceConfig;

/// How much room there is where the service writes.
@Singleton
final class Disk {
    /// With less, not even a job's state can be written for long.
    static final long LEAST = 64L << 20;
    static final long UNKNOWN = -1;

    private final Map<String, Path> folders = new LinkedHashMap<>();

    Disk(ServiceConfig config) {
        folders.put("work", config.work());
        folders.put("outbox", config.outbox());
        folders.put("inbox", config.inbox());
    }

    Iterable<String> folders() {
        return folders.keySet();
    }

    /// [#UNKNOWN] where the file system does not answer.
    long freeBytes(String folder) {
        Path path = folders.get(folder);
        return path == null ? UNKNOWN : FreeSpace.of(path).orElse(UNKNOWN);
    }

    /// Whether the private folder, without which nothing goes, is nearly full.
    boolean isFull() {
        long free = freeBytes("work");
        return free != UNKNOWN && free < LEAST;
    }
}
