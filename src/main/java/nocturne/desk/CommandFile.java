package nocturne.desk;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.Path;
import java.time.InstantSource;
import nocturne.io.AtomicFiles;
import nocturne.job.JobId;

/// What the service is told by a file in its inbox: `<job>-<word>-<number>.command.json`.
final class CommandFile {
    private CommandFile() {}

    /// Puts a command into the inbox, whole or not at all.
    ///
    /// @param word `cancel` or `retry`
    /// @return the file, which the service removes when it has obeyed
    static Path write(Path inbox, String word, JobId job, InstantSource clock) {
        Path file = inbox.resolve("%s-%s-%d.command.json".formatted(job, word, clock.millis()));
        String json = JsonNodeFactory.instance.objectNode()
                .put("version", 1).put("command", word).put("job", job.text()).toPrettyString();
        AtomicFiles.writeString(file, json + "\n");
        return file;
    }
}
