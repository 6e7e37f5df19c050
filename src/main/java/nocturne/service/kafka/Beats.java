package nocturne.service.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import nocturne.event.Event;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.service.RunningJobs;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Compares what this host has with what the claims topic says, and sets right what differs: a job that is alive says
/// so, one that has ended says how, one that another host has taken over ends here. It may be done at any time and any
/// number of times.
final class Beats {
    private static final Logger LOG = LoggerFactory.getLogger(Beats.class);

    private final String host;
    private final Ledger ledger;
    private final ClaimBook book;
    private final Imports imports;
    private final Consumer<Claim> announce;
    private final BiPredicate<Job, Claim> bury;
    private final RunningJobs running;
    /// The attempt of each job whose dead letter this process has written.
    private final Map<JobId, Integer> buried = new ConcurrentHashMap<>();

    /// @param announce says something on the claims topic
    /// @param bury     writes the dead letter of a job that failed; false if that has to be done later. It is done
    ///                 again if this host stops right afterwards
    Beats(String host, Ledger ledger, ClaimBook book, Imports imports, Consumer<Claim> announce, BiPredicate<Job,
            Claim> bury,
            RunningJobs running) {
        this.host = host;
        this.ledger = ledger;
        this.book = book;
        this.imports = imports;
        this.announce = announce;
        this.bury = bury;
        this.running = running;
    }

    /// One beat for everything that came from Kafka.
    void beat() {
        for (Job job : ledger.jobs()) beat(job);
        imports.underWay().forEach(announce);
    }

    /// One beat for one job.
    void beat(Job job) {
        Job.Claim promised = job.claim();
        if (promised == null) return;
        Optional<Claim> found = book.find(promised.request());
        // Without a claim to go by, it is being read, or somebody has emptied the topic: nobody else has the job
        // either.
        if (found.isEmpty()) return;
        Claim standing = found.get();
        boolean isOurs = standing.host().equals(host);
        // After the last word there is only one thing to say: that a job which was tried again ended otherwise.
        boolean isNews = !standing.isLast() || job.isTerminal() && !standing.state().equals(job.state().word());
        if (isOurs && standing.attempt() == promised.attempt()) {
            if (!isNews) return;
            boolean isDead = job.state() == JobState.FAILED || job.state() == JobState.REFUSED;
            if (job.state() == JobState.SUPERSEDED || isDead && !isBuried(job, standing)) return;
            announce.accept(standing.of(job));
        } else if (!isOurs && standing.attempt() >= promised.attempt() && !job.isTerminal()) {
            supersede(job, standing);
        }
    }

    /// Buries a job once for each time it failed: until our word comes back from the topic, its claim stands as it was.
    private boolean isBuried(Job job, Claim standing) {
        Integer attempt = job.attempt();
        if (attempt.equals(buried.get(job.id()))) return true;
        if (!bury.test(job, standing)) return false;
        buried.put(job.id(), attempt);
        return true;
    }

    private void supersede(Job job, Claim by) {
        LOG.info("job {}: {} has taken it over as attempt {}", job.id(), by.host(), by.attempt());
        ledger.advance(job.id(), now -> now.isTerminal() ? now : now.in(JobState.SUPERSEDED, "SUPERSEDED",
                "taken over by %s as attempt %d".formatted(by.host(), by.attempt())),
                new Event.Superseded(by.host(), by.attempt()));
        running.cancel(job.id());
    }

    /// How many of this host's jobs from Kafka are alive.
    Map<String, Job> alive() {
        Map<String, Job> alive = new HashMap<>();
        for (Job job : ledger.jobs()) {
            Job.Claim promised = job.claim();
            if (promised != null && !job.isTerminal()) alive.put(promised.request(), job);
        }
        return alive;
    }
}
