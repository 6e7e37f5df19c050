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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.problem.SickMachine;
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
    private static final Comparator<Job> OLDEST_FIRST =
            Comparator.comparingLong(Job::order).thenComparing(Job::created).thenComparing(Job::id);
    private static final Comparator<Job> NEXT_FIRST =
            Comparator.comparingInt(Job::priority).reversed().thenComparing(OLDEST_FIRST);

    private final WorkFolder work;
    private final InstanceLock lock;
    private final String source;
    private final InstantSource clock;
    private final Attempts attempts;
    private final Map<JobId, Entry> entries = new ConcurrentHashMap<>();
    private final AtomicLong order = new AtomicLong();
    private final SharedForce jobsFolder;
    private final List<Consumer<Job>> listeners = new CopyOnWriteArrayList<>();
    private final List<String> repairs = new ArrayList<>();
    private final Set<String> heldDevices = ConcurrentHashMap.newKeySet();

    /// What came of a job that was to be added.
    ///
    /// @param job   the one that is there now
    /// @param isNew false if it was there before
    public record Added(Job job, boolean isNew) {}

    private Ledger(WorkFolder work, InstanceLock lock, String source, InstantSource clock, Attempts attempts) {
        this.work = work;
        this.lock = lock;
        this.source = source;
        this.clock = clock;
        this.attempts = attempts;
        this.jobsFolder = new SharedForce(work.jobs());
    }

    /// Takes the work folder and brings everything in it into order; see [Recovery].
    ///
    /// @param host     this host's name, for the events' source `/hosts/<host>`
    /// @param clock    for times that people read; nothing is decided by it
    /// @param attempts how often a job is tried
    /// @param children ends trainers that are still there
    /// @throws nocturne.problem.UserMistake `WORK_IN_USE` if another process holds the folder; says which
    public static Ledger open(WorkFolder work, String host, InstantSource clock, Attempts attempts,
            Children children) {
        InstanceLock lock = InstanceLock.take(work.instanceLock(), host);
        try {
            Ledger ledger = new Ledger(work, lock, "/hosts/" + host, clock, attempts);
            new Recovery(work, ledger, attempts, children).run();
            return ledger;
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /// The same, with three attempts, and a minute and a half for trainers to save their state.
    public static Ledger open(WorkFolder work, String host, InstantSource clock) {
        return open(work, host, clock, Attempts.STANDARD, Children.STANDARD);
    }

    public WorkFolder work() {
        return work;
    }

    /// What the start found out of order and what became of it, a line each.
    public List<String> repairs() {
        return List.copyOf(repairs);
    }

    /// Devices that a trainer of an earlier service still holds and cannot be made to let go of.
    public Set<String> heldDevices() {
        return Set.copyOf(heldDevices);
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
        return stream().filter(job -> job.state() == JobState.QUEUED).min(NEXT_FIRST);
    }

    /// The jobs that have come to their end, oldest first.
    public List<Job> finished() {
        return stream().filter(Job::isTerminal).sorted(OLDEST_FIRST).toList();
    }

    /// Whether a new job could have this id: nothing of that name is there, not even what nobody could read.
    public boolean isFree(JobId id) {
        return !entries.containsKey(id) && Files.notExists(work.job(id), LinkOption.NOFOLLOW_LINKS);
    }

    /// Told of every new job and every transition, after it is on the disk: on the thread that made it or, while another
    /// thread tells of the same job, on that one. The transitions of a job are told in their order.
    public void listen(Consumer<Job> listener) {
        listeners.add(listener);
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
        synchronized (entry) {
            for (Entry there = entries.putIfAbsent(job.id(), entry); there != null;
                    there = entries.putIfAbsent(job.id(), entry)) {
                Job before = awaited(there);
                if (before != null) return new Added(before, false);
            }
            try {
                if (Files.exists(work.job(job.id()), LinkOption.NOFOLLOW_LINKS)) {
                    throw new IllegalStateException(work.job(job.id()) + " is there and is no job of ours");
                }
                entry.add(prepared, job.ordered(order.incrementAndGet()), event, jobsFolder);
            } catch (RuntimeException e) {
                entries.remove(job.id(), entry);
                throw e;
            }
        }
        return new Added(told(entry), true);
    }

    /// The job of an entry that may still be on its way to the disk; null if it did not get there.
    private static @Nullable Job awaited(Entry entry) {
        synchronized (entry) {
            return entry.job();
        }
    }

    /// Makes a transition.
    ///
    /// @return the job as it is now: unchanged where its state does not allow the transition
    /// @throws SickMachine if the disk refuses; the job is then as it was before
    public Job advance(JobId id, Transition transition) {
        Entry entry = required(id);
        entry.advance(job -> transition.from(job, attempts.counted()), transition::event);
        return told(entry);
    }

    /// Takes a job from the state it is in to the next one, for changes that [Transition] has no word for.
    ///
    /// @param change makes the new job from the one that is there; returning the same object changes nothing
    /// @param event  that announces it
    /// @return the job as it is now: unchanged where its state does not allow the change
    /// @throws IllegalArgumentException if the event says something else
    /// @throws SickMachine if the disk refuses; the job is then as it was before
    public Job advance(JobId id, UnaryOperator<Job> change, Event event) {
        Entry entry = required(id);
        entry.advance(change, _ -> event);
        return told(entry);
    }

    /// Ends a job: at once or, while a trainer works on it, when that is gone. Then the job is marked, so that whatever
    /// becomes of this process, it is cancelled in the end. Does nothing to a job that has ended.
    ///
    /// @return the job as it is now; if it is still running, its trainer must be ended
    /// @throws SickMachine if the disk refuses
    public Job cancel(JobId id, String reason) {
        Entry entry = required(id);
        entry.cancel(reason);
        return told(entry);
    }

    /// Changes what `job.json` says beside the state, such as the priority; nothing is announced.
    public Job note(JobId id, UnaryOperator<Job> change) {
        Entry entry = required(id);
        entry.note(change);
        return told(entry);
    }

    /// Adds an event to the job's journal that changes no state.
    public void record(JobId id, Event event) {
        required(id).record(event);
    }

    /// Takes events over from the trainer's own log; what was taken over before is passed by, and so is what says which
    /// state the job is in, because that is for the service to say.
    ///
    /// @param events in the order of the trainer's log
    public void takeOver(JobId id, List<EventLine> events) {
        required(id).takeOver(events);
    }

    /// How far the trainer's own log has been taken over.
    public long trainerSequence(JobId id) {
        return required(id).trainerSequence();
    }

    /// Number of the last line of the job's journal that no power cut can take away. Who tells others what stands in the
    /// journal tells no more than that.
    public long sequence(JobId id) {
        return required(id).sequence();
    }

    /// Now, as it stands in `job.json` and events; for people.
    public String now() {
        return clock.instant().toString();
    }

    private Job told(Entry entry) {
        entry.tell(job -> listeners.forEach(listener -> tell(listener, job)));
        return Objects.requireNonNull(entry.job());
    }

    /// A listener that fails is told to whoever looks after this thread; the transition is made all the same.
    private static void tell(Consumer<Job> listener, Job job) {
        try {
            listener.accept(job);
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

    /// Makes the transition of a job that a restart found running.
    ///
    /// @param inARow how often that happened without a step in between; begins anew where it counts as a failure
    Job restarted(JobId id, Transition transition, int inARow) {
        Entry entry = required(id);
        int restarts = transition instanceof Transition.Interrupt ? inARow : 0;
        entry.advance(job -> transition.from(job, attempts.counted()).withRestarts(restarts), transition::event);
        return told(entry);
    }

    void repaired(String what) {
        repairs.add(what);
    }

    void held(String device) {
        heldDevices.add(device);
    }

    /// Lets go of the work folder. Jobs stay as they are.
    @Override
    public void close() {
        lock.close();
    }
}
