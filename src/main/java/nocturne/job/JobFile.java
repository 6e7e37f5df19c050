package nocturne.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.event.Scrubber;
import nocturne.io.AtomicFiles;
import nocturne.problem.SickMachine;

/// Reads and replaces `job.json`.
public final class JobFile {
    private static final ObjectMapper JSON = new ObjectMapper();
    /// What comes from people and libraries.
    private static final List<String> WORDS = List.of("name", "origin", "message", "problems");

    private JobFile() {}

    /// @throws Unreadable if there is no job in it, or one of a schema that this version does not know
    public static Job read(Path file) throws Unreadable {
        try {
            Job job = JSON.readValue(Files.readAllBytes(file), Job.class);
            if (job == null) throw new Unreadable(file + " is empty");
            if (job.schema() > Job.SCHEMA || job.schema() < 1) {
                throw new Unreadable("%s was written by another version of Nocturne: its schema is %d, this one reads"
                        .formatted(file, job.schema()) + " 1 to " + Job.SCHEMA);
            }
            return job;
        } catch (IOException e) {
            throw new Unreadable(file + " cannot be read: " + e.getMessage());
        }
    }

    /// Replaces the file, whole or not at all.
    ///
    /// @throws SickMachine `DISK_FULL`, `WRITE_FAILED`; the old file is then still there
    static void write(Path file, Job job) {
        try {
            String text = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(scrubbed(job));
            AtomicFiles.writeString(file, text + "\n");
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /// Without the secrets that may have slipped into what was said; what decides anything stays as it is.
    private static ObjectNode scrubbed(Job job) {
        ObjectNode file = JSON.valueToTree(job);
        for (String words : WORDS) {
            if (file.has(words)) file.set(words, Scrubber.scrub(file.get(words)));
        }
        if (file.path("announced").path("data") instanceof ObjectNode data) {
            file.withObject("announced").set("data", Scrubber.scrub(data));
        }
        return file;
    }

    /// The file does not say what the job is.
    public static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String what) {
            super(what);
        }
    }
}
