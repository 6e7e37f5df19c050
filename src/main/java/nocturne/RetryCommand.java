package nocturne;

import nocturne.desk.Errand;
import picocli.CommandLine.Command;

/// `nocturne retry JOB`: another try for a job.
@Command(name = "retry",
        description = "Lets a job that failed, was cancelled or is parked try again, from its last checkpoint.")
final class RetryCommand extends ErrandCommand {
    RetryCommand() {
        super(Errand::retry);
    }
}
