package nocturne.service.slot;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.job.Job;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.problem.SickMachine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Jobs that were running when the service ended without saying goodbye, and their trainers.
///
/// Such a trainer notices that its service is gone and leaves by itself; here somebody makes sure. Until it is gone,
/// its device takes no job and its own job does not go on.
final class Orphans {
    private static final Logger LOG = LoggerFactory.getLogger(Orphans.class);
    private static final String CODE = "HOST_RESTARTED";
    private static final String MESSAGE = "the service ended suddenly; the job goes on from its last saved state";
    /// A host that always dies at the same step of a job may die of it.
    private static final int SUSPICIOUS = 3;

    private final Ledger ledger;
    private final SlotBoard board;
    private final Processes processes;
    private final Duration grace;
    private final Duration kill;
    private final int attempts;

    Orphans(Ledger ledger, SlotBoard board, Processes processes, Duration grace, TrainerSettings settings) {
        this.ledger = ledger;
        this.board = board;
        this.processes = processes;
        this.grace = grace;
        this.kill = settings.kill();
        this.attempts = settings.attempts();
    }

    /// Deals with all of them; where a trainer still lives, beside the caller.
    void adopt() {
        for (Job job : ledger.jobs()) {
            if (job.state() == JobState.PARKED && job.code().equals("TRAINER_UNKILLABLE")) requeue(job);
            if (job.state() != JobState.RUNNING) continue;
            Optional<ProcessHandle> trainer = Optional.ofNullable(job.child())
                    .flatMap(child -> Processes.find(child, ledger.work().run(job.id()).toString()));
            if (trainer.isEmpty()) {
                requeue(job);
            } else {
                hold(job);
                Thread.ofVirtual().name("orphan-" + job.id()).start(() -> end(job, trainer.get()));
            }
        }
    }

    private void end(Job job, ProcessHandle trainer) {
        LOG.warn("{} still has the trainer of an earlier service, process {}; it is asked to stop", job.id(),
                trainer.pid());
        processes.terminate(trainer);
        if (!isGone(trainer, grace)) processes.kill(trainer);
        if (!isGone(trainer, kill)) {
            LOG.warn("process {} does not end, not even by SIGKILL; its device waits for it", trainer.pid());
            trainer.onExit().join();
        }
        // What it may have left running would compute on the device.
        Processes.group(trainer.pid()).forEach(ProcessHandle::destroyForcibly);
        requeue(job);
        release(job);
    }

    private static boolean isGone(ProcessHandle process, Duration within) {
        try {
            process.onExit().get(within.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException stillThere) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (java.util.concurrent.ExecutionException impossible) {
            return !process.isAlive();
        }
    }

    private void hold(Job job) {
        String device = job.device();
        if (device == null || !board.devices().contains(device)) return;
        board.block(device, SlotBoard.Cause.ORPHAN, "ORPHAN", "the trainer of " + job.id() + " is still there");
    }

    private void release(Job job) {
        String device = job.device();
        if (device != null && board.devices().contains(device)) board.unblock(device, SlotBoard.Cause.ORPHAN);
    }

    private void requeue(Job found) {
        boolean counts = isSuspicious(found);
        Event event = new Event.Interrupted(found.step(), CODE, MESSAGE);
        if (counts && found.failures() + 1 >= attempts) {
            String message = "the whole service, or the machine, ended suddenly %d times while this job was at step %d"
                    .formatted(SUSPICIOUS, found.step());
            ledger.advance(found.id(), job -> isStuck(job) ? job.in(JobState.FAILED, CODE, message) : job,
                    new Event.Failed(CODE, message, List.of()));
            return;
        }
        ledger.advance(found.id(), job -> isStuck(job)
                ? job.withFailures(job.failures() + (counts ? 1 : 0)).in(JobState.QUEUED, CODE, MESSAGE) : job, event);
    }

    private static boolean isStuck(Job job) {
        return job.state() == JobState.RUNNING || job.state() == JobState.PARKED;
    }

    /// Whether the last times it ended like this, too, at the same step.
    private boolean isSuspicious(Job job) {
        try (Stream<String> lines = Files.lines(ledger.work().journal(job.id()))) {
            List<EventLine> interruptions = lines.map(EventLine::parse).flatMap(Optional::stream)
                    .filter(line -> line.type().equals("nocturne.job.interrupted.v1")).toList();
            int same = 0;
            for (EventLine line : interruptions.reversed()) {
                boolean alike = line.data().path("code").asText().equals(CODE)
                        && line.data().path("step").asLong() == job.step();
                if (!alike) break;
                same++;
            }
            return same >= SUSPICIOUS - 1;
        } catch (IOException | SickMachine unreadable) {
            return false;
        }
    }
}
