package nocturne.service.slot;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.problem.SickMachine;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What follows from an attempt's end: the job's next state, how long it and its device rest, and who is to blame.
final class Settlement {
    private static final Logger LOG = LoggerFactory.getLogger(Settlement.class);
    private static final long AGAIN_MILLIS = 2_000;
    private static final String INTERRUPTED = "nocturne.job.interrupted.v1";

    private final Ledger ledger;
    private final TrainerSettings settings;
    private final MemoryShares shares;
    private final SlotBoard board;
    private final Rests<JobId> jobs;
    private final Rests<String> devices;
    private final Health health;
    private final BooleanSupplier stopping;
    private final Map<JobId, Integer> sickDevices = new ConcurrentHashMap<>();
    private final Map<JobId, Integer> fullDisks = new ConcurrentHashMap<>();
    private final Map<JobId, Integer> takenMemories = new ConcurrentHashMap<>();
    private final Map<String, Integer> fastDeaths = new ConcurrentHashMap<>();

    /// Looks at a device's health right now, before somebody is blamed.
    interface Health {
        void look(String device);
    }

    /// @param jobs     how long jobs rest
    /// @param devices  how long devices rest
    /// @param stopping whether the service is on its way down
    Settlement(Ledger ledger, TrainerSettings settings, SlotBoard board, Rests<JobId> jobs, Rests<String> devices,
            Health health, BooleanSupplier stopping) {
        this.ledger = ledger;
        this.settings = settings;
        this.shares = new MemoryShares(settings.lessVram());
        this.board = board;
        this.jobs = jobs;
        this.devices = devices;
        this.health = health;
        this.stopping = stopping;
    }

    /// The share of a GPU's memory that the job's next trainer may use; null for all of it.
    @Nullable String vramShare(JobId id) {
        return shares.of(id);
    }

    void settle(Attempt.Report report) throws InterruptedException {
        noteDeath(report);
        switch (report.ending()) {
            case Ending.Done() -> next(report, job -> job.withStep(report.step()).in(JobState.PUBLISHING, "", ""),
                    report.summary());
            case Ending.Interrupted interrupted -> interrupted(report, interrupted);
            case Ending.Cancelled() -> next(report,
                    job -> job.in(JobState.CANCELLED, Wish.CANCEL.code(), Wish.CANCEL.message()),
                    new Event.Cancelled(Wish.CANCEL.message()));
            case Ending.Crashed crashed -> crashed(report, crashed);
            case Ending.Failed failed -> fail(report, failed);
            case Ending.DiskFull full -> {
                jobs.failed(report.job().id(), fullDisks.merge(report.job().id(), 1, Integer::sum));
                park(report, "DISK_FULL", full.message());
            }
            case Ending.DeviceSick sick -> deviceSick(report, sick);
            case Ending.OutOfMemory memory -> outOfMemory(report, memory);
            case Ending.MemoryTaken taken -> memoryTaken(report, taken);
            case Ending.Unkillable stuck -> unkillable(report, stuck);
        }
        if (!(report.ending() instanceof Ending.DiskFull)) fullDisks.remove(report.job().id());
        if (!(report.ending() instanceof Ending.MemoryTaken)) takenMemories.remove(report.job().id());
    }

    /// A device where trainers die before their first word rests too: else it would use up the whole queue.
    private void noteDeath(Attempt.Report report) {
        if (report.spoke() || !(report.ending() instanceof Ending.Crashed)) {
            fastDeaths.remove(report.device());
        } else {
            devices.failed(report.device(), fastDeaths.merge(report.device(), 1, Integer::sum));
        }
    }

    private void interrupted(Attempt.Report report, Ending.Interrupted ending) throws InterruptedException {
        boolean unasked = ending.code().equals("CHECKPOINTED");
        if (unasked && !report.gained()) {
            // Nobody asked, and nothing came of it: left alone, that would go round for ever.
            crashed(report, new Ending.Crashed(ending.code(), ending.message()));
            return;
        }
        int failures = report.gained() ? 0 : report.job().failures();
        requeue(report, failures, ending.code(), ending.message());
    }

