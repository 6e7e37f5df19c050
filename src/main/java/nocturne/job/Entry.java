package nocturne.job;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.event.EventLog;
import nocturne.io.AtomicFiles;
import nocturne.io.CrashPoint;
import org.jspecify.annotations.Nullable;

/// One job of a ledger: its state, on the disk and in memory, and its journal. What happens to it happens one after the
/// other.
final class Entry {
    private static final String CANCELLED = "CANCELLED";

    private final JobId id;
    private final WorkFolder work;
    private final String source;
    private final InstantSource clock;
    private final Queue<Job> untold = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean telling = new AtomicBoolean();

    private volatile @Nullable Job job;
    private volatile long sequence;
    private volatile long trainerSequence;
    /// Whether the journal may end elsewhere than [#sequence] says, because writing to it failed.
    private boolean uncertain;
    /// Whether `job.json` may hold a state that was refused, because replacing it failed in the end.
    private boolean refusedMayStand;

    Entry(JobId id, WorkFolder work, String source, InstantSource clock) {
        this.id = id;
        this.work = work;
        this.source = source;
        this.clock = clock;
    }

    /// Null as long as it is being added.
    @Nullable Job job() {
        return job;
    }

    /// @throws IllegalArgumentException if it is not there yet
    Job known() {
        Job known = job;
        if (known == null) throw new IllegalArgumentException("no job " + id);
        return known;
    }

    /// Number of the journal's last line that is on the disk for certain.
    long sequence() {
        return sequence;
    }

    long trainerSequence() {
        return trainerSequence;
    }

