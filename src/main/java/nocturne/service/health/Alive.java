package nocturne.service.health;

import io.micronaut.core.async.publisher.Publishers;
import io.micronaut.health.HealthStatus;
import io.micronaut.management.health.indicator.HealthIndicator;
import io.micronaut.management.health.indicator.HealthResult;
import io.micronaut.management.health.indicator.annotation.Liveness;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Map;
import org.reactivestreams.Publisher;

/// Whether the process still turns; if not, restarting it may help.
@Singleton
@Liveness
final class Alive implements HealthIndicator {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final StatusFile status;

    Alive(StatusFile status) {
        this.status = status;
    }

    @Override
    public Publisher<HealthResult> getResult() {
        Duration age = status.age();
        boolean alive = age.compareTo(LIMIT) < 0;
        return Publishers.just(HealthResult.builder("alive", alive ? HealthStatus.UP : HealthStatus.DOWN)
                .details(Map.of("reason", alive ? "status.json is written"
                        : "status.json was last written %d s ago".formatted(age.toSeconds())))
                .build());
    }
}
