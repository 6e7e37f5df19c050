package nocturne.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import nocturne.event.Scrubber;
import nocturne.io.AtomicFiles;
import nocturne.problem.SickMachine;

/// Reads and replaces `job.json`.
public final class JobFile {
    static final String NAME = "job.json";

    private static final ObjectMapper JSON = new ObjectMapper();
    /// Problems are listed up to a bound, so a file of ours is never near this.
    private static final long MOST_BYTES = 16 << 20;
    /// What comes from people and libraries.
    private static final List<String> WORDS = List.of("name", "origin", "message", "problems");

    private JobFile() {}

    /// @throws Newer      if a later version of Nocturne wrote it
    /// @throws Unreadable if there is no job in it
    public static Job read(Path file) throws Unreadable {
        try {
            if (Files.size(file) > MOST_BYTES) throw new Unreadable(file + " is far too large to be a job");
            JsonNode tree = JSON.readTree(Files.readAllBytes(file));
            int schema = tree.path("schema").asInt();
            if (schema < 1) throw new Unreadable(file + " is no job");
            // Asked first: what a later version writes may not even fit into a job of today.
            if (schema > Job.SCHEMA) throw new Newer(file, schema);
            return JSON.treeToValue(tree, Job.class);
        } catch (IOException | IllegalArgumentException e) {
            throw new Unreadable("%s cannot be read: %s".formatted(file, firstLine(e)));
        }
    }

    /// Replaces the file, whole or not at all.
    ///
    /// @throws SickMachine `DISK_FULL`, `WRITE_FAILED`; the old file is then still there
    static void write(Path file, Job job) {
        AtomicFiles.writeString(file, text(job));
    }

    /// Writes the first one, into a folder that nobody looks into yet. Whoever gives the folder its name forces it.
    ///
    /// @throws SickMachine as above
    static void writeFirst(Path file, Job job) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer bytes = ByteBuffer.wrap(text(job).getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) channel.write(bytes);
            channel.force(true);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }

    private static String text(Job job) {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(scrubbed(job)) + "\n";
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

    private static String firstLine(Exception e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    /// The file does not say what the job is.
    public static sealed class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String what) {
            super(what);
        }
    }

    /// The file says it in a way that this version does not know.
    public static final class Newer extends Unreadable {
        private static final long serialVersionUID = 1L;

        Newer(Path file, int schema) {
            super("%s was written by a later version of Nocturne (its schema is %d, this one reads up to %d); %s"
                    .formatted(file, schema, Job.SCHEMA, "it is left as it is: start that version again"));
        }
    }
}
