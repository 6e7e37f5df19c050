package nocturne.problem;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class BackoffTest {
    private final Backoff backoff = new Backoff(Duration.ofSeconds(2), Duration.ofMinutes(1));

    @Test
    void doublesUpToTheLongest() {
        assertThat(IntStream.rangeClosed(1, 8).mapToObj(backoff::after).map(Duration::toSeconds))
                .containsExactly(2L, 4L, 8L, 16L, 32L, 60L, 60L, 60L);
    }

    @Test
    void aFailureThatNeverEndsIsNoLongNumber() {
        assertThat(backoff.after(Integer.MAX_VALUE)).isEqualTo(Duration.ofMinutes(1));
        Duration century = Duration.ofDays(36_525);
        assertThat(new Backoff(century, century.plusSeconds(1)).after(1_000)).isEqualTo(century.plusSeconds(1));
        assertThat(new Backoff(century, Duration.ofSeconds(1)).after(1)).isEqualTo(Duration.ofSeconds(1));
    }
}
