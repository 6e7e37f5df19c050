package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import nocturne.event.EventLine;
import nocturne.io.AtomicFiles;

/// What must be so in a work folder whatever happened to the service, told from the files alone.
///
/// - every job has a readable `job.json`, in a folder of its name;
/// - its journal's lines are whole, numbered from 1 without a gap, and make a life that a job can have;
/// - the state that the journal ends with is the one in `job.json`, unless the very last line is still to be written;
/// - nothing lies where the layout knows no place for it.
public final class LedgerOracle {
    private static final Set<String> LAYOUT = Set.of("instance.lock", "status.json", "host", "incoming", "pending",
            "jobs", "unreadable");

    private final WorkFolder work;

    public LedgerOracle(WorkFolder work) {
        this.work = work;
    }

    /// Checks a folder that a service has stopped in, cleanly or not.
    ///
    /// @return every job by its id
    public SequencedMap<JobId, Job> check() {
        return check(false);
    }

    /// Checks a folder after recovery: then the last line is there too.
    public SequencedMap<JobId, Job> checkRecovered() {
        return check(true);
    }

    private SequencedMap<JobId, Job> check(boolean recovered) {
        SequencedMap<JobId, Job> jobs = new TreeMap<>();
        assertThat(names(work.root())).isSubsetOf(LAYOUT);
        for (String name : names(work.jobs())) {
            Job job = read(work.jobs().resolve(name));
            assertThat(job.id().text()).isEqualTo(name);
            jobs.put(job.id(), job);
            check(job, recovered);
        }
        return jobs;
    }

    private static Job read(Path folder) {
        try {
            return JobFile.read(folder.resolve(JobFile.NAME));
        } catch (JobFile.Unreadable e) {
            throw new AssertionError(e);
        }
    }

    private void check(Job job, boolean recovered) {
        List<EventLine> events = journal(job.id());
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).sequence()).as("number in %s", events.get(i).text()).isEqualTo(i + 1);
            assertThat(events.get(i).subject()).isEqualTo(job.id().text());
        }
        boolean owed = job.sequence() > events.size();
        if (recovered) assertThat(owed).as("the journal of %s is complete", job.id()).isFalse();
        assertThat(job.sequence()).as("at most one line is owed").isLessThanOrEqualTo(events.size() + 1);
        Optional<JobState> said = told(job.id(), events);
        if (owed) {
            JobState before = said.orElse(job.state());
            assertThat(before == job.state() || before.mayBecome(job.state()) || isPublished(before, job.state()))
                    .as("%s: %s to %s", job.id(), before, job.state()).isTrue();
        } else {
            JobState visible = job.state() == JobState.PUBLISHING ? JobState.RUNNING : job.state();
            assertThat(said).as("what the journal of %s says", job.id()).contains(visible);
        }
    }

    /// Follows the journal through its states.
    private static Optional<JobState> told(JobId id, List<EventLine> events) {
        JobState state = null;
        for (EventLine event : events) {
            Optional<JobState> next = JobState.announcedBy(event.type());
            if (next.isEmpty()) continue;
            if (state == null) {
                assertThat(next.get()).as("beginning of %s", id).isIn(JobState.QUEUED, JobState.REFUSED);
            } else {
                assertThat(state.mayBecome(next.get()) || isPublished(state, next.get()))
                        .as("%s: %s after %s", id, event.text(), state).isTrue();
            }
            state = next.get();
        }
        return Optional.ofNullable(state);
    }

    /// Publishing, which lies between, is not announced.
    private static boolean isPublished(JobState from, JobState to) {
        return from == JobState.RUNNING && JobState.PUBLISHING.mayBecome(to);
    }

    /// The whole lines of a job's journal.
    public List<EventLine> journal(JobId id) {
        List<EventLine> events = new ArrayList<>();
        if (!Files.exists(work.journal(id))) return events;
        try {
            String text = Files.readString(work.journal(id));
            for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
                events.add(EventLine.parse(line).orElseThrow(() -> new AssertionError("broken line: " + line)));
            }
            return events;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// The types of a job's events, without what all have in common: `job.queued`.
    public List<String> told(JobId id) {
        return journal(id).stream()
                .map(event -> event.type().replaceFirst("^nocturne\\.", "").replaceFirst("\\.v1$", "")).toList();
    }

    private static List<String> names(Path folder) {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> !AtomicFiles.isLeftover(entry))
                    .map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
