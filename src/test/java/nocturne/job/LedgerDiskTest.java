package nocturne.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import nocturne.event.Event;
import nocturne.io.CrashFileSystem;
import nocturne.io.CrashFileSystem.Failure;
import nocturne.io.CrashFileSystem.PowerOff;
import nocturne.io.DiskHistory.Crash;
import nocturne.io.FolderTree;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The ledger on a disk that loses power, fills up and fails at every change that is made to it.
class LedgerDiskTest {
    private static final JobId ID = new JobId("maya");
    /// A life in steps, each of which is promised when the call has returned.
    private static final List<JobState> LIFE = List.of(JobState.RUNNING, JobState.PARKED, JobState.QUEUED,
            JobState.RUNNING, JobState.PUBLISHING, JobState.COMPLETED);

    private Path scratch = Path.of("");

    @BeforeEach
    void make() throws IOException {
        scratch = QuickFolder.create();
    }

    @AfterEach
    void clean() throws IOException {
        FolderTree.delete(scratch);
    }

    @Test
    @Promise(row = 1, fault = "power cut at every moment of a life; unforced bytes lost, torn, zeroed; names lost")
    @Promise(row = 14, fault = "power cut at every moment of a life; unforced bytes lost, torn, zeroed; names lost")
    void afterEveryPowerCutTheJobIsWhereItWasPromisedToBeOrFurther() throws IOException {
        CrashFileSystem disk = CrashFileSystem.over(Files.createDirectories(scratch.resolve("disk")));
        try (Ledger ledger = open(disk.root())) {
            LedgerCase.add(ledger, ID.text());
            disk.promise("0");
            for (int step = 0; step < LIFE.size(); step++) {
                LedgerCase.to(ledger, ID, LIFE.get(step));
                disk.promise(Integer.toString(step + 1));
                if (LIFE.get(step) != JobState.RUNNING) continue;
                ledger.takeOver(ID, List.of(LedgerCase.trainers(ID, step + 1, new Event.Resumed(step, "x")),
                        LedgerCase.trainers(ID, step + 2, new Event.SampleWritten(7, 0, "s", "00"))));
                disk.promise("taken over " + step);
            }
        }
        int seen = 0;
        for (Crash crash : disk.crashes()) {
            Path left = crash.rebuiltIn(scratch.resolve("left"));
            check(crash, left);
            seen++;
        }
        assertThat(seen).as("different crashes").isGreaterThan(100);
    }

    private static void check(Crash crash, Path left) {
        WorkFolder work = new WorkFolder(left);
        LedgerOracle oracle = new LedgerOracle(work);
        try (Ledger ledger = open(left)) {
            Map<JobId, Job> jobs = oracle.checkRecovered();
            assertThat(work.unreadable()).as(crash.toString()).doesNotExist();
            int promised = -1;
            while (crash.promised(Integer.toString(promised + 1))) promised++;
            if (promised < 0) return;
            assertThat(jobs).as(crash.toString()).containsKey(ID);
            List<JobState> reachable = promised == 0 ? List.of(JobState.QUEUED, LIFE.getFirst())
                    : LIFE.subList(promised - 1, Math.min(promised + 1, LIFE.size()));
            assertThat(jobs.get(ID).state()).as(crash.toString()).isIn(reachable);
            for (int step : new int[] {0, 3}) {
                if (!crash.promised("taken over " + step)) continue;
                assertThat(ledger.trainerSequence(ID)).as(crash.toString()).isGreaterThanOrEqualTo(step + 2);
            }
        }
    }

    @Test
    @Promise(row = 1, fault = "the process gone at every change to the disk, and started again")
    void afterEveryStopTheLifeGoesOn() throws IOException {
        for (int change = 1; ; change++) {
            Path folder = Files.createDirectories(scratch.resolve("stop-" + change));
            boolean done = false;
            try (Ledger ledger = open(CrashFileSystem.over(folder).stopAt(change).root())) {
                live(ledger);
                done = true;
            } catch (PowerOff off) {
                // As meant.
            }
            new LedgerOracle(new WorkFolder(folder)).check();
            finish(folder);
            if (done) {
                assertThat(change).isGreaterThan(30);
                return;
            }
        }
    }

