package nocturne.service.publish;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import nocturne.io.AtomicFiles;

/// What we put where, for one job: `work/jobs/<job>/outbox.json`. Written before anything is done, so that whatever a
/// power cut leaves in the outbox can be told from what a person put there.
///
/// @param folder   its folder below `outbox/`; empty as long as it has none
/// @param claimed  whether that folder has been ours; before, an existing folder of that name is somebody else's
/// @param sequence of the last state that `job.json` there shows, 0 for none
/// @param files    by path: the stamps of the version that is there or on its way, and of the one before it
@JsonIgnoreProperties(ignoreUnknown = true)
record OutboxState(String folder, boolean claimed, long sequence, SortedMap<String, List<String>> files) {
    private static final ObjectMapper JSON = new ObjectMapper();
    static final OutboxState NONE = new OutboxState("", false, 0, new TreeMap<>());

    OutboxState {
        files = Collections.unmodifiableSortedMap(new TreeMap<>(files));
    }

    static OutboxState read(Path file) {
        try {
            return JSON.readValue(Files.readAllBytes(file), OutboxState.class);
        } catch (IOException missingOrDamaged) {
            return NONE;
        }
    }

    void write(Path file) {
        try {
            AtomicFiles.writeString(file, JSON.writeValueAsString(this) + "\n");
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    OutboxState claiming(String name) {
        return new OutboxState(name, false, sequence, files);
    }

    OutboxState in(String name) {
        return new OutboxState(name, true, sequence, files);
    }

    OutboxState showing(long at) {
        return new OutboxState(folder, claimed, at, files);
    }

    OutboxState withFiles(Map<String, List<String>> now) {
        return new OutboxState(folder, claimed, sequence, new TreeMap<>(now));
    }
}
