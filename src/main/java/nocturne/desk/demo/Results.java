package nocturne.desk.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.desk.Quantity;
import nocturne.problem.SickMachine;

/// What is left in the end: files in the outbox, events on the topic.
final class Results {
    private final Stage stage;
    private final Path outbox;

    Results(Stage stage, Path outbox) {
        this.stage = stage;
        this.outbox = outbox;
    }

    void tell(List<String> jobs, Map<String, Map<String, Integer>> events, String topic) {
        stage.say("\nIn the outbox:");
        for (String job : jobs) list(outbox.resolve(job));
        stage.say("\nPublished on " + topic + ":");
        events.forEach((subject, types) -> {
            int sum = sum(types.values());
            stage.say("  %-24s %4d events: %s".formatted(subject, sum, types.entrySet().stream()
                    .map(type -> type.getValue() + " " + type.getKey()).collect(Collectors.joining(", "))));
        });
        stage.say("  %-24s %4d events".formatted("together",
                events.values().stream().mapToInt(types -> sum(types.values())).sum()));
    }

    private static int sum(Collection<Integer> counts) {
        return counts.stream().mapToInt(Integer::intValue).sum();
    }

    /// Each file at the top; of each folder, how many files it holds.
    private void list(Path job) {
        stage.say("  " + job);
        if (!Files.isDirectory(job)) return;
        try (Stream<Path> entries = Files.list(job)) {
            for (Path entry : entries.sorted().toList()) {
                boolean isFolder = Files.isDirectory(entry);
                List<Path> files = filesIn(entry);
                long bytes = 0;
                for (Path file : files) bytes += Files.size(file);
                stage.say("    %9s  %s".formatted(Quantity.bytes(bytes), isFolder
                        ? "%s/ (%d files)".formatted(entry.getFileName(), files.size()) : entry.getFileName()));
            }
        } catch (IOException e) {
            throw new SickMachine("READ_FAILED", "listing " + job + " failed: " + e.getMessage(), e);
        }
    }

    private static List<Path> filesIn(Path entry) throws IOException {
        try (Stream<Path> files = Files.walk(entry)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }
}
