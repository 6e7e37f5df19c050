package nocturne.hub;

import java.io.IOException;
import java.time.Duration;
import nocturne.io.TransferWatch;
import nocturne.problem.Backoff;
import nocturne.problem.SickMachine;

/// How often, and how long apart, a hub is asked again, and when a transfer counts as dead.
///
/// @param backoff  between two tries
/// @param tries    in a row that bring nothing before it is given up; one that brought a byte counts as none
/// @param longest  that a hub may ask us to wait
/// @param silence  without a byte that ends a transfer
/// @param sleeper  waits
public record Patience(Backoff backoff, int tries, Duration longest, Duration silence, Sleeper sleeper) {
    /// No transfer is too long; 60 GB over a slow line take a day.
    private static final Duration TIMEOUT = Duration.ofDays(30);

    /// Waits; a test's may only write down how long it was to wait.
    @FunctionalInterface
    public interface Sleeper {
        void sleep(Duration time) throws InterruptedException;
    }

    /// For a hub far away, and nobody watching.
    public static Patience usual() {
        return new Patience(new Backoff(Duration.ofSeconds(1), Duration.ofMinutes(1)), 8, Duration.ofMinutes(10),
                Duration.ofSeconds(60), Thread::sleep);
    }

    TransferWatch.Bounds bounds() {
        return new TransferWatch.Bounds(TIMEOUT, silence, 1);
    }

    /// Waits before the next try.
    ///
    /// @param failures in a row
    /// @param what     was asked for, such as the name of a file
    /// @throws SickMachine `HUB_UNREACHABLE` or `HUB_ANSWER_INVALID` if there is to be none
    void failed(int failures, String what, IOException cause) {
        Duration wait = backoff.after(failures);
        Duration asked = cause instanceof HubBusy busy ? busy.after() : null;
        if (asked != null && asked.compareTo(longest) > 0) {
            throw unreachable(what, "%s and asks to come back in %s".formatted(cause.getMessage(), asked), cause);
        }
        if (asked != null && asked.compareTo(wait) > 0) wait = asked;
        if (failures >= tries) throw unreachable(what, String.valueOf(cause.getMessage()), cause);
        try {
            sleeper.sleep(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreachable(what, "interrupted", e);
        }
    }

    private static SickMachine unreachable(String what, String why, Exception cause) {
        String code = cause instanceof HubAnswerInvalid ? "HUB_ANSWER_INVALID" : "HUB_UNREACHABLE";
        return new SickMachine(code, "%s cannot be had now: %s. What has arrived is kept; the same command"
                .formatted(what, why) + " goes on from there.", cause);
    }
}
