package nocturne.service.inbox;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import nocturne.job.JobId;
import nocturne.problem.UserMistake;
import nocturne.service.CommandDesk.Command;
import nocturne.service.message.CommandMessage;

/// Tells which commands in an inbox that several services share are this one's to carry out: those about its own jobs,
/// those about no job, and those that nobody else has wanted for a while, so that somebody says what is wrong.
///
/// Used by the thread of one route.
final class OwnCommands {
    static final Duration NOBODYS = Duration.ofSeconds(5);
    private static final int MOST_REMEMBERED = 1_000;

    private final Path inbox;
    private final Predicate<JobId> isOurJob;
    private final LongSupplier nanos;
    private final Map<String, Long> firstSeen = new HashMap<>();

    OwnCommands(Path inbox, Predicate<JobId> isOurJob, LongSupplier nanos) {
        this.inbox = inbox;
        this.isOurJob = isOurJob;
        this.nanos = nanos;
    }

    boolean isOurs(String name) {
        if (isAboutUs(name)) {
            firstSeen.remove(name);
            return true;
        }
        if (firstSeen.size() >= MOST_REMEMBERED) firstSeen.clear();
        long since = firstSeen.computeIfAbsent(name, _ -> nanos.getAsLong());
        if (nanos.getAsLong() - since < NOBODYS.toNanos()) return false;
        firstSeen.remove(name);
        return true;
    }

    private boolean isAboutUs(String name) {
        try {
            return switch (CommandMessage.parse(SmallFile.read(inbox.resolve(name)))) {
                case Command.Cancel(JobId job) -> isOurJob.test(job);
                case Command.Retry(JobId job) -> isOurJob.test(job);
                case Command.Prioritise(JobId job, int _) -> isOurJob.test(job);
                case Command.Drain _ -> true;
            };
        } catch (UserMistake wrong) {
            return true;
        } catch (IOException gone) {
            return false;
        }
    }
}
