package nocturne.service;

import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.dataset.Patience;
import nocturne.event.Event;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.io.FolderTree;
import nocturne.io.FreeSpace;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.job.JobState;
import nocturne.job.Ledger;
import nocturne.plan.Inspection;
import nocturne.plan.Limits;
import nocturne.plan.ModelSearch;
import nocturne.problem.DiskFull;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes bundles into jobs, or says why not.
///
/// A bundle is unpacked and looked at in a folder of its own in `work/incoming`; that folder then becomes the job's by
/// one rename, or is deleted. All methods may be called from any thread.
///
/// The same content is trained once: as long as a job of it lives or has its result, it is answered with that job. What
/// failed, was refused or cancelled blocks nothing; whoever drops it again wants it tried again.
@Singleton
final class IntakeDesk implements Intake {
    private static final Logger LOG = LoggerFactory.getLogger(IntakeDesk.class);
    /// What says that our own folders cannot be written, though in the words for somebody's mistake.
    private static final List<String> OUR_TROUBLE = List.of("NOT_WRITABLE", "FILE_NOT_FOUND");

    private final Ledger ledger;
    private final ModelSearch models;
    private final Path outbox;
    private final BundleLimits limits;
    private final Limits recipeLimits;
    private final Duration lookingTime;
    private final long reserve;
    private final AtomicLong counter = new AtomicLong();
    /// Two bundles with the same content are decided about one after the other; others do not wait for them.
    private final Object[] deciding = new Object[64];

    /// What a bundle turned out to be.
    ///
    /// @param model where its pipeline lies, as a job keeps it
    private record Checked(String folder, String model, String contentHash, long steps, int pictures) {}

    IntakeDesk(Ledger ledger, ServiceConfig config, ModelsConfig models, LimitsConfig limits, DiskConfig disk) {
        this.ledger = ledger;
        this.models = models.search(config.home());
        this.outbox = config.outbox();
        this.limits = limits.ofBundle();
        this.recipeLimits = limits.ofRecipe();
        this.lookingTime = limits.look();
        this.reserve = disk.reserve();
        for (int i = 0; i < deciding.length; i++) deciding[i] = new Object();
    }

    @Override
    public Verdict take(Incoming bundle) {
        Optional<Verdict> before = answerGivenBefore(bundle);
        if (before.isPresent()) return before.get();
        requireRoom(DiskNeed.ofBundle(bundle.source(), limits.entries()));
        Path folder = newFolder();
        try {
            Checked checked = check(bundle, folder);
            return settle(bundle, checked, folder);
        } catch (UserMistake mistake) {
            String code = mistake.problems().getFirst().code();
            if (OUR_TROUBLE.contains(code)) throw new SickMachine(code, mistake.report(), mistake);
            return refuse(bundle, Wording.text(mistake.getMessage(), folder),
                    Wording.problems(mistake.problems(), folder));
        } catch (SickMachine machine) {
            throw machine;
        } catch (RuntimeException | StackOverflowError bug) {
            LOG.error("looking at {} failed in a way that nobody foresaw", shown(bundle), bug);
            return refuse(bundle, List.of(new Problem("BUG", "", "Nocturne could not look at this bundle, which is a "
                    + "bug in Nocturne: " + Wording.line(bug.toString(), Wording.LONGEST_TEXT))));
        } finally {
            sweep(folder);
        }
    }

    @Override
    public Verdict refuse(Incoming bundle, List<Problem> problems) {
        List<Problem> shown = Wording.problems(problems, ledger.work().incoming());
        return refuse(bundle, shown.getFirst().toString(), shown);
    }

