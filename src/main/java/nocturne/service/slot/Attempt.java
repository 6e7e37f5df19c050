package nocturne.service.slot;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.io.CrashPoint;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.problem.SickMachine;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One trainer's life: started, followed, asked to leave or found hung, understood at its end. Runs on a thread of its
/// own; wishes come from others.
final class Attempt {
    private static final Logger LOG = LoggerFactory.getLogger(Attempt.class);
    private static final int LAST_LINES = 12;
    private static final long AGAIN_MILLIS = 2_000;
    /// What the trainer says for itself, but the service decides, or sums up.
    private static final Set<String> NOT_TAKEN_OVER = Set.of("nocturne.job.stepped.v1", "nocturne.job.started.v1",
            "nocturne.job.completed.v1", "nocturne.job.failed.v1", "nocturne.job.interrupted.v1",
            "nocturne.job.queued.v1", "nocturne.job.parked.v1", "nocturne.job.cancelled.v1",
            "nocturne.job.progressed.v1");

    /// What attempts have in common.
    ///
    /// @param grace    between SIGTERM and SIGKILL
    /// @param progress at most one progress event in this time
    record Setting(Ledger ledger, Trainers trainers, TrainerSettings trainer, HangLimits limits, Duration grace,
            Duration progress, SlotBoard board, LongSupplier nanos) {}

    /// How it went.
    ///
    /// @param job      as it was before
    /// @param step     the last one made, in this attempt or before
    /// @param saved    the step that the next attempt goes on from, as far as known
    /// @param summary  of the steps that nothing was said about yet
    /// @param gained   whether it got further than the state it began from
    /// @param spoke    whether the trainer got as far as its first word
    /// @param lingering done when the process is gone, for one that could not be killed; null otherwise
    record Report(Job job, String device, Ending ending, long step, long saved, Event.Progressed summary,
            boolean gained, boolean spoke, @Nullable CompletableFuture<?> lingering) {}

    private final Job job;
    private final JobId id;
    private final String device;
    private final @Nullable String vramShare;
    private final Setting setting;
    private final TrainerLog log;
    private final Pace pace = new Pace();
    private final List<EventLine> pending = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private @Nullable Wish wish;
    private boolean decided;
    private @Nullable EventLine failed;
    private boolean spoke;
    private long resumedAt;
    private long savedAt;
    private long progressedAt;
    private boolean progressedOnce;
    private boolean terminated;
    private boolean killed;
    private long deadline;

    /// @param job     waiting
    /// @param device  reserved for it
    /// @param vramShare of a GPU's usable memory; null for all of it
    Attempt(Job job, String device, @Nullable String vramShare, Setting setting) {
        this.job = job;
        this.id = job.id();
        this.device = device;
        this.vramShare = vramShare;
        this.setting = setting;
        this.log = new TrainerLog(setting.ledger().work().run(id).resolve("events.jsonl"));
    }

    JobId id() {
        return id;
    }

    String device() {
        return device;
    }

    /// Asks for the end.
    ///
    /// @return false if it has ended already, and the wish changes nothing
    synchronized boolean stop(Wish asked) {
        if (decided) return false;
        Wish before = wish;
        if (before == null || asked.outranks(before)) wish = asked;
        return true;
    }

    private synchronized @Nullable Wish wish() {
        return wish;
    }

    private synchronized @Nullable Wish decide() {
        decided = true;
        return wish;
    }

    /// Nothing of the attempt is under way any more.
    void ended() {
        ended.countDown();
    }

    boolean awaitEnd(Duration most) throws InterruptedException {
        return ended.await(most.toNanos(), TimeUnit.NANOSECONDS);
    }

    /// From start to end.
    ///
    /// @return null if there was nothing to do, because the job no longer waits
    @Nullable Report run() throws InterruptedException {
        // What an earlier trainer still said belongs to its attempt, and tells nothing about this one.
        pending.addAll(log.news());
        handOver();
        if (wish() != null) return notStarted();
        Trainer trainer;
        try {
            trainer = setting.trainers().start(job, device, vramShare);
        } catch (SickMachine machine) {
            return before(new Ending.Crashed(machine.code(), String.valueOf(machine.getMessage())));
        }
        CrashPoint.at("trainer.started");
        if (!isWrittenDown(trainer)) {
            trainer.kill();
            return null;
        }
        LOG.debug("{}: process {}", id, trainer.pid());
        try {
            return supervise(trainer);
        } catch (RuntimeException | InterruptedException e) {
            // Nobody watches it any more.
            trainer.kill();
            throw e;
        }
    }

    /// Somebody was quicker than the trainer: a job that was only to pause simply goes on waiting.
    private @Nullable Report notStarted() {
        Wish asked = decide();
        return asked != null && asked.kind() == Wish.Kind.CANCEL ? before(new Ending.Cancelled()) : null;
    }

    private Report before(Ending ending) {
        decide();
        return new Report(job, device, ending, job.step(), job.step(), pace.summary(0), false, false, null);
    }

