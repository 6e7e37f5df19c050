package nocturne.desk;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import nocturne.job.Job;
import nocturne.job.JobState;
import nocturne.job.WorkFolder;
import nocturne.problem.UserMistake;

/// A wish about a job, brought to the service through its inbox; and a look at what came of it.
///
/// @param work     where the jobs are
/// @param inbox    where wishes are left
/// @param patience how long to wait for an effect
/// @param clock    for the wish's name
/// @param out      where it is told
public record Errand(WorkFolder work, Path inbox, Duration patience, InstantSource clock, PrintWriter out) {
    private static final Duration LOOK = Duration.ofMillis(100);

    /// @throws UserMistake `JOB_UNKNOWN`, `JOB_ENDED`
    public void cancel(String asked) {
        Job job = board().find(asked).job();
        if (job.isTerminal()) {
            throw new UserMistake("JOB_ENDED", job.id().text(),
                    "is " + job.state().word() + " already; there is nothing to cancel.");
        }
        run("cancel", job);
    }

    /// @throws UserMistake `JOB_UNKNOWN`, `JOB_ENDED` for one that another try would not change, `JOB_LIVE`
    public void retry(String asked) {
        Job job = board().find(asked).job();
        String id = job.id().text();
        switch (job.state()) {
            case FAILED, CANCELLED, PARKED -> run("retry", job);
            case QUEUED, RUNNING, PUBLISHING ->
                throw new UserMistake("JOB_LIVE", id,
                        "is %s; there is nothing to retry.".formatted(job.state().word()));
            case COMPLETED -> throw new UserMistake("JOB_ENDED", id,
                    "is completed. To train the same once more: nocturne submit <bundle> --rerun");
            case REFUSED -> throw new UserMistake("JOB_ENDED", id,
                    "was refused; the same bundle would be refused again. Mend it and submit it: " + job.message());
            case SUPERSEDED -> throw new UserMistake("JOB_ENDED", id, "was taken over by another host; look there.");
        }
    }

    private void run(String word, Job before) {
        RunningService service = RunningService.in(work, clock);
        Path file = CommandFile.write(inbox, word, before.id(), clock);
        out.printf("asked for %s of %s%n", word.equals("cancel") ? "the end" : "another try", before.id());
        if (!service.isRunning()) {
            out.printf("%s; it will be done when one starts (%s)%n", service.words(), file);
            return;
        }
        long start = System.nanoTime();
        Job now = before;
        while (now.sequence() == before.sequence() && System.nanoTime() - start < patience.toNanos()) {
            if (!rest()) return;
            now = board().find(before.id().text()).job();
        }
        if (now.sequence() > before.sequence()) {
            out.printf("%s is %s now%s%n", now.id(), now.state().word(), why(now));
        } else if (Files.exists(file)) {
            out.printf("%s, but it has not taken the wish yet: %s%n", service.words(), file);
        } else {
            out.printf("the service knows; %s is still %s%s%n", now.id(), now.state().word(),
                    now.state() == JobState.RUNNING ? " while its trainer saves what it has" : "");
        }
    }

    private static String why(Job job) {
        return job.code().isEmpty() ? "" : Printable.of(" (" + job.code() + ": " + job.message() + ")", 200);
    }

    private static boolean rest() {
        try {
            Thread.sleep(LOOK);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private JobBoard board() {
        return new JobBoard(work, clock);
    }
}
