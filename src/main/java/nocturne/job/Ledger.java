package nocturne.job;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.io.ProcessLock;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// All jobs of one work folder, and the only way to change them.
///
/// A transition first replaces `job.json`, which carries the event that will announce it, and then appends that event
/// to the journal. A machine that stops in between is found at the next start with a journal that ends before
/// `job.json` says, and the line is written then. So no event is announced before it is true, and none is missing.
///
/// All methods may be called from any thread. What happens to one job happens one after the other; different jobs do
/// not wait for each other. A transition that the job's state does not allow changes nothing: somebody may have
/// cancelled the job a moment before, and the job that comes back tells.
public final class Ledger implements AutoCloseable {
    /// Another process holds the folder.
    static final String IN_USE = "WORK_IN_USE";

    private static final Comparator<Job> OLDEST_FIRST =
            Comparator.comparingLong(Job::order).thenComparing(Job::created).thenComparing(Job::id);
    private static final Comparator<Job> NEXT_FIRST =
            Comparator.comparingInt(Job::priority).reversed().thenComparing(OLDEST_FIRST);

    private final WorkFolder work;
    private final ProcessLock lock;
    private final String source;
    private final InstantSource clock;
    private final Map<JobId, Entry> entries = new ConcurrentHashMap<>();
    private final AtomicLong order = new AtomicLong();
    private final SharedForce incomingFolder;
    private final SharedForce jobsFolder;
    private final List<Consumer<Job>> listeners = new CopyOnWriteArrayList<>();
    private final List<Consumer<JobId>> readers = new CopyOnWriteArrayList<>();
    private final List<String> repairs = new ArrayList<>();

    /// What came of a job that was to be added.
    ///
    /// @param job   the one that is there now
    /// @param isNew false if it was there before
    public record Added(Job job, boolean isNew) {}

    private Ledger(WorkFolder work, ProcessLock lock, String source, InstantSource clock) {
        this.work = work;
        this.lock = lock;
        this.source = source;
        this.clock = clock;
        this.incomingFolder = new SharedForce(work.incoming());
        this.jobsFolder = new SharedForce(work.jobs());
    }

    /// Takes the work folder and brings everything in it into order; see [Recovery].
    ///
    /// @param host  this host's name, for the events' source `/hosts/<host>`
    /// @param clock for times that people read; nothing is decided by it
    /// @throws UserMistake [#IN_USE] if another process holds the folder; says which
    public static Ledger open(WorkFolder work, String host, InstantSource clock) {
        ProcessLock lock = ProcessLock.take(work.instanceLock(), host, holder -> inUse(work, holder));
        try {
            Ledger ledger = new Ledger(work, lock, "/hosts/" + host, clock);
            new Recovery(work, ledger).run();
            return ledger;
        } catch (RuntimeException | Error e) {
            lock.close();
            throw e;
        }
    }

    private static UserMistake inUse(WorkFolder work, String holder) {
        return new UserMistake(IN_USE, work.instanceLock().toString(),
                "another Nocturne works in this folder%s. Stop it first, or give this one a folder of its own."
                        .formatted(holder.isEmpty() ? "" : ": " + holder));
    }

    public WorkFolder work() {
        return work;
    }

    /// What the start found out of order and what became of it, a line each.
    public List<String> repairs() {
        return List.copyOf(repairs);
    }

    /// Every job, oldest first.
    public List<Job> jobs() {
        return stream().sorted(OLDEST_FIRST).toList();
    }

    /// Every job, in no order.
    public Stream<Job> stream() {
        return entries.values().stream().map(Entry::job).filter(Objects::nonNull).map(Objects::requireNonNull);
    }

    public Optional<Job> job(JobId id) {
        return Optional.ofNullable(entries.get(id)).map(Entry::job);
    }

    /// The job that should get the next free device: the highest priority first, then the oldest.
    public Optional<Job> next() {
        return next(_ -> true);
    }

    /// The same among those that are ready, such as not waiting after a failure.
    public Optional<Job> next(Predicate<Job> ready) {
        return stream().filter(job -> job.state() == JobState.QUEUED).filter(ready).min(NEXT_FIRST);
    }

    /// The jobs that have come to their end, oldest first.
    public List<Job> finished() {
        return stream().filter(Job::isTerminal).sorted(OLDEST_FIRST).toList();
    }

    /// Whether a new job could have this id: nothing of that name is there, not even what nobody could read.
    public boolean isFree(JobId id) {
        return !entries.containsKey(id) && Files.notExists(work.job(id), LinkOption.NOFOLLOW_LINKS);
    }

    /// Told of every new job and every transition, after it is on the disk: on the thread that made it or, while
    /// another thread tells of the same job, on that one. The transitions of a job are told in their order.
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
    /// @throws SickMachine if the disk refuses; there is no such job then
    public Added add(Path prepared, Job job, Event event) {
        Entry entry = new Entry(job.id(), work, source, clock);
        Optional<Job> before = put(entry, prepared, job, event);
        if (before.isPresent()) return new Added(before.get(), false);
        return new Added(tell(entry, 0), true);
    }

