package nocturne.desk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import nocturne.job.Job;
import nocturne.job.JobFile;
import nocturne.job.JobId;
import nocturne.job.WorkFolder;
import nocturne.problem.SickMachine;

/// Waits for what the service makes of a submission. To be made before submitting: it remembers what was there.
public final class Answer {
    private static final String DUPLICATE = "nocturne.job.duplicate.v1";
    private static final Duration LOOK = Duration.ofMillis(200);

    private final WorkFolder work;
    /// Length of each job's journal.
    private final Map<JobId, Long> before = new HashMap<>();

    public Answer(WorkFolder work) {
        this.work = work;
        for (JobId id : ids()) before.put(id, journalLength(id));
    }

    /// @param job         it has become, or was recognised as
    /// @param isDuplicate whether that job was there before
    public record Verdict(Job job, boolean isDuplicate) {}

    /// @param origin of the submission, as the job will name it: `inbox:maya.zip`
    /// @return empty if there was no answer in time
    public Optional<Verdict> await(String origin, Duration patience) {
        long start = System.nanoTime();
        while (true) {
            Optional<Verdict> verdict = look(origin);
            if (verdict.isPresent() || System.nanoTime() - start >= patience.toNanos()) return verdict;
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Optional.empty();
            }
        }
    }

    private Optional<Verdict> look(String origin) {
        for (JobId id : ids()) {
            Long length = before.get(id);
            boolean isAnswer = length == null ? read(id).filter(job -> job.origin().equals(origin)).isPresent()
                    : journalLength(id) > length && hasCome(id, length, origin);
            if (isAnswer) return read(id).map(job -> new Verdict(job, length != null));
        }
        return Optional.empty();
    }

    /// Whether the job's journal says so in a line that was not there before.
    private boolean hasCome(JobId id, long length, String origin) {
        return Journal.of(work.journal(id)).from(length).stream()
                .anyMatch(line -> line.type().equals(DUPLICATE)
                        && line.data().path("origin").asText().equals(origin));
    }

    private Optional<Job> read(JobId id) {
        try {
            return Optional.of(JobFile.read(work.jobFile(id)));
        } catch (JobFile.Unreadable notYet) {
            return Optional.empty();
        }
    }

    private long journalLength(JobId id) {
        try {
            return Files.size(work.journal(id));
        } catch (IOException none) {
            return 0;
        }
    }

    private List<JobId> ids() {
        try (Stream<Path> folders = Files.list(work.jobs())) {
            return folders.map(folder -> folder.getFileName().toString()).filter(JobId::isValid).map(JobId::new)
                    .toList();
        } catch (NoSuchFileException none) {
            return List.of();
        } catch (IOException e) {
            throw new SickMachine("READ_FAILED", "reading " + work.jobs() + " failed: " + e.getMessage(), e);
        }
    }
}
