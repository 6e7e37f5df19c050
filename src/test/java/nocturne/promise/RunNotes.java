package nocturne.promise;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// What the JVMs of one test run note for a list that is about all of them: each runs some of the test classes, and
/// whichever is the last to end one writes the list whole.
///
/// ```
/// <folder>/<run>.jsonl   a note per line; those of earlier runs are deleted
/// <folder>/lock
/// ```
///
/// @param <T> a record; equal notes are one
public final class RunNotes<T> {
    private static final ObjectMapper JSON = new ObjectMapper();
    /// Which Maven run this is, see `pom.xml`. Without Maven a JVM is a run of its own.
    private static final String RUN =
            System.getProperty("nocturne.test.run", "jvm-" + ProcessHandle.current().pid());

    /// Makes a list from all notes of the run.
    public interface Writing<T> {
        void write(List<T> notes) throws IOException;
    }

    private final Path folder;
    private final String run;
    private final Class<T> type;

    RunNotes(Path folder, String run, Class<T> type) {
        this.folder = folder;
        this.run = run;
        this.type = type;
    }

    /// @param folder of this list's notes alone
    public static <T> RunNotes<T> ofThisRun(Path folder, Class<T> type) {
        return new RunNotes<>(folder, RUN, type);
    }

    /// Adds notes, and writes the list anew while nobody else does.
    public void add(List<T> notes, Writing<T> list) {
        // A lock of a file is between processes; within one, threads have to wait for each other besides.
        synchronized (RunNotes.class) {
            try {
                Files.createDirectories(folder);
                try (FileChannel channel = FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE); FileLock _ = channel.lock()) {
                    list.write(List.copyOf(withEarlier(notes)));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private Set<T> withEarlier(List<T> notes) throws IOException {
        Path file = folder.resolve(run + ".jsonl");
        Set<T> all = new LinkedHashSet<>();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) all.add(JSON.readValue(line, type));
        } else {
            forgetEarlierRuns();
        }
        all.addAll(notes);
        List<String> lines = new ArrayList<>();
        for (T note : all) lines.add(JSON.writeValueAsString(note));
        Files.write(file, lines);
        return all;
    }

    private void forgetEarlierRuns() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(file -> file.toString().endsWith(".jsonl")).toList()) Files.delete(file);
        }
    }
}
