package nocturne.service.publish;

import java.time.Duration;
import java.util.Optional;

/// Somebody who is told every event.
interface Target {

    /// A word for file names and metrics, such as `kafka`; always the same for the same somebody.
    String name();

    /// For the log, without secrets: `Kafka at localhost:9092`.
    String description();

    /// Tells an event and returns when it has arrived.
    ///
    /// @throws Away     if nobody is there now: others need not try, either
    /// @throws NotTaken if somebody is there and does not take this event
    void tell(Journal journal, Journal.Line line) throws Away, NotTaken, InterruptedException;

    /// How old an event gets that nobody takes, before it is left out and those behind it get their turn. Empty where
    /// none may ever be left out.
    default Optional<Duration> giveUp() {
        return Optional.empty();
    }

    /// Whether jobs that ended before this target was known are of no interest to it.
    default boolean isOnlyForTheFuture() {
        return false;
    }

    /// Nobody is there.
    final class Away extends Exception {
        private static final long serialVersionUID = 1L;

        Away(String why, Throwable cause) {
            super(why, cause);
        }

        Away(String why) {
            super(why);
        }
    }

    /// This event is not wanted.
    final class NotTaken extends Exception {
        private static final long serialVersionUID = 1L;

        NotTaken(String why, Throwable cause) {
            super(why, cause);
        }

        NotTaken(String why) {
            super(why);
        }
    }
}