    /// Makes a prepared folder this job. The journal with its first line lies in the folder before that becomes the
    /// job's, so both appear at once.
    ///
    /// @param incoming the folder that the prepared one lies in
    /// @param jobs     the folder that it goes to
    synchronized void add(Path prepared, Job first, Event event, SharedForce incoming, SharedForce jobs) {
        Job.Announcement announcement = announcement(event);
        Job added = first.announcing(1, announcement);
        JobFile.writeFirst(prepared.resolve(JobFile.NAME), added);
        try (EventLog journal = EventLog.reopen(prepared.resolve(work.journal(id).getFileName()), id.text(), source,
                clock)) {
            journal.append(announcement.type(), announcement.data(), announcement.time(), added.attempt(), 0);
        }
        CrashPoint.at("import.prepared");
        Path target = work.job(id);
        try {
            // A rename is no more durable than what it renames.
            incoming.force();
            move(prepared, target);
            CrashPoint.at("import.moved");
            force(jobs, prepared, target);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, target);
        }
        sequence = 1;
        become(added);
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            // Some disks do it and then lose the answer.
            if (Files.exists(from) || !Files.exists(to.resolve(JobFile.NAME))) throw e;
        }
    }

    private static void force(SharedForce jobs, Path prepared, Path target) throws IOException {
        try {
            jobs.force();
        } catch (IOException e) {
            // Not ours for certain, so it must not be found by the next start either.
            move(target, prepared);
            throw e;
        }
    }

    /// Puts a job found on the disk here, and writes the line that its journal may lack.
    ///
    /// @return what had to be repaired, in words; empty if nothing
    synchronized String restore(Job found) {
        job = found;
        uncertain = true;
        String repaired = "";
        try (EventLog journal = open()) {
            long lost = found.sequence() - 1 - journal.sequence();
            catchUp(journal, found);
            if (journal.cut() > 0) {
                repaired = id + ": " + journal.repaired().message();
                journal.append(journal.repaired(), found.attempt(), journal.trainerSequence());
            }
            if (lost > 0) repaired = "%s: the journal lacks its last %d events".formatted(id, lost);
            noteEnd(journal);
        }
        uncertain = false;
        return repaired;
    }

    /// Takes the job from its state to the next one.
    ///
    /// @param change makes the new job; the same object for no change
    /// @param event  announces it; null for nothing
    /// @return the job as it is now: as it was if its state allows no such change
    synchronized Job advance(UnaryOperator<Job> change, @Nullable Event event) {
        Job before = known();
        Job after = change.apply(before);
        if (after == before) return before;
        Event said = event;
        if (isCancelledBy(before, after)) {
            after = before.in(JobState.CANCELLED, CANCELLED, before.message());
            said = new Event.Cancelled(before.message());
        }
        if (!isAllowed(before, after, said)) return before;
        catchUp();
        if (said == null) {
            replace(after);
            CrashPoint.at("transition." + after.state().word());
            become(after);
            return after;
        }
        Job announcing = after.announcing(sequence + 1, announcement(said));
        replace(announcing);
        CrashPoint.at("transition." + after.state().word());
        become(announcing);
        try {
            catchUp();
        } catch (RuntimeException e) {
            // The state is reached; the line is owed. The next change here, or the next start, writes it first.
            uncertain = true;
        }
        CrashPoint.at("announced." + after.state().word());
        return announcing;
    }

    /// Ends a job that somebody wants to end: at once, or when its trainer is gone.
    synchronized Job cancel(String reason) {
        Job before = known();
        if (before.state() != JobState.RUNNING) {
            return advance(job -> job.in(JobState.CANCELLED, CANCELLED, reason), new Event.Cancelled(reason));
        }
        return before.cancelling() ? before : note(job -> job.toBeCancelled(reason));
    }

    private static boolean isCancelledBy(Job before, Job after) {
        return before.cancelling() && after.state() != JobState.RUNNING && after.state() != JobState.SUPERSEDED
                && after.state() != JobState.CANCELLED;
    }

    /// Changes what stands in `job.json` beside the state.
    synchronized Job note(UnaryOperator<Job> change) {
        Job before = known();
        Job after = change.apply(before);
        if (after.equals(before)) return before;
        if (after.state() != before.state()) return advance(_ -> after, null);
        replace(after);
        CrashPoint.at("noted");
        job = after;
        return after;
    }

    synchronized void record(Event event) {
        if (!isNoState(event)) throw new IllegalArgumentException(event.type() + " belongs to a transition");
        write(journal -> journal.append(event, known().attempt(), trainerSequence));
    }

    synchronized void record(Predicate<Job> when, Event event) {
        if (when.test(known())) record(event);
    }

    /// Takes over what is new of a trainer's events. Those that say what state the job is in are the service's to tell.
    synchronized void takeOver(List<EventLine> events) {
        if (uncertain) catchUp();
        List<EventLine> news = events.stream().filter(event -> event.sequence() > trainerSequence)
                .filter(event -> JobState.announcedBy(event.type()).isEmpty()).toList();
        if (news.isEmpty()) return;
        write(journal -> {
            for (EventLine event : news) journal.takeOver(event, known().attempt());
        });
        trainerSequence = news.getLast().sequence();
        CrashPoint.at("taken-over");
        news.stream().filter(event -> event.type().equals("nocturne.checkpoint.written.v1"))
                .mapToLong(event -> event.data().path("step").asLong()).max()
                .ifPresent(step -> note(job -> step > job.step() ? job.withStep(step) : job));
    }

    /// Writes the line that the journal still lacks, if it does.
    private void catchUp() {
        if (uncertain || known().sequence() > sequence) write(_ -> {});
    }

    private void replace(Job with) {
        refusedMayStand = true;
        JobFile.write(work.jobFile(id), with);
        refusedMayStand = false;
    }

    private void write(Consumer<EventLog> lines) {
        // Else the next start would take the next line for the one that announces the state that was refused.
        if (refusedMayStand) replace(known());
        uncertain = true;
        try (EventLog journal = open()) {
            catchUp(journal, known());
            lines.accept(journal);
            noteEnd(journal);
        }
        uncertain = false;
    }

    private static void catchUp(EventLog journal, Job job) {
        Job.Announcement event = job.announced();
        if (event == null || job.sequence() <= journal.sequence()) return;
        journal.continueAfter(job.sequence() - 1);
        journal.append(event.type(), event.data(), event.time(), job.attempt(), journal.trainerSequence());
    }

    private void noteEnd(EventLog journal) {
        sequence = journal.sequence();
        trainerSequence = Math.max(trainerSequence, journal.trainerSequence());
    }

    private EventLog open() {
        return EventLog.reopen(work.journal(id), id.text(), source, clock);
    }

    private Job.Announcement announcement(Event event) {
        return new Job.Announcement(event.type(), event.data(), clock.instant().toString());
    }

    private void become(Job now) {
        job = now;
        untold.add(now);
    }

    /// Tells of the states that nobody was told of yet, in their order and one at a time: on this thread, or on the one
    /// that is telling already.
    void tell(Consumer<Job> everybody) {
        while (!untold.isEmpty() && telling.compareAndSet(false, true)) {
            try {
                for (Job next = untold.poll(); next != null; next = untold.poll()) everybody.accept(next);
            } finally {
                telling.set(false);
            }
        }
    }

    private static boolean isNoState(Event event) {
        return JobState.announcedBy(event.type()).isEmpty();
    }

    private static boolean isAllowed(Job before, Job after, @Nullable Event said) {
        Optional<JobState> announced = said == null ? Optional.empty() : JobState.announcedBy(said.type());
        if (after.state() == before.state()) return said != null && announced.isEmpty() && !before.isTerminal();
        if (!before.state().mayBecome(after.state())) return false;
        boolean isSaid = announced.isEmpty() ? after.state() == JobState.PUBLISHING : announced.get() == after.state();
        if (isSaid) return true;
        throw new IllegalArgumentException("%s does not say that a job is %s"
                .formatted(said == null ? "silence" : said.type(), after.state().word()));
    }
}
