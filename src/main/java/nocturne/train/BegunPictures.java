package nocturne.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.io.AtomicFiles;
import nocturne.problem.SickMachine;

/// What of a probe was begun when a process ended, in a file of a name a line: what ends a process does so again, and
/// must not keep the job from ending.
///
/// A name stands there while its work is done, so those that a process finds are what earlier ones died of.
final class BegunPictures {
    /// Of all pictures together. Fewer than the failures that a job may have: training is over, and the adapter good.
    static final int MOST_DEATHS = 2;

    private final Path file;
    private final List<String> deaths;

    private BegunPictures(Path file, List<String> deaths) {
        this.file = file;
        this.deaths = deaths;
    }

    /// @param file that need not be there
    static BegunPictures in(Path file) {
        try {
            return new BegunPictures(file, Files.isRegularFile(file) ? Files.readAllLines(file) : List.of());
        } catch (IOException e) {
            throw new SickMachine("STATE_UNREADABLE", "reading " + file + ": " + e, e);
        }
    }

    /// In the order in which they happened; a name stands as often as it was died of.
    List<String> deaths() {
        return deaths;
    }

    boolean areTooMany() {
        return deaths.size() >= MOST_DEATHS;
    }

    boolean diedOf(String name) {
        return deaths.contains(name);
    }

    void begin(String name) {
        List<String> lines = new ArrayList<>(deaths);
        lines.add(name);
        write(lines);
    }

    /// What was begun has come to an end, good or bad, or may be ended by who asked the process to stop.
    void end() {
        write(deaths);
    }

    private void write(List<String> lines) {
        AtomicFiles.writeString(file, String.join("\n", lines) + (lines.isEmpty() ? "" : "\n"));
    }
}