    private boolean isWrittenDown(Trainer trainer) {
        try {
            Job running = setting.ledger().advance(id,
                    now -> now.state() == JobState.QUEUED ? now.startedAs(trainer.identity(), device) : now,
                    new Event.Started(job.name(), job.steps(), job.pictures(), device));
            return trainer.identity().equals(running.child());
        } catch (RuntimeException e) {
            trainer.kill();
            throw e;
        }
    }

    private Report supervise(Trainer trainer) throws InterruptedException {
        Watchdog watchdog = new Watchdog(setting.limits(), trainer.pid(), setting.nanos());
        while (!trainer.ended(setting.trainer().look())) {
            follow();
            Wish asked = wish();
            if (asked == null) {
                watchdog.look(Beat.read(setting.ledger().work().heartbeat(id)), pace.secondsPerStep())
                        .ifPresent(words -> stop(new Wish(Wish.Kind.HUNG, "HUNG", "the trainer " + words)));
            } else if (press(trainer, asked)) {
                Wish last = decide();
                String message = "process %d on %s does not end, not even by SIGKILL: %s".formatted(trainer.pid(),
                        device, asked.message());
                Ending ending = last != null && last.kind() == Wish.Kind.CANCEL
                        ? new Ending.Cancelled() : new Ending.Unkillable(message);
                return report(ending, false, trainer.onEnd());
            }
        }
        String words = trainer.lastWords(LAST_LINES);
        boolean all = follow();
        boolean completed = log.last().filter(last -> last.type().equals("nocturne.job.completed.v1")).isPresent();
        // What a complete job has made must not be missing from its journal because the disk was full for a moment.
        while (!all && completed && wish() == null) {
            Thread.sleep(AGAIN_MILLIS);
            all = follow();
        }
        int code = trainer.exitCode();
        boolean saved = code == Ending.SAVED || code == 0 && completed;
        return report(Ending.of(new Ending.Facts(code, decide(), completed, failed, words)), saved, null);
    }

    /// @param all whether every step that was made is saved
    private Report report(Ending ending, boolean all, @Nullable CompletableFuture<?> lingering) {
        // A trainer that ended before it said where it goes on from has changed nothing about that.
        long before = resumedAt == 0 && pace.step() == 0 ? job.step() : 0;
        long step = Math.max(Math.max(pace.step(), resumedAt), before);
        long saved = all ? step : Math.max(Math.max(savedAt, resumedAt), before);
        boolean gained = saved > Math.max(resumedAt, before);
        return new Report(job, device, ending, step, saved, pace.summary(setting.board().vramBytes(device)), gained,
                spoke, lingering);
    }

    /// @return whether all that can be done was done, and it is still there
    private boolean press(Trainer trainer, Wish asked) {
        long now = setting.nanos().getAsLong();
        if (!terminated) {
            terminated = true;
            LOG.debug("{} is asked to stop: {}", id, asked.message());
            trainer.terminate();
            Duration patience = asked.kind() == Wish.Kind.HUNG ? setting.limits().grace() : setting.grace();
            deadline = now + patience.toNanos();
        } else if (now - deadline > 0 && !killed) {
            killed = true;
            LOG.warn("{} did not stop when asked to and is killed, process {}", id, trainer.pid());
            trainer.kill();
            deadline = now + setting.trainer().kill().toNanos();
        } else if (now - deadline > 0) {
            return true;
        }
        return false;
    }

    /// Reads what the trainer has written since, and passes it on.
    ///
    /// @return whether all of it could be passed on
    private boolean follow() {
        try {
            for (EventLine line : log.news()) read(line);
            handOver();
            tellProgress();
            return true;
        } catch (SickMachine machine) {
            // Nothing is lost: what was read is pending, and is tried again at the next look.
            LOG.warn("{}: {}", id, machine.getMessage());
            return false;
        }
    }

    private void read(EventLine line) {
        spoke = true;
        pending.add(line);
        switch (line.type()) {
            case "nocturne.job.stepped.v1" -> pace.add(line);
            case "nocturne.job.resumed.v1" -> {
                resumedAt = line.data().path("step").asLong();
                savedAt = Math.max(savedAt, resumedAt);
            }
            case "nocturne.checkpoint.written.v1" -> savedAt = Math.max(savedAt, line.data().path("step").asLong());
            case "nocturne.job.failed.v1" -> failed = line;
            default -> {
                // Taken over as it is.
            }
        }
    }

    private void handOver() {
        List<EventLine> others = pending.stream().filter(line -> !NOT_TAKEN_OVER.contains(line.type())).toList();
        if (!others.isEmpty()) setting.ledger().takeOver(id, others);
        pending.clear();
    }

    private void tellProgress() {
        long now = setting.nanos().getAsLong();
        if (!pace.hasNews() || progressedOnce && now - progressedAt < setting.progress().toNanos()) return;
        progressedOnce = true;
        progressedAt = now;
        long step = pace.step();
        setting.ledger().record(id, pace.summary(setting.board().vramBytes(device)));
        setting.ledger().note(id, running -> running.withStep(step));
    }
}
