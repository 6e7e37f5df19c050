package nocturne.service.kafka;

import io.micronaut.context.annotation.Requires;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Optional;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.Ledger;
import nocturne.service.Ownership;
import nocturne.service.ServiceConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whose a job is, as the claims topic says, read to its end at every question.
@Singleton
@Requires(condition = KafkaWanted.class)
final class ClaimOwnership implements Ownership {
    private static final Logger LOG = LoggerFactory.getLogger(ClaimOwnership.class);
    /// A host that was stopped and goes on needs some seconds to find Kafka again, and must not answer before.
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /// Where it is known to be away, a night's work is not held back for it.
    private static final Duration LOOK = Duration.ofSeconds(5);

    private final KafkaLink link;
    private final ClaimBook book;
    private final Ledger ledger;
    private final String host;

    @Inject
    ClaimOwnership(KafkaLink link, ClaimBook book, Ledger ledger, ServiceConfig config) {
        this(link, book, ledger, config.host());
    }

    ClaimOwnership(KafkaLink link, ClaimBook book, Ledger ledger, String host) {
        this.link = link;
        this.book = book;
        this.ledger = ledger;
        this.host = host;
    }

    /// While Kafka does not answer, what is known counts.
    @Override
    public boolean stillOurs(JobId id) {
        Job.Claim promised = ledger.job(id).map(Job::claim).orElse(null);
        if (promised == null) return true;
        if (!hasCaughtUp()) {
            LOG.warn("job {}: whether it is still ours cannot be asked, because Kafka is away; publishing it", id);
        }
        Optional<Claim> standing = book.find(promised.request());
        return standing.isEmpty() || standing.get().host().equals(host);
    }

    private boolean hasCaughtUp() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        do {
            if (link.catchUp(LOOK)) return true;
        } while (link.isUp() && System.nanoTime() - deadline < 0);
        return false;
    }
}
