package nocturne.job;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import nocturne.event.Event;
import nocturne.problem.UserMistake;

/// A service in small, in a process of its own that a test can let die: it adds five jobs and brings each to its end,
/// one of them by failing, one by a cancel, one after a night's break. Started again on the same folder, it goes on.
final class LedgerWorkload {
    /// Exit code when the work folder is another's.
    static final int REFUSED = 73;
    static final int JOBS = 5;

    private final Ledger ledger;

    private LedgerWorkload(Ledger ledger) {
        this.ledger = ledger;
    }

    /// @param crash name of a crash point, `@` and the how-manieth time; empty for none
    /// @param what  `work`, or `hold` for taking the folder until the standard input ends
    static Process start(WorkFolder work, String crash, String what) throws IOException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx64m",
                "-cp", System.getProperty("java.class.path"), "-Dnocturne.crash=" + crash,
                LedgerWorkload.class.getName(), work.root().toString(), what));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    public static void main(String[] arguments) throws IOException {
        WorkFolder work = new WorkFolder(Path.of(arguments[0]));
        try (Ledger ledger = open(work)) {
            if (arguments[1].equals("hold")) {
                System.out.println("holding");
                System.in.read();
            } else {
                run(ledger);
            }
        } catch (UserMistake refused) {
            Runtime.getRuntime().halt(REFUSED);
        }
    }

    static Ledger open(WorkFolder work) {
        return Ledger.open(work, "studio", InstantSource.system());
    }

    /// Does what is left to do.
    static void run(Ledger ledger) {
        LedgerWorkload workload = new LedgerWorkload(ledger);
        for (int i = 1; i <= JOBS; i++) {
            if (ledger.isFree(new JobId("job-" + i))) LedgerCase.add(ledger, "job-" + i);
        }
        while (workload.work()) {
            // One step each, so that the jobs' lives are interwoven.
        }
        new Retention(ledger, Duration.ofDays(-1), 1, InstantSource.system()).clean();
    }

    private boolean work() {
        boolean worked = false;
        for (Job job : ledger.jobs()) {
            if (job.isTerminal()) continue;
            advance(job);
            worked = true;
        }
        return worked;
    }

    private void advance(Job job) {
        JobId id = job.id();
        switch (job.state()) {
            case QUEUED -> LedgerCase.to(ledger, id, JobState.RUNNING);
            case PARKED -> LedgerCase.to(ledger, id, JobState.QUEUED);
            case RUNNING -> run(job);
            case PUBLISHING -> LedgerCase.to(ledger, id, JobState.COMPLETED);
            default -> throw new IllegalStateException(job.toString());
        }
    }

    private void run(Job job) {
        JobId id = job.id();
        long next = ledger.trainerSequence(id) + 1;
        ledger.takeOver(id, List.of(
                LedgerCase.trainers(id, next, new Event.CheckpointWritten(next, "c", 1, "00", 0.1, 0.1)),
                LedgerCase.trainers(id, next + 1, new Event.SampleWritten(next, 0, "s", "00"))));
        ledger.record(id, new Event.NoticeGiven("HELLO", "there"));
        switch (id.text()) {
            case "job-2" -> LedgerCase.to(ledger, id, JobState.FAILED);
            case "job-3" -> {
                ledger.cancel(id, "changed my mind");
                LedgerCase.to(ledger, id, JobState.QUEUED);
            }
            case "job-4" -> LedgerCase.to(ledger, id, job.attempt() == 1 ? JobState.PARKED : JobState.PUBLISHING);
            case "job-5" -> LedgerCase.to(ledger, id, job.attempt() == 1 ? JobState.QUEUED : JobState.PUBLISHING);
            default -> LedgerCase.to(ledger, id, JobState.PUBLISHING);
        }
    }
}
