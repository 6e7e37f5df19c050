package nocturne.service;

import io.micronaut.context.annotation.Bean;
import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Primary;
import jakarta.inject.Singleton;
import java.time.InstantSource;
import nocturne.job.Ledger;

/// Makes beans of what knows nothing of them.
@Factory
final class Beans {
    /// For times that people read; nothing is decided by it.
    @Singleton
    @Primary
    InstantSource clock() {
        return InstantSource.system();
    }

    /// Takes the work folder and brings it into order, before any part is started.
    @Singleton
    @Bean(preDestroy = "close")
    Ledger ledger(ServiceConfig config, InstantSource clock) {
        return Ledger.open(config.workFolder(), config.host(), clock);
    }
}
