package nocturne;

import nocturne.desk.Errand;
import picocli.CommandLine.Command;

/// `nocturne cancel JOB`: ends a job.
@Command(name = "cancel",
        description = "Ends a job, whatever it is doing; checkpoints it has saved stay in the outbox.")
final class CancelCommand extends ErrandCommand {
    CancelCommand() {
        super(Errand::cancel);
    }
}
