package nocturne.service.slot;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.problem.SickMachine;
import nocturne.service.HostJournal;
import nocturne.service.Part;
import nocturne.service.Provisions;
import nocturne.service.RunningJobs;
import nocturne.service.SlotReport;
import nocturne.service.Slots;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives each free device the next job, and watches over those that run.
///
/// It sleeps until the ledger, a device, a pause or the clock gives it a reason to look; what it then does follows from
/// how things are, not from what woke it.
final class Dispatcher implements Part, Slots, RunningJobs, SlotReport {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);
    /// Hours and disks announce nothing; they are looked at this often.
    private static final Duration LOOK_AROUND = Duration.ofSeconds(5);
    private static final Duration SHORTEST = Duration.ofMillis(20);
    /// Beyond the grace and the kill, for the last words and the last write.
    private static final Duration LAST_WORK = Duration.ofSeconds(10);

    private final Ledger ledger;
    private final SlotBoard board;
    private final Attempt.Setting setting;
    private final Settlement settlement;
    private final Orphans orphans;
    private final Hours hours;
    private final DiskRoom disk;
    private final HealthWatch health;
    private final Duration healthEvery;
    private final Rests<JobId> pauses;
    private final HostJournal host;
    private final Provisions provisions;
    private final Map<JobId, Attempt> attempts = new ConcurrentHashMap<>();
    private final Semaphore reasons = new Semaphore(0);
    private volatile boolean draining;
    private volatile boolean stopping;
    private volatile @Nullable Thread thread;
    private volatile @Nullable Thread healthThread;

    /// What it is made of; see [SlotFactory].
    ///
    /// @param pauses      of jobs that failed
    /// @param healthEvery time between two looks at the devices; zero for none
    record Makings(Attempt.Setting setting, TrainerSettings trainer, Rests<JobId> pauses, Rests<String> rest,
            Processes processes, Hours hours, DiskRoom disk, HostJournal host, DeviceHealth health, boolean share,
            Duration healthEvery, Provisions provisions) {}

    Dispatcher(Makings makings) {
        this.setting = makings.setting();
        this.ledger = setting.ledger();
        this.board = setting.board();
        this.pauses = makings.pauses();
        this.hours = makings.hours();
        this.disk = makings.disk();
        this.host = makings.host();
        this.healthEvery = makings.healthEvery();
        this.provisions = makings.provisions();
        this.health = new HealthWatch(makings.health(), board, host, makings.share(), this::isOurs, this::leave,
                this::drain);
        this.settlement = new Settlement(ledger, makings.trainer(), board, pauses, makings.rest(), _ -> lookAtHealth(),
                () -> stopping);
        this.orphans = new Orphans(ledger, board, makings.processes(), setting.grace(), makings.trainer());
        ledger.listen(_ -> wake());
        board.onChange(this::wake);
        provisions.onChange(this::wake);
    }

    @Override
    public int getOrder() {
        return RUNNING;
    }

    @Override
    public void start() {
        disk.look();
        orphans.adopt();
        thread = Thread.ofPlatform().name("nocturne-slots").start(this::dispatch);
        if (healthEvery.isPositive()) {
            healthThread = Thread.ofVirtual().name("nocturne-health").start(this::watchHealth);
        }
    }

    @Override
    public void stop() {
        stopping = true;
        wake();
        join(thread);
        attempts.values().forEach(attempt -> attempt.stop(Wish.HOST_STOPPING));
        long end = System.nanoTime() + setting.grace().plus(setting.trainer().kill()).plus(LAST_WORK).toNanos();
        try {
            for (Attempt attempt : attempts.values()) {
                if (!attempt.awaitEnd(Duration.ofNanos(Math.max(0, end - System.nanoTime())))) {
                    LOG.warn("{} did not end in time; it goes on at the next start", attempt.id());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Thread watching = healthThread;
        if (watching != null) watching.interrupt();
    }

    @Override
    public List<String> names() {
        return board.report().stream().map(SlotReport.Slot::device).toList();
    }

    @Override
    public int free() {
        if (!isOpen() || !disk.isEnough()) return 0;
        long waiting = ledger.stream()
                .filter(job -> job.state() == JobState.QUEUED && !attempts.containsKey(job.id())).count();
        return (int) Math.max(0, board.free() - waiting);
    }

    @Override
    public void onChange(Runnable listener) {
        board.onChange(listener);
        ledger.listen(_ -> listener.run());
    }

    @Override
    public List<Slot> slots() {
        return board.report();
    }

    @Override
    public void cancel(JobId id) {
        if (ledger.job(id).isEmpty()) return;
        // In the ledger first: if this process ends now, the next one knows.
        ledger.cancel(id, Wish.CANCEL.message());
        Attempt attempt = attempts.get(id);
        if (attempt != null) attempt.stop(Wish.CANCEL);
    }

    @Override
    public void drain(String reason) {
        if (draining) return;
        draining = true;
        LOG.warn("draining: {}", reason);
        try {
            host.record(new Event.HostDraining(reason));
        } catch (SickMachine unwritable) {
            LOG.warn("could not be written to the host's journal: {}", unwritable.getMessage());
        }
        attempts.values().forEach(attempt -> attempt.stop(Wish.draining(reason)));
        wake();
    }

    /// Has everything looked at again, now.
    void wake() {
        reasons.release();
    }

    private boolean isOpen() {
        return !stopping && !draining && hours.areOpen();
    }

    private void dispatch() {
        while (!stopping) {
            try {
                look();
                Duration next = board.untilNext(pauses.untilNext(LOOK_AROUND));
                next = next.compareTo(LOOK_AROUND) < 0 ? next : LOOK_AROUND;
                var _ = reasons.tryAcquire(Math.max(next.toNanos(), SHORTEST.toNanos()), TimeUnit.NANOSECONDS);
                reasons.drainPermits();
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                // A look that failed must not be the last one.
                LOG.error("looking for the next job failed", e);
                pause();
            }
        }
    }

    private void look() {
        if (!hours.areOpen()) attempts.values().forEach(attempt -> attempt.stop(Wish.OUTSIDE_WINDOW));
        if (disk.look()) unparkWaitingForRoom();
        board.endProbations();
        while (isOpen() && disk.isEnough()) {
            Optional<Job> job = ledger.next(waiting -> !pauses.rests(waiting.id())
                    && !attempts.containsKey(waiting.id()) && provisions.isReady(waiting));
            if (job.isEmpty()) return;
            Optional<String> device = board.take(job.get().id());
            if (device.isEmpty()) return;
            begin(job.get(), device.get());
        }
    }

    private void unparkWaitingForRoom() {
        ledger.stream().filter(job -> job.state() == JobState.PARKED && job.code().equals("DISK_FULL"))
                .filter(job -> !pauses.rests(job.id()))
                .forEach(job -> settlement.unpark(job.id(), "DISK_FULL", "there is room on the disk again"));
    }

    private void begin(Job job, String device) {
        Attempt attempt = new Attempt(job, device, settlement.vramShare(job.id()), setting);
        attempts.put(job.id(), attempt);
        Thread.ofPlatform().name("slot-" + device).start(() -> run(attempt));
    }

    private void run(Attempt attempt) {
        try {
            Attempt.Report report = attempt.run();
            if (report != null) {
                var gone = report.lingering();
                if (gone != null) settlement.whenGone(report, gone);
                settlement.settle(report);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.error("{}: its trainer could not be looked after", attempt.id(), e);
            pauses.rest(attempt.id(), LOOK_AROUND);
            putBack(attempt.id());
        } finally {
            attempts.remove(attempt.id());
            board.release(attempt.device());
            attempt.ended();
        }
    }

    private void putBack(JobId id) {
        String message = "the service made a mistake; the job goes on from its last saved state";
        try {
            ledger.advance(id, job -> job.state() == JobState.RUNNING
                    ? job.in(JobState.QUEUED, "SERVICE_ERROR", message) : job,
                    new Event.Interrupted(ledger.job(id).map(Job::step).orElse(0L), "SERVICE_ERROR", message));
        } catch (RuntimeException alsoFailed) {
            LOG.error("{} is still marked as running; the next start puts it right", id, alsoFailed);
        }
    }

    private boolean isOurs(long pid) {
        return ledger.stream().map(Job::child).anyMatch(child -> child != null && child.pid() == pid);
    }

    private void leave(String device, Wish wish) {
        attempts.values().stream().filter(attempt -> attempt.device().equals(device))
                .forEach(attempt -> attempt.stop(wish));
    }

    private void watchHealth() {
        try {
            while (!stopping) {
                health.look();
                Thread.sleep(healthEvery);
            }
        } catch (InterruptedException stopped) {
            // On the way down.
        }
    }

    private void lookAtHealth() {
        if (!healthEvery.isPositive()) return;
        try {
            health.look();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(LOOK_AROUND);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void join(@Nullable Thread thread) {
        if (thread == null) return;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
