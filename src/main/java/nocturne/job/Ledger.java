package nocturne.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.event.EventLog;
import nocturne.io.AtomicFiles;
import nocturne.io.CrashPoint;

/// All jobs of one work folder, and the only way to change them.
///
/// A transition first replaces `job.json`, which carries the event that will announce it, and then appends that event
/// to the journal. A machine that stops in between is found at the next start with a journal that ends before
/// `job.json` says, and the line is written then. So no event is announced before it is true, and none is missing.
///
/// All methods may be called from any thread; transitions of one job come one after the other.
public final class Ledger implements AutoCloseable {
    private final WorkFolder work;
    private final InstanceLock lock;
    private final String source;
    private final InstantSource clock;
    private final Map<JobId, Job> jobs = new ConcurrentHashMap<>();
    private final List<Consumer<Job>> listeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<JobId>> readers = new CopyOnWriteArrayList<>();

    /// What came of a job that was to be added.
    ///
    /// @param job   the one that is there now
    /// @param isNew false if it was there before
    public record Added(Job job, boolean isNew) {}

    private Ledger(WorkFolder work, InstanceLock lock, String source, InstantSource clock) {
        this.work = work;
        this.lock = lock;
        this.source = source;
        this.clock = clock;
    }

    /// Takes the work folder and brings everything in it into order; see [Recovery].
    ///
    /// @param host  this host's name, for the events' source `/hosts/<host>`
    /// @param clock for times that people read
    /// @throws nocturne.problem.UserMistake `WORK_IN_USE` if another process holds the folder; says which
    public static Ledger open(WorkFolder work, String host, InstantSource clock) {
        InstanceLock lock = InstanceLock.take(work.instanceLock(), host);
        try {
            Ledger ledger = new Ledger(work, lock, "/hosts/" + host, clock);
            new Recovery(work, ledger).run();
            return ledger;
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    public WorkFolder work() {
        return work;
    }

    /// Every job, oldest first.
    public List<Job> jobs() {
        return jobs.values().stream().sorted(Comparator.comparing(Job::created).thenComparing(Job::id)).toList();
    }

    public Optional<Job> job(JobId id) {
        return Optional.ofNullable(jobs.get(id));
    }

    /// The job that should get the next free device: the highest priority first, then the oldest.
    public Optional<Job> next() {
        return next(_ -> true);
    }

    /// The same among those that are ready, such as not waiting after a failure.
    public Optional<Job> next(Predicate<Job> ready) {
        return jobs.values().stream().filter(job -> job.state() == JobState.QUEUED).filter(ready)
                .min(Comparator.comparingInt(Job::priority).reversed().thenComparing(Job::created)
                        .thenComparing(Job::id));
    }

    /// Told of every new job and every transition, after it is on the disk, on the thread that made it.
    public void listen(Consumer<Job> listener) {
        listeners.add(listener);
    }

    /// Told of every job whose journal has grown, after the new lines are on the disk, on the thread that wrote them.
    public void listenToJournals(Consumer<JobId> reader) {
        readers.add(reader);
    }

    /// Makes a prepared folder a job: from here on it survives anything.
    ///
    /// @param prepared a folder in `incoming/` with everything that belongs into the job's folder but `job.json`; it
    ///                 is gone afterwards, or untouched if the job was there before
    /// @param job      in its first state
    /// @param event    that announces it
    public synchronized Added add(Path prepared, Job job, Event event) {
        Job before = jobs.get(job.id());
        if (before != null) return new Added(before, false);
        Path target = work.job(job.id());
        Job first = job.announcing(1, announcement(event));
        try {
            JobFile.write(prepared.resolve("job.json"), first);
            CrashPoint.at("import.prepared");
            Files.createDirectories(work.jobs());
            Files.move(prepared, target, StandardCopyOption.ATOMIC_MOVE);
            AtomicFiles.forceFolder(work.jobs());
        } catch (IOException e) {
            throw AtomicFiles.explained(e, target);
        }
        CrashPoint.at("import.moved");
        jobs.put(job.id(), first);
        announce(first);
        listeners.forEach(listener -> listener.accept(first));
        return new Added(first, true);
    }

    /// Takes a job from the state it is in to the next one.
    ///
    /// @param change makes the new job from the one that is there; returning the same object changes nothing
    /// @param event  that announces it
    /// @return the job as it is now
    /// @throws nocturne.problem.SickMachine if the disk refuses; the job is then as it was before
    public synchronized Job advance(JobId id, UnaryOperator<Job> change, Event event) {
        Job before = required(id);
        Job changed = change.apply(before);
        if (changed == before) return before;
        Job after = changed.announcing(sequence(id) + 1, announcement(event));
        JobFile.write(work.jobFile(id), after);
        CrashPoint.at("transition." + after.state().word());
        jobs.put(id, after);
        announce(after);
        listeners.forEach(listener -> listener.accept(after));
        return after;
    }

    /// Changes what `job.json` says beside the state, such as the priority; nothing is announced.
    public synchronized Job note(JobId id, UnaryOperator<Job> change) {
        Job after = change.apply(required(id));
        JobFile.write(work.jobFile(id), after);
        jobs.put(id, after);
        return after;
    }

    /// Adds an event to the job's journal that changes no state.
    public synchronized void record(JobId id, Event event) {
        try (EventLog journal = journal(id)) {
            journal.append(event, required(id).attempt(), journal.trainerSequence());
        }
        readers.forEach(reader -> reader.accept(id));
    }

    /// Takes events over from the trainer's own log; what was taken over before is passed by.
    ///
    /// @param events in the order of the trainer's log
    public synchronized void takeOver(JobId id, List<EventLine> events) {
        int attempt = required(id).attempt();
        try (EventLog journal = journal(id)) {
            for (EventLine event : events) {
                if (event.sequence() > journal.trainerSequence()) journal.takeOver(event, attempt);
            }
        }
        readers.forEach(reader -> reader.accept(id));
    }

    /// How far the trainer's own log has been taken over.
    public synchronized long trainerSequence(JobId id) {
        try (EventLog journal = journal(id)) {
            return journal.trainerSequence();
        }
    }

    /// Puts a job found on the disk into the ledger, and writes the line that its journal may lack.
    synchronized void restore(Job job) {
        jobs.put(job.id(), job);
        if (job.sequence() > sequence(job.id())) announce(job);
    }

    private void announce(Job job) {
        Job.Announcement event = job.announced();
        if (event == null) return;
        try (EventLog journal = journal(job.id())) {
            journal.append(event.type(), event.data(), event.time(), job.attempt(), journal.trainerSequence());
        }
        CrashPoint.at("announced." + job.state().word());
        readers.forEach(reader -> reader.accept(job.id()));
    }

    private long sequence(JobId id) {
        try (EventLog journal = journal(id)) {
            return journal.sequence();
        }
    }

    private EventLog journal(JobId id) {
        return EventLog.open(work.journal(id), id.text(), source, clock);
    }

    private Job.Announcement announcement(Event event) {
        return new Job.Announcement(event.type(), event.data(), clock.instant().toString());
    }

    private Job required(JobId id) {
        Job job = jobs.get(id);
        if (job == null) throw new IllegalArgumentException("no job " + id);
        return job;
    }

    /// Lets go of the work folder. Jobs stay as they are.
    @Override
    public void close() {
        lock.close();
    }

    /// The jobs that have come to their end, oldest first.
    public List<Job> finished() {
        return new ArrayList<>(jobs().stream().filter(Job::isTerminal).toList());
    }
}