    private void crashed(Attempt.Report report, Ending.Crashed crash) throws InterruptedException {
        boolean kernel = crash.code().startsWith(Ending.KERNEL_ERROR);
        if (kernel && isDeviceToBlame(report)) return;
        if (kernel && isSameStepAgain(report)) {
            fail(report, new Ending.Failed("SAME_STEP_TWICE", ("step %d ended with %s twice, the second time in a fresh"
                    + " process that went on from the last checkpoint. An error that comes back in the same place is in"
                    + " the program or in what it is given, not in the device: report it, with trainer.log and the"
                    + " recipe. The trainer said: %s").formatted(report.step() + 1, crash.code(), crash.message()),
                    List.of()));
            return;
        }
        int failures = report.gained() ? 1 : report.job().failures() + 1;
        if (!report.spoke() && failures >= settings.fastDeaths()) {
            jobs.forget(report.job().id());
            park(report, "CRASH_LOOP", ("the trainer died %d times before its first word, which points at this"
                    + " installation rather than at the job; look at trainer.log, then retry the job. Last: %s")
                    .formatted(failures, crash.message()));
        } else if (report.spoke() && failures >= settings.attempts()) {
            fail(report, new Ending.Failed(crash.code(), "gave up after %d attempts that got no further; the last one:"
                    .formatted(failures) + " " + crash.message(), List.of()));
        } else {
            jobs.failed(report.job().id(), failures);
            requeue(report, failures, crash.code(), crash.message());
        }
    }

    /// Whether a look at the device shows that the job is not to blame; if so, all is settled.
    private boolean isDeviceToBlame(Attempt.Report report) throws InterruptedException {
        health.look(report.device());
        SlotBoard.Block block = board.blocked(report.device(), SlotBoard.Cause.HEALTH).orElse(null);
        if (block == null) return false;
        requeue(report, report.job().failures(), block.code(), block.message());
        return true;
    }

    private static boolean isSameStepAgain(Attempt.Report report) {
        Job.Announcement before = report.job().announced();
        return before != null && before.type().equals(INTERRUPTED)
                && before.data().path("code").asText().startsWith(Ending.KERNEL_ERROR)
                && before.data().path("step").asLong() == report.step();
    }

    private void deviceSick(Attempt.Report report, Ending.DeviceSick sick) throws InterruptedException {
        devices.rest(report.device(), settings.probation());
        board.block(report.device(), SlotBoard.Cause.TRAINER, sick.code(), sick.message());
        JobId id = report.job().id();
        if (sickDevices.merge(id, 1, Integer::sum) >= settings.attempts()) {
            fail(report, new Ending.Failed(sick.code(), "%d devices in a row failed under this job; the last, %s: %s"
                    .formatted(settings.attempts(), report.device(), sick.message()), List.of()));
        } else {
            requeue(report, report.job().failures(), sick.code(), sick.message());
        }
    }

    private void outOfMemory(Attempt.Report report, Ending.OutOfMemory memory) throws InterruptedException {
        JobId id = report.job().id();
        boolean isAsBegun = shares.isRaised(id);
        String why = memory.message() + ". Lower one of these in the recipe: datasets.resolution, train.batch_size,"
                + " network.linear; or switch train.gradient_checkpointing on; or use a device with more memory.";
        Optional<String> less = shares.lower(id);
        if (less.isPresent()) {
            requeue(report, report.job().failures(), Ending.OUT_OF_MEMORY,
                    "%s; tried again with a plan for %s of the memory; what that costs besides time is told"
                            .formatted(memory.message(), less.get()));
        } else if (isAsBegun) {
            // It was enough when the run began, so perhaps it is again when others have left the device.
            crashed(report, new Ending.Crashed(Ending.OUT_OF_MEMORY, why));
        } else {
            fail(report, new Ending.Failed(Ending.OUT_OF_MEMORY, why, List.of()));
        }
    }