    /// A refused change has not been made, or was made and is told with the next one; never something in between.
    @ParameterizedTest
    @EnumSource(Failure.class)
    @Promise(row = 31, fault = "every change to the disk fails in turn: full, I/O error, stale handle, answer lost")
    void afterEveryFailureTheLifeGoesOn(Failure failure) throws IOException {
        for (int change = 1; ; change++) {
            Path folder = Files.createDirectories(scratch.resolve(failure.name() + change));
            CrashFileSystem disk = CrashFileSystem.over(folder).failAt(change, failure);
            Ledger ledger = openedInTheEnd(disk);
            boolean done = false;
            try (ledger) {
                // The service tries again, with the same ledger.
                for (int time = 1; time <= 3 && !done; time++) done = lived(ledger);
                assertThat(done).as("after a failure of change %d", change).isTrue();
            }
            int changes = disk.changes();
            new LedgerOracle(new WorkFolder(folder)).check();
            finish(folder);
            if (change > changes) return;
        }
    }

    /// The last thing before the end is a line that changes nothing: it must not be taken for the one that announces a
    /// state that was refused.
    @ParameterizedTest
    @EnumSource(Failure.class)
    @Promise(row = 14, fault = "every change to the disk fails in turn, and the service is killed soon after")
    void afterEveryFailureAndASuddenEndTheJournalTellsWhatIsTrue(Failure failure) throws IOException {
        for (int change = 1; ; change++) {
            Path folder = Files.createDirectories(scratch.resolve(failure.name() + change));
            CrashFileSystem disk = CrashFileSystem.over(folder).failAt(change, failure);
            boolean refused = false;
            try (Ledger ledger = openedInTheEnd(disk)) {
                refused = !lived(ledger);
                refused |= !lastWord(ledger);
            }
            new LedgerOracle(new WorkFolder(folder)).check();
            try (Ledger ledger = open(folder)) {
                new LedgerOracle(ledger.work()).checkRecovered();
            }
            if (!refused && change > disk.changes()) return;
        }
    }

    private static boolean lastWord(Ledger ledger) {
        try {
            if (ledger.job(ID).isPresent()) ledger.record(ID, new Event.NoticeGiven("LAST", "word"));
            return true;
        } catch (SickMachine sick) {
            return false;
        }
    }

    private static Ledger openedInTheEnd(CrashFileSystem disk) {
        try {
            return open(disk.root());
        } catch (SickMachine | UserMistake refused) {
            return open(disk.root());
        }
    }

    private static boolean lived(Ledger ledger) {
        try {
            live(ledger);
            return true;
        } catch (SickMachine | UncheckedIOException sick) {
            return false;
        }
    }

    private static void finish(Path folder) {
        WorkFolder work = new WorkFolder(folder);
        try (Ledger ledger = open(folder)) {
            live(ledger);
            assertThat(ledger.repairs()).noneMatch(line -> line.contains("unreadable"));
        }
        LedgerOracle oracle = new LedgerOracle(work);
        assertThat(oracle.checkRecovered()).hasSize(1);
        assertThat(oracle.told(ID)).containsOnlyOnce("job.completed").endsWith("job.completed");
        assertThat(work.incoming()).isEmptyDirectory();
    }

    /// Brings the job from wherever it is to its end.
    private static void live(Ledger ledger) {
        if (ledger.job(ID).isEmpty()) LedgerCase.add(ledger, ID.text());
        while (!ledger.job(ID).orElseThrow().isTerminal()) {
            Job job = ledger.job(ID).orElseThrow();
            ledger.record(ID, new Event.NoticeGiven("N", "x".repeat(5000)));
            LedgerCase.to(ledger, ID, switch (job.state()) {
                case QUEUED -> JobState.RUNNING;
                case RUNNING -> job.attempt() == 1 ? JobState.QUEUED : JobState.PUBLISHING;
                default -> JobState.COMPLETED;
            });
        }
    }

    private static Ledger open(Path root) {
        return Ledger.open(new WorkFolder(root), "studio", InstantSource.system());
    }
}
