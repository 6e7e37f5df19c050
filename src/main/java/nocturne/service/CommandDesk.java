package nocturne.service;

import nocturne.job.JobId;

/// Where a wish about a job is carried out, from wherever it came. Nothing here throws for a wish that makes no sense:
/// that is said in the log and in the host's journal.
public interface CommandDesk {

    /// A wish.
    sealed interface Command {
        record Cancel(JobId job) implements Command {}

        record Retry(JobId job) implements Command {}

        /// @param priority higher goes first; 0 is usual
        record Prioritise(JobId job, int priority) implements Command {}

        record Drain(String reason) implements Command {}
    }

    /// @param origin where it came from, such as `inbox:x.command.json` or `kafka:nocturne.commands/0@7`
    void run(Command command, String origin);
}
