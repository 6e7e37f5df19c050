package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.io.FolderTree;
import nocturne.promise.Promise;

/// Whatever is asked of a ledger in whatever order, with restarts in between, every job lives a life that a job can
/// have, and its journal and `job.json` tell the same one.
class LedgerPropertyTest {
    /// Every change of state there is, written down a second time.
    private static final Set<String> LIFE = Set.of("queued>running", "queued>parked", "queued>failed",
            "queued>cancelled", "queued>superseded", "running>queued", "running>parked", "running>publishing",
            "running>failed", "running>cancelled", "running>superseded", "parked>queued", "parked>failed",
            "parked>cancelled", "parked>superseded", "publishing>completed", "publishing>queued", "publishing>failed",
            "publishing>cancelled", "publishing>superseded", "failed>queued", "cancelled>queued");
    private static final int COMMANDS = 21;

    /// Each number is a command to one of three jobs.
    @Property(tries = 150, shrinking = ShrinkingMode.BOUNDED)
    @Promise(row = 1, fault = "any commands in any order, with restarts and torn journals in between")
    @Promise(row = 44, fault = "cancel in any state, again and again")
    void everyJobLivesALifeThatAJobCanHave(
            @ForAll @Size(max = 60) List<@IntRange(min = 0, max = 3 * COMMANDS - 1) Integer> plan) throws IOException {
        Path folder = QuickFolder.create();
        try (LedgerCase its = new LedgerCase(folder.resolve("work"))) {
            for (int command : plan) {
                JobId id = new JobId("job-" + command / COMMANDS);
                if (its.ledger.job(id).isEmpty()) its.add(id.text());
                Job before = its.job(id);
                run(its, id, command % COMMANDS);
                check(before, its.job(id));
            }
            its.reopen();
            its.oracle.checkRecovered();
        } finally {
            FolderTree.delete(folder);
        }
    }

    private static void check(Job before, Job after) {
        if (before.state() != after.state()) {
            assertThat(before.state().word() + ">" + after.state().word()).isIn(LIFE);
        }
        assertThat(after.attempt()).isBetween(before.attempt(), before.attempt() + 1);
        assertThat(after.sequence()).isGreaterThanOrEqualTo(before.sequence());
        assertThat(after.child() != null).as("has a trainer").isEqualTo(after.state() == JobState.RUNNING);
        if (after.cancelling()) assertThat(after.state()).isEqualTo(JobState.RUNNING);
    }

    private static void run(LedgerCase its, JobId id, int command) throws IOException {
        Ledger ledger = its.ledger;
        switch (command) {
            case 0, 1, 2 -> its.to(id, JobState.RUNNING);
            case 3, 4 -> its.to(id, JobState.PUBLISHING);
            case 5, 6 -> its.to(id, JobState.COMPLETED);
            case 7 -> its.to(id, JobState.QUEUED);
            case 8 -> its.to(id, JobState.PARKED);
            case 9 -> its.to(id, JobState.FAILED);
            case 10 -> its.to(id, JobState.CANCELLED);
            case 11 -> its.to(id, JobState.SUPERSEDED);
            case 12 -> its.to(id, JobState.REFUSED);
            case 13, 20 -> ledger.cancel(id, "somebody said so");
            case 14 -> ledger.note(id, job -> job.withPriority(job.priority() + 1));
            case 15 -> ledger.record(id, new Event.NoticeGiven("HELLO", "there"));
            case 16 -> takeOver(its, id);
            case 17 -> {
                its.time = its.time.minus(Duration.ofDays(1));
                its.reopen();
            }
            case 18 -> {
                its.ledger.close();
                tear(its, id);
                its.reopen();
            }
            case 19 -> ledger.retry(id);
            default -> throw new AssertionError(command);
        }
    }

    private static void takeOver(LedgerCase its, JobId id) {
        long next = its.ledger.trainerSequence(id) + 1;
        List<EventLine> log = new ArrayList<>();
        for (long number = 1; number <= next; number++) {
            log.add(LedgerCase.trainers(id, number, new Event.NoticeGiven("N", "of the trainer")));
        }
        its.ledger.takeOver(id, log);
    }

    /// As if the machine had stopped while the last line was written, or before it.
    private static void tear(LedgerCase its, JobId id) throws IOException {
        Path journal = its.work.journal(id);
        List<EventLine> lines = its.oracle.journal(id);
        Job job = its.oracle.check().get(id);
        if (lines.getLast().sequence() != job.sequence() || job.sequence() == 1) return;
        int last = lines.getLast().text().length() + 1;
        try (RandomAccessFile file = new RandomAccessFile(journal.toFile(), "rw")) {
            file.setLength(Files.size(journal) - 1 - Math.floorMod(lines.hashCode(), last));
        }
    }
}