    /// Everything that can be wrong with it.
    private Checked check(Incoming bundle, Path folder) {
        String name = Wording.name(bundle.name());
        String id = bundle.id();
        if (id != null && !JobId.isValid(id)) {
            throw new UserMistake("ID_INVALID", Wording.line(id, Wording.LONGEST_NAME),
                    "cannot be a job's id: 1 to 64 of a-z, 0-9 and -, with a letter or digit at both ends");
        }
        long begin = System.nanoTime();
        Bundle taken = Bundle.take(bundle.source(), name, folder, limits);
        long unpacked = System.nanoTime();
        // Others wait behind this bundle; the trainer looks at every picture again, with all the time in the world.
        Inspection inspection =
                Inspection.of(taken, name, model(bundle), models, Patience.lasting(lookingTime)).within(recipeLimits);
        LOG.debug("{}: unpacked in {} ms; recipe, model and pictures looked at in {} ms", shown(bundle),
                TimeUnit.NANOSECONDS.toMillis(unpacked - begin),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - unpacked));
        requireRoom(DiskNeed.ofRun(inspection));
        return new Checked(folder.relativize(taken.root()).getName(0).toString(), kept(inspection.model(), folder),
                taken.contentHash(), inspection.resolved().recipe().train().steps(),
                inspection.training().pictures());
    }

    /// A model of the bundle moves with it, into the job's folder.
    private static String kept(Path model, Path folder) {
        Path here = folder.toAbsolutePath().normalize();
        return (model.startsWith(here) ? here.relativize(model) : model).toString();
    }

    private static @Nullable String model(Incoming bundle) {
        String model = bundle.model();
        if (model == null) return null;
        String shown = Wording.line(model, Wording.LONGEST_NAME);
        if (model.isBlank() || !model.equals(shown)) throw ModelSearch.Below.notFound(shown);
        return model;
    }

    private Verdict settle(Incoming bundle, Checked checked, Path folder) {
        synchronized (deciding[Math.floorMod(checked.contentHash().hashCode(), deciding.length)]) {
            while (true) {
                Optional<Verdict> before = answerGivenBefore(bundle);
                if (before.isPresent()) return before.get();
                Optional<Job> same = sameAs(bundle, checked.contentHash());
                if (same.isPresent()) return duplicate(bundle, same.get());
                JobId id = freeId(bundle.id() != null ? new JobId(bundle.id())
                        : JobId.of(bundle.name(), checked.contentHash()));
                Job job = Job.queued(id, Wording.name(bundle.name()), shown(bundle), checked.contentHash(),
                        checked.folder(), bundle.model(), bundle.priority(), ledger.now(), checked.steps(),
                        checked.pictures(), bundle.claim()).withDrop(bundle.drop()).withModelFolder(checked.model());
                Ledger.Added added = ledger.add(folder, job, new Event.Queued(job.name(), job.origin(),
                        job.contentHash(), job.steps(), job.pictures()));
                if (added.isNew()) return new Verdict.Accepted(added.job());
                // Somebody took the id a moment ago, with other content.
            }
        }
    }

    private Verdict duplicate(Incoming bundle, Job job) {
        LOG.info("{} is the job {} already, which is {}", shown(bundle), job.id(), job.state().word());
        ledger.record(job.id(), new Event.Duplicate(shown(bundle), job.state().word()));
        return new Verdict.Duplicate(job);
    }

    /// The job that answers for this bundle already.
    private Optional<Job> sameAs(Incoming bundle, String contentHash) {
        if (bundle.rerun()) return Optional.empty();
        if (bundle.id() != null) {
            JobId id = new JobId(bundle.id());
            for (int run = 2; ledger.job(id).isPresent(); run++) {
                Optional<Job> answer = ledger.job(id).filter(IntakeDesk::answers);
                if (answer.isPresent()) return answer;
                id = new JobId(bundle.id()).again(run);
            }
        }
        return ledger.stream().filter(IntakeDesk::answers).filter(job -> job.contentHash().equals(contentHash)
                && Objects.equals(job.model(), bundle.model())).findAny();
    }

    private static boolean answers(Job job) {
        return !job.isTerminal() || job.state() == JobState.COMPLETED;
    }

    /// What was promised or dropped once is answered once, whatever has become of it: it came again because this
    /// process stopped between the answer and the word that it was given, or before the file was where its answer puts
    /// it.
    @Override
    public Optional<Verdict> answerGivenBefore(Incoming bundle) {
        if (bundle.claim() == null && bundle.drop() == null) return Optional.empty();
        return ledger.stream().filter(job -> isAnswerTo(bundle, job)).findAny()
                .map(job -> job.state() == JobState.REFUSED ? new Verdict.Refused(job, job.problems())
                        : new Verdict.Duplicate(job));
    }

    private static boolean isAnswerTo(Incoming bundle, Job job) {
        return bundle.claim() != null && bundle.claim().equals(job.claim())
                || bundle.drop() != null && bundle.drop().equals(job.drop());
    }

    private Verdict refuse(Incoming bundle, String headline, List<Problem> problems) {
        Optional<Verdict> before = answerGivenBefore(bundle);
        if (before.isPresent()) return before.get();
        String name = Wording.name(bundle.name());
        String hash = hashOf(bundle);
        while (true) {
            Path folder = newFolder();
            try {
                Job job = Job.refused(freeId(JobId.of(bundle.name(), hash)), name, shown(bundle), hash, ledger.now(),
                        problems, bundle.claim()).withDrop(bundle.drop())
                        .in(JobState.REFUSED, problems.getFirst().code(), headline);
                Ledger.Added added = ledger.add(folder, job, new Event.Rejected(name, problems));
                if (added.isNew()) {
                    LOG.info("{} is refused as {}: {}", shown(bundle), job.id(), headline);
                    return new Verdict.Refused(added.job(), problems);
                }
            } finally {
                sweep(folder);
            }
        }
    }

    /// Of the file's bytes, or of what it is called where it must not be read.
    private static String hashOf(Incoming bundle) {
        try {
            if (isPlain(bundle.source())) return ContentHash.ofFile(bundle.source());
        } catch (IOException | UserMistake | SickMachine unreadable) {
            // A name must do.
        }
        return new ContentHash().add(bundle.name()).add(bundle.origin()).hex();
    }

    private static boolean isPlain(Path source) throws IOException {
        if (!Files.isRegularFile(source, LinkOption.NOFOLLOW_LINKS)) return false;
        boolean counts = source.getFileSystem().supportedFileAttributeViews().contains("unix");
        return !counts || Files.getAttribute(source, "unix:nlink", LinkOption.NOFOLLOW_LINKS).equals(1);
    }

    private JobId freeId(JobId wanted) {
        JobId id = wanted;
        for (int run = 2; !ledger.isFree(id); run++) id = wanted.again(run);
        return id;
    }

    private static String shown(Incoming bundle) {
        return Wording.line(bundle.origin(), Wording.LONGEST_TEXT);
    }

    private void requireRoom(long bytes) {
        for (Path folder : List.of(ledger.work().root(), outbox)) {
            // A folder that is not there yet, or whose disk does not say, is tried.
            long free = FreeSpace.of(folder).orElse(Long.MAX_VALUE);
            if (free - reserve >= bytes) continue;
            String words = "%s has %,d bytes free; %,d are needed and %,d stay in reserve. Make room; it is tried again"
                    .formatted(folder, free, bytes, reserve);
            throw new SickMachine(DiskFull.CODE, words, new IOException("too little room"));
        }
    }

    private Path newFolder() {
        Path folder = ledger.work().incoming().resolve("bundle-%d".formatted(counter.incrementAndGet()));
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, folder);
        }
    }

    private static void sweep(Path folder) {
        try {
            FolderTree.delete(folder);
        } catch (IOException e) {
            LOG.warn("{} could not be deleted; the next start does it: {}", folder, e.getMessage());
        }
    }
}