    private void memoryTaken(Attempt.Report report, Ending.MemoryTaken taken) throws InterruptedException {
        JobId id = report.job().id();
        String then = "; tried again with the share of the memory that it had before";
        if (!shares.raise(id)) {
            jobs.failed(id, takenMemories.merge(id, 1, Integer::sum));
            then = "; tried again later, for as long as it takes";
        }
        requeue(report, report.job().failures(), Ending.MEMORY_TAKEN, taken.message() + then);
    }

    private void unkillable(Attempt.Report report, Ending.Unkillable stuck) throws InterruptedException {
        park(report, "TRAINER_UNKILLABLE", stuck.message());
    }

    /// Gives a device back only when the process that cannot be killed is gone, and the job with it.
    void whenGone(Attempt.Report report, CompletableFuture<?> gone) {
        board.block(report.device(), SlotBoard.Cause.UNKILLABLE, "TRAINER_UNKILLABLE",
                "a trainer on it cannot be ended; a restart of the machine may be needed");
        var _ = gone.thenRun(() -> {
            board.unblock(report.device(), SlotBoard.Cause.UNKILLABLE);
            unpark(report.job().id(), "TRAINER_UNKILLABLE", "the trainer that could not be ended is gone");
        });
    }

    /// Lets a job go on that was put aside for this reason.
    void unpark(JobId id, String code, String why) {
        ledger.advance(id, job -> job.state() == JobState.PARKED && job.code().equals(code)
                ? job.in(JobState.QUEUED, "UNPARKED", why) : job, queued(id));
    }

    private void requeue(Attempt.Report report, int failures, String code, String message)
            throws InterruptedException {
        next(report, job -> job.withFailures(failures).withStep(report.saved()).in(JobState.QUEUED, code, message),
                new Event.Interrupted(report.step(), code, message));
    }

    private void park(Attempt.Report report, String code, String message) throws InterruptedException {
        next(report, job -> job.withFailures(code.equals("CRASH_LOOP") ? 0 : job.failures()).withStep(report.saved())
                .in(JobState.PARKED, code, message), new Event.Parked(code, message));
    }

    private void fail(Attempt.Report report, Ending.Failed failed) throws InterruptedException {
        next(report, job -> job.withProblems(failed.problems()).withStep(report.saved())
                        .in(JobState.FAILED, failed.code(), failed.message()),
                new Event.Failed(failed.code(), failed.message(), failed.problems()));
    }

    /// The transition is made, however long the disk refuses it, unless the service ends first: then the next one finds
    /// a running job without a trainer, and goes on from there.
    private void next(Attempt.Report report, UnaryOperator<Job> change, Event event) throws InterruptedException {
        JobId id = report.job().id();
        while (true) {
            try {
                Job now = made(id, change, event);
                if (now.isTerminal() || now.state() == JobState.PUBLISHING) forget(id);
                return;
            } catch (SickMachine machine) {
                LOG.warn("{}: {}", id, machine.getMessage());
                if (stopping.getAsBoolean()) return;
                Thread.sleep(AGAIN_MILLIS);
            }
        }
    }

    /// A job whose trainer could not even be started is still waiting, and nothing is announced.
    private Job made(JobId id, UnaryOperator<Job> change, Event event) {
        boolean stays = ledger.job(id).filter(job -> job.state() == JobState.QUEUED
                && change.apply(job).state() == JobState.QUEUED).isPresent();
        UnaryOperator<Job> guarded = job -> job.isTerminal() ? job : change.apply(job);
        return stays ? ledger.note(id, guarded) : ledger.advance(id, guarded, event);
    }

    private Event queued(JobId id) {
        Job job = ledger.job(id).orElseThrow();
        return new Event.Queued(job.name(), job.origin(), job.contentHash(), job.steps(), job.pictures());
    }

    private void forget(JobId id) {
        shares.forget(id);
        takenMemories.remove(id);
        sickDevices.remove(id);
        jobs.forget(id);
    }
}
