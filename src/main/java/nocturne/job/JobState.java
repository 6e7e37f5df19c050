package nocturne.job;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Optional;

/// Where a job is in its life.
///
/// ```
/// queued -> running -> publishing -> completed
///   ^  |      |  |
///   |  v      |  +-> failed             any that is not terminal -> failed, cancelled, superseded
///   +-parked<-+                         failed, cancelled -> queued, if somebody asks for another try
///                                       refused: it never became more than a question
/// ```
public enum JobState {
    /// Durable and checked; waits for a device.
    QUEUED,
    /// A trainer works on it.
    RUNNING,
    /// Waits for something other than a device, such as room on the disk.
    PARKED,
    /// Trained; its last files are on their way to the outbox.
    PUBLISHING,
    COMPLETED,
    /// The input could not be used.
    REFUSED,
    FAILED,
    CANCELLED,
    /// Another host has taken it over.
    SUPERSEDED;

    /// Whether nothing will change any more, unless somebody asks for another try.
    public boolean isTerminal() {
        return switch (this) {
            case QUEUED, RUNNING, PARKED, PUBLISHING -> false;
            case COMPLETED, REFUSED, FAILED, CANCELLED, SUPERSEDED -> true;
        };
    }

    /// Whether a job in this state may be in that one next.
    public boolean mayBecome(JobState next) {
        return switch (this) {
            case QUEUED -> next == RUNNING || next == PARKED || next.endsALife();
            case RUNNING -> next == QUEUED || next == PARKED || next == PUBLISHING || next.endsALife();
            case PARKED -> next == QUEUED || next.endsALife();
            // Back to the queue where the files turn out not to be what the trainer said.
            case PUBLISHING -> next == COMPLETED || next == QUEUED || next.endsALife();
            case FAILED, CANCELLED -> next == QUEUED;
            case COMPLETED, REFUSED, SUPERSEDED -> false;
        };
    }

    private boolean endsALife() {
        return this == FAILED || this == CANCELLED || this == SUPERSEDED;
    }

    /// The state that an event announces; empty for events that leave the state as it is.
    ///
    /// Publishing is not announced: to the world a job runs until its results are there.
    ///
    /// @param type such as `nocturne.job.completed.v1`
    public static Optional<JobState> announcedBy(String type) {
        return switch (type) {
            case "nocturne.job.queued.v1", "nocturne.job.interrupted.v1" -> Optional.of(QUEUED);
            case "nocturne.job.started.v1" -> Optional.of(RUNNING);
            case "nocturne.job.parked.v1" -> Optional.of(PARKED);
            case "nocturne.job.completed.v1" -> Optional.of(COMPLETED);
            case "nocturne.job.rejected.v1" -> Optional.of(REFUSED);
            case "nocturne.job.failed.v1" -> Optional.of(FAILED);
            case "nocturne.job.cancelled.v1" -> Optional.of(CANCELLED);
            case "nocturne.job.superseded.v1" -> Optional.of(SUPERSEDED);
            default -> Optional.empty();
        };
    }

    /// As it stands in files and events.
    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
