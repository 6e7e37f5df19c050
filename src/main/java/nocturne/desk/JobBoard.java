package nocturne.desk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import nocturne.io.NearestNames;
import nocturne.job.Job;
import nocturne.job.JobFile;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.WorkFolder;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// The jobs of a work folder, read from its files. A service may be changing them meanwhile: `job.json` is replaced
/// whole, so what is read was true a moment ago.
public final class JobBoard {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_SUGGESTED = 3;

    private final WorkFolder work;
    private final InstantSource clock;

    /// @param clock tells how much of a job's remaining time has passed since it was said
    public JobBoard(WorkFolder work, InstantSource clock) {
        this.work = work;
        this.clock = clock;
    }

    /// Everything that lies in the folder.
    ///
    /// @param jobs       oldest first
    /// @param unreadable folders without a sound `job.json`, and what is wrong with each
    public record Listing(List<JobView> jobs, List<String> unreadable) {
        public Listing {
            jobs = List.copyOf(jobs);
            unreadable = List.copyOf(unreadable);
        }
    }

    public Listing list() {
        List<JobView> jobs = new ArrayList<>();
        List<String> unreadable = new ArrayList<>();
        for (Path folder : folders()) {
            try {
                view(folder).ifPresent(jobs::add);
            } catch (JobFile.Unreadable damaged) {
                unreadable.add(String.valueOf(damaged.getMessage()));
            }
        }
        jobs.sort(Comparator.comparing((JobView view) -> view.job().created()).thenComparing(view -> view.job().id()));
        return new Listing(jobs, unreadable);
    }

    /// The job that somebody means: its id, or the beginning of exactly one id.
    ///
    /// @throws UserMistake `JOB_UNKNOWN` with the nearest ones; `JOB_UNREADABLE`
    public JobView find(String asked) {
        List<String> ids = folders().stream().map(folder -> folder.getFileName().toString()).toList();
        List<String> meant = ids.contains(asked) ? List.of(asked)
                : ids.stream().filter(id -> !asked.isEmpty() && id.startsWith(asked)).toList();
        if (meant.size() != 1) {
            throw unknown(asked, meant.isEmpty() ? NearestNames.of(asked, ids, MOST_SUGGESTED) : meant);
        }
        String id = meant.getFirst();
        try {
            return view(work.jobs().resolve(id)).orElseThrow(() -> unknown(asked, List.of()));
        } catch (JobFile.Unreadable damaged) {
            throw new UserMistake("JOB_UNREADABLE", id, "its job.json makes no sense (" + damaged.getMessage()
                    + "). What lies beside it is untouched: " + work.jobs().resolve(id));
        }
    }

    private UserMistake unknown(String asked, List<String> near) {
        String hint = near.isEmpty() ? "There are no jobs in " + work.jobs() + "."
                : "Did you mean " + String.join(", ", near.stream().limit(MOST_SUGGESTED).toList()) + "?";
        return new UserMistake("JOB_UNKNOWN", Printable.of(asked, 80), "no such job. " + hint);
    }

    private List<Path> folders() {
        try (Stream<Path> entries = Files.list(work.jobs())) {
            return entries.filter(entry -> JobId.isValid(entry.getFileName().toString()))
                    .filter(Files::isDirectory).sorted().toList();
        } catch (NoSuchFileException nothingYet) {
            return List.of();
        } catch (IOException e) {
            throw new SickMachine("READ_FAILED", "reading " + work.jobs() + " failed: " + e.getMessage(), e);
        }
    }

    /// Empty if the folder went away while we looked, as it does when the service cleans up.
    private Optional<JobView> view(Path folder) throws JobFile.Unreadable {
        Path file = folder.resolve("job.json");
        try {
            return Optional.of(view(JobFile.read(file)));
        } catch (JobFile.Unreadable damaged) {
            if (Files.notExists(folder)) return Optional.empty();
            throw damaged;
        }
    }

    private JobView view(Job job) {
        if (job.state() != JobState.RUNNING) return new JobView(job, job.step(), "", null);
        JsonNode beat = heartbeat(job.id());
        long step = Math.max(job.step(), beat.path("step").asLong());
        return new JobView(job, step, beat.path("phase").asText(), left(job.id()));
    }

    /// What the trainer rewrites in place; half a file, or none, is as good as no news.
    private JsonNode heartbeat(JobId id) {
        try {
            return JSON.readTree(Files.readAllBytes(work.heartbeat(id)));
        } catch (IOException noNews) {
            return JSON.missingNode();
        }
    }

    private @Nullable Duration left(JobId id) {
        return Journal.of(work.journal(id)).last("nocturne.job.progressed.v1").map(line -> {
            try {
                Duration since = Duration.between(Instant.parse(line.time()), clock.instant());
                Duration left = Duration.ofSeconds(line.data().path("etaSeconds").asLong()).minus(since);
                return left.isNegative() ? Duration.ZERO : left;
            } catch (DateTimeParseException noTime) {
                return null;
            }
        }).orElse(null);
    }
}