    /// Empty if it is there now; else the job that was there before.
    private Optional<Job> put(Entry entry, Path prepared, Job job, Event event) {
        // Held from the outside too, so that who finds it waits until it is a job.
        synchronized (entry) {
            for (Entry there = entries.putIfAbsent(job.id(), entry); there != null;
                    there = entries.putIfAbsent(job.id(), entry)) {
                Job before = awaited(there);
                if (before != null) return Optional.of(before);
            }
            try {
                if (Files.exists(work.job(job.id()), LinkOption.NOFOLLOW_LINKS)) {
                    throw new IllegalStateException(work.job(job.id()) + " is there and is no job of ours");
                }
                entry.add(prepared, job.ordered(order.incrementAndGet()), event, incomingFolder, jobsFolder);
                return Optional.empty();
            } catch (RuntimeException e) {
                entries.remove(job.id(), entry);
                throw e;
            }
        }
    }

    /// The job of an entry that may still be on its way to the disk; null if it did not get there.
    private static @Nullable Job awaited(Entry entry) {
        synchronized (entry) {
            return entry.job();
        }
    }

    /// Takes a job from the state it is in to the next one.
    ///
    /// @param change makes the new job from the one that is there; returning the same object changes nothing
    /// @param event  that announces it
    /// @return the job as it is now: unchanged where its state does not allow the change
    /// @throws IllegalArgumentException if the event says something else
    /// @throws SickMachine if the disk refuses; the job is then as it was before
    public Job advance(JobId id, UnaryOperator<Job> change, Event event) {
        return told(required(id), entry -> entry.advance(change, event));
    }

    /// Ends a job: at once or, while a trainer works on it, when that is gone. Then the job is marked, so that whatever
    /// becomes of this process, it is cancelled in the end. Does nothing to a job that has ended.
    ///
    /// @return the job as it is now; if it is still running, its trainer must be ended
    /// @throws SickMachine if the disk refuses
    public Job cancel(JobId id, String reason) {
        return told(required(id), entry -> entry.cancel(reason));
    }

    /// Gives a job that failed or was cancelled another try, with all its attempts; what it saved is used. Does nothing
    /// to any other job, nor to one whose bundle was cleaned away.
    ///
    /// @return the job as it is now
    /// @throws SickMachine if the disk refuses
    public Job retry(JobId id) {
        Job job = required(id).known();
        Event event = new Event.Queued(job.name(), job.origin(), job.contentHash(), job.steps(), job.pictures());
        return advance(id, now -> now.isTerminal() && !now.bundle().isEmpty()
                ? now.in(JobState.QUEUED, "", "").withProblems(List.of()).withFailures(0) : now, event);
    }

    /// Changes what `job.json` says beside the state, such as the priority; nothing is announced.
    public Job note(JobId id, UnaryOperator<Job> change) {
        return told(required(id), entry -> entry.note(change));
    }

    /// Adds an event to the job's journal that changes no state.
    public void record(JobId id, Event event) {
        told(required(id), entry -> entry.record(event));
    }

    /// The same if the job, as it is when the event would be written, is one that it is true of.
    public void record(JobId id, Predicate<Job> when, Event event) {
        told(required(id), entry -> entry.record(when, event));
    }

    /// Takes events over from the trainer's own log; what was taken over before is passed by, and so is what says which
    /// state the job is in, because that is for the service to say.
    ///
    /// @param events in the order of the trainer's log
    public void takeOver(JobId id, List<EventLine> events) {
        told(required(id), entry -> entry.takeOver(events));
    }

    /// How far the trainer's own log has been taken over.
    public long trainerSequence(JobId id) {
        return required(id).trainerSequence();
    }

    /// Number of the last line of the job's journal that no power cut can take away. Who tells others what stands in
    /// the journal tells no more than that.
    public long sequence(JobId id) {
        return required(id).sequence();
    }

    /// Now, as it stands in `job.json` and events; for people.
    public String now() {
        return clock.instant().toString();
    }

    /// Does something to a job, and then tells those who listen what came of it.
    private Job told(Entry entry, Consumer<Entry> what) {
        long before = entry.sequence();
        what.accept(entry);
        return tell(entry, before);
    }

    /// @param before how far the journal went before
    private Job tell(Entry entry, long before) {
        if (entry.sequence() > before) readers.forEach(reader -> tell(reader, entry.known().id()));
        entry.tell(job -> listeners.forEach(listener -> tell(listener, job)));
        return entry.known();
    }

    /// A listener that fails is told to whoever looks after this thread; the transition is made all the same.
    private static <T> void tell(Consumer<T> listener, T news) {
        try {
            listener.accept(news);
        } catch (RuntimeException e) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }

    private Entry required(JobId id) {
        Entry entry = entries.get(id);
        if (entry == null || entry.job() == null) throw new IllegalArgumentException("no job " + id);
        return entry;
    }

    /// Puts a job found on the disk here; only at the start.
    ///
    /// @return what had to be repaired, in words; empty if nothing
    String restore(Job job) {
        Entry entry = new Entry(job.id(), work, source, clock);
        String repaired = entry.restore(job);
        entries.put(job.id(), entry);
        order.accumulateAndGet(job.order(), Math::max);
        return repaired;
    }

    void repaired(String what) {
        repairs.add(what);
    }

    /// Lets go of the work folder. Jobs stay as they are.
    @Override
    public void close() {
        lock.close();
    }
}
