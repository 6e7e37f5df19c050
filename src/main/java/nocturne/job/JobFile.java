package nocturne.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.io.AtomicFiles;
import nocturne.problem.SickMachine;

/// Reads and replaces `job.json`.
public final class JobFile {
    private static final ObjectMapper JSON = new ObjectMapper();

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
            AtomicFiles.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(job) + "\n");
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /// The file does not say what the job is.
    public static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String what) {
            super(what);
        }
    }
}
