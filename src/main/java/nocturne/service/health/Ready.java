package nocturne.service.health;

import io.micronaut.core.async.publisher.Publishers;
import io.micronaut.health.HealthStatus;
import io.micronaut.management.health.indicator.HealthIndicator;
import io.micronaut.management.health.indicator.HealthResult;
import io.micronaut.management.health.indicator.annotation.Readiness;
import jakarta.inject.Singleton;
import java.util.Map;
import nocturne.service.Lifecycle;
import org.reactivestreams.Publisher;

/// Whether the service takes jobs; if not, it says why, and restarting it would not help.
@Singleton
@Readiness
final class Ready implements HealthIndicator {
    private final Lifecycle lifecycle;
    private final Disk disk;

    Ready(Lifecycle lifecycle, Disk disk) {
        this.lifecycle = lifecycle;
        this.disk = disk;
    }

    @Override
    public Publisher<HealthResult> getResult() {
        boolean full = disk.isFull();
        boolean ready = lifecycle.isReady() && !full;
        String reason = full ? "the disk of the work folder has less than %d MB free".formatted(Disk.LEAST >> 20)
                : lifecycle.phase();
        return Publishers.just(HealthResult.builder("ready", ready ? HealthStatus.UP : HealthStatus.DOWN)
                .details(Map.of("reason", reason)).build());
    }
}
