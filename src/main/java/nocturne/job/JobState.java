package nocturne.job;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/// Where a job is in its life.
///
/// ```
/// queued -> running -> publishing -> completed
///   ^         |  |
///   |         |  +-> failed             any that is not terminal -> cancelled, superseded
///   +-parked<-+                         refused: it never became more than a question
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

    /// As it stands in files and events.
    @JsonValue
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
