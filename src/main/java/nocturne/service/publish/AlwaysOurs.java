package nocturne.service.publish;

import io.micronaut.context.annotation.Requires;
import jakarta.inject.Singleton;
import nocturne.job.JobId;
import nocturne.service.Ownership;

/// Without Kafka there is no other host.
@Singleton
@Requires(missingBeans = Ownership.class)
final class AlwaysOurs implements Ownership {
    @Override
    public boolean stillOurs(JobId id) {
        return true;
    }
}
