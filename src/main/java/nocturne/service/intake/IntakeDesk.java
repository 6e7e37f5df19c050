package nocturne.service.intake;

import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import nocturne.bundle.Bundle;
import nocturne.event.Event;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.job.FolderTree;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.plan.Inspection;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.Incoming;
import nocturne.service.Intake;
import nocturne.service.ServiceConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes bundles into jobs.
///
/// What comes is copied or unpacked into `work/incoming/`, looked at there, and becomes a job by one rename of that
/// folder. Until then nothing has happened; from then on the job survives anything.
@Singleton
final class IntakeDesk implements Intake {
    private static final Logger LOG = LoggerFactory.getLogger(IntakeDesk.class);
    /// All problems are told, up to what a person would read and a message can hold.
    private static final int MOST_PROBLEMS = 200;

    private final Ledger ledger;
    private final ServiceConfig config;
    private final IntakeLimits limits;
    private final Room room;
    /// Held while it is decided whether a bundle is new; unpacking and looking go on beside each other.
    private final ReentrantLock deciding = new ReentrantLock();

    IntakeDesk(Ledger ledger, ServiceConfig config, IntakeLimits limits, Room room) {
        this.ledger = ledger;
        this.config = config;
        this.limits = limits;
        this.room = room;
    }

    @Override
    public Verdict take(Incoming bundle) {
        Optional<Job> sent = sameRequest(bundle);
        if (sent.isPresent()) return duplicate(sent.get(), bundle);
        room.require(bundle.source(), ledger.work().root());
        Path folder = newFolder();
        try {
            return take(bundle, folder);
        } catch (UserMistake mistake) {
            return refuse(bundle, mistake.problems());
        } finally {
            discard(folder);
        }
    }

    private Verdict take(Incoming bundle, Path folder) {
        Bundle opened = Bundle.take(bundle.source(), bundle.name(), folder, limits.forBundles());
        Path model = bundle.model() == null ? null : Path.of(bundle.model());
        Inspection found = Inspection.of(opened, bundle.name(), model, config.home());
        String hash = contentHash(opened, bundle.model());
        // What the zip had wrapped its files in belongs to the path.
        String unpacked = folder.relativize(opened.root()).toString();
        deciding.lock();
        try {
            Optional<Job> same = bundle.rerun() ? Optional.empty() : sameContent(hash, bundle);
            if (same.isPresent()) return duplicate(same.get(), bundle);
            Job job = Job.queued(freeId(bundle, hash), bundle.name(), bundle.origin(), hash, unpacked, bundle.model(),
                    bundle.priority(), ledger.now(), found.resolved().recipe().train().steps(),
                    found.training().pictures(), bundle.claim());
            return new Verdict.Accepted(ledger.add(folder, job, queued(job)).job());
        } finally {
            deciding.unlock();
        }
    }

    @Override
    public Verdict.Refused refuse(Incoming bundle, List<Problem> problems) {
        List<Problem> told = problems.subList(0, Math.min(problems.size(), MOST_PROBLEMS));
        Path folder = newFolder();
        deciding.lock();
        try {
            String hash = hashOf(bundle);
            Job job = Job.refused(freeId(bundle, hash), bundle.name(), bundle.origin(), hash, ledger.now(), told,
                    bundle.claim());
            Job added = ledger.add(folder, job, new Event.Rejected(bundle.name(), told)).job();
            return new Verdict.Refused(added, told);
        } finally {
            deciding.unlock();
            discard(folder);
        }
    }

    private static Event queued(Job job) {
        return new Event.Queued(job.name(), job.origin(), job.contentHash(), job.steps(), job.pictures());
    }

    /// A sender that gives its own ids gives one to each job it means; the same one again is the same job.
    private Optional<Job> sameRequest(Incoming bundle) {
        String id = bundle.id();
        if (id == null || bundle.rerun()) return Optional.empty();
        return ledger.job(new JobId(id)).filter(job -> blocks(job) || isSameClaim(job, bundle));
    }

    private Optional<Job> sameContent(String hash, Incoming bundle) {
        Optional<Job> sent = sameRequest(bundle);
        if (sent.isPresent()) return sent;
        // With an id of its own it is meant as a job of its own, whatever it holds.
        if (bundle.id() != null) return Optional.empty();
        return ledger.stream()
                .filter(job -> job.contentHash().equals(hash) && (blocks(job) || isSameClaim(job, bundle)))
                .findFirst();
    }

    /// What failed, was refused or cancelled may be tried again by dropping it again.
    private static boolean blocks(Job job) {
        return !job.isTerminal() || job.state() == JobState.COMPLETED;
    }

    /// Kafka may deliver a record again, which is nobody's wish for another try.
    private static boolean isSameClaim(Job job, Incoming bundle) {
        return bundle.claim() != null && bundle.claim().equals(job.claim());
    }

    private Verdict duplicate(Job job, Incoming bundle) {
        ledger.record(job.id(), new Event.Duplicate(bundle.origin(), job.state().word()));
        LOG.info("{}: is the same as job {}, which is {}", bundle.origin(), job.id(), job.state().word());
        return new Verdict.Duplicate(job);
    }

    private JobId freeId(Incoming bundle, String hash) {
        String wanted = bundle.id();
        JobId id = wanted != null ? new JobId(wanted) : JobId.of(bundle.name(), hash);
        if (ledger.isFree(id)) return id;
        int run = 2;
        while (!ledger.isFree(id.again(run))) run++;
        return id.again(run);
    }

    /// The same pictures on another model are another training.
    private static String contentHash(Bundle bundle, @Nullable String model) {
        String hash = bundle.contentHash();
        return model == null ? hash : ContentHash.ofBytes((hash + "\n" + model).getBytes(StandardCharsets.UTF_8));
    }

    /// Something to make an id of, where there may be nothing to read.
    private static String hashOf(Incoming bundle) {
        if (Files.isRegularFile(bundle.source(), LinkOption.NOFOLLOW_LINKS)) {
            try {
                return ContentHash.ofFile(bundle.source());
            } catch (SickMachine unreadable) {
                // Its name has to do.
            }
        }
        return ContentHash.ofBytes((bundle.origin() + "\n" + bundle.name()).getBytes(StandardCharsets.UTF_8));
    }

    private Path newFolder() {
        Path folder = ledger.work().incoming().resolve(UUID.randomUUID().toString());
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, folder);
        }
    }

    /// Does nothing after the folder has become a job.
    private static void discard(Path folder) {
        try {
            FolderTree.delete(folder);
        } catch (IOException e) {
            LOG.warn("{} could not be deleted and will be at the next start: {}", folder, e.getMessage());
        }
    }
}
