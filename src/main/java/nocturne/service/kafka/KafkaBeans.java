package nocturne.service.kafka;

import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Requires;
import jakarta.inject.Named;
import jakarta.inject.Singleton;

/// Makes beans of what knows nothing of them, and gives the routes' beans their names.
@Factory
@Requires(condition = KafkaWanted.class)
final class KafkaBeans {
    @Singleton
    ClaimBook claimBook() {
        return new ClaimBook(System::nanoTime);
    }

    @Singleton
    @Named("jobClaims")
    Claimant jobClaims(KafkaJobs jobs) {
        return jobs.claimant();
    }
}
