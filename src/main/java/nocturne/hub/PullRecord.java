package nocturne.hub;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import nocturne.io.AtomicFiles;

/// What a model's folder was fetched as: written before the first file, so that one that was begun is known for what
/// it is.
///
/// @param id       of the model
/// @param revision as it was asked for
/// @param commit   that it was
/// @param files    that belong to it
@JsonIgnoreProperties(ignoreUnknown = true)
record PullRecord(String id, String revision, String commit, List<Entry> files) {
    static final String NAME = ".nocturne-pull.json";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long MOST_BYTES = 16_000_000;

    PullRecord {
        Objects.requireNonNull(id);
        Objects.requireNonNull(commit);
        files = List.copyOf(files);
    }

    /// One file.
    @JsonIgnoreProperties(ignoreUnknown = true)
    record Entry(String path, long bytes, String hash) {
        Entry {
            // What a file leaves out arrives as null.
            Objects.requireNonNull(path);
            Objects.requireNonNull(hash);
        }
    }

    static PullRecord of(ModelId id, String revision, String commit, List<HubFile> files) {
        return new PullRecord(id.toString(), revision, commit, files.stream()
                .map(file -> new Entry(file.path(), file.bytes(), file.hash())).toList());
    }

    /// The one in a folder; empty where there is none that can be read.
    static Optional<PullRecord> in(Path folder) {
        Path file = folder.resolve(NAME);
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) return Optional.empty();
            return Optional.of(JSON.readValue(file.toFile(), PullRecord.class));
        } catch (IOException | RuntimeException damaged) {
            return Optional.empty();
        }
    }

    void writeInto(Path folder) {
        try {
            AtomicFiles.writeString(folder.resolve(NAME),
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a record of texts and numbers", e);
        }
    }

    /// The files of its parts that are not there. One of another length was put there by somebody who knew why.
    Set<String> missing(Path folder) {
        Set<String> missing = new TreeSet<>();
        for (Entry entry : files) {
            boolean needed = entry.path().contains("/") && TreePaths.isInside(entry.path());
            if (needed && !Files.isRegularFile(folder.resolve(entry.path()))) missing.add(entry.path());
        }
        return missing;
    }

    /// Whether every file is there in its length.
    boolean isWhole(Path folder) {
        for (Entry entry : files) {
            if (!TreePaths.isInside(entry.path())) return false;
            Path file = folder.resolve(entry.path());
            try {
                if (!Files.isRegularFile(file) || Files.size(file) != entry.bytes()) return false;
            } catch (IOException gone) {
                return false;
            }
        }
        return true;
    }
}
