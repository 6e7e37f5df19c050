package nocturne.hub;

import java.nio.file.Files;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import nocturne.io.ProcessLock;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Fetches a model from a hub into a folder.
///
/// Files arrive under names of their own, grow where they broke off, and get their names when their hashes are right;
/// the model's folder appears when all of them have. So it may be killed at any moment, and the next one goes on. One
/// pull works on a folder at a time.
///
/// @param request  what to fetch, and where to
/// @param endpoint of the hub
/// @param token    for the endpoint; null for none
/// @param patience with the hub
/// @param progress who is told how it goes on
public record Pull(PullRequest request, Endpoint endpoint, @Nullable HubToken token, Patience patience,
        PullProgress progress) {
    /// What the folder beside a model's is called in which it arrives, before the model's own name.
    public static final String ARRIVING = ".pulling-";

    /// Fetches what is not there yet.
    ///
    /// @throws UserMistake `OUTPUT_IN_USE` if another pull works on the folder; `HUB_REFUSED` if the hub will not
    ///                     give it; `MODEL_DIFFERENT` if the folder holds something else; `NOT_WRITABLE`
    /// @throws SickMachine `HUB_UNREACHABLE`, `HUB_ANSWER_INVALID`, `HASH_MISMATCH`, `DISK_FULL`: what has arrived is
    ///                     kept, and the same pull goes on from there
    public void run() {
        try (ProcessLock lock = ProcessLock.take(PullFolder.lock(request.folder()), "this machine", this::inUse)) {
            PullFolder folder = PullFolder.of(request.folder(), isWhole());
            Optional<PullRecord> record = PullRecord.in(folder.target());
            if (record.isPresent() && isThere(record.get(), folder)) return;
            try (Hub hub = new Hub(endpoint, token, patience)) {
                fetch(hub, folder, record);
            }
        }
    }

    /// Whether all that a pipeline needs is wanted.
    private boolean isWhole() {
        return request.include().isEmpty();
    }

    private UserMistake inUse(String holder) {
        return new UserMistake("OUTPUT_IN_USE", request.folder().toString(),
                "is being fetched by another process already%s.".formatted(holder.isEmpty() ? "" : ": " + holder));
    }

    /// Whether nothing is to be done, so that nobody need be asked: whoever names no revision wants a whole model, and
    /// not a newer one.
    private boolean isThere(PullRecord record, PullFolder folder) {
        requireSame(record, folder);
        boolean wanted = request.revision() == null || record.commit().equals(request.revision());
        if (!wanted || !isWhole() || !record.isWhole(folder.target())) return false;
        progress.notice("%s is there already, at commit %s: %s".formatted(record.id(), shortened(record.commit()),
                folder.target()));
        return true;
    }

    private void requireSame(PullRecord record, PullFolder folder) {
        if (record.id().equals(request.id().toString())) return;
        throw new UserMistake("MODEL_DIFFERENT", folder.target().toString(), "holds %s. Name another folder with --to."
                .formatted(record.id()));
    }

    private void fetch(Hub hub, PullFolder folder, Optional<PullRecord> record) {
        if (token != null && !endpoint.mayHaveToken(endpoint.address())) {
            progress.notice("HF_TOKEN is not shown to %s: whoever listens on the way would have it"
                    .formatted(endpoint));
        }
        // What was begun is gone on with, although main may have moved.
        String revision = request.revision() == null && record.isPresent() ? record.get().commit()
                : request.revisionOrMain();
        HubTree tree = HubTree.of(hub, request.id(), revision);
        if (record.isPresent() && !record.get().commit().equals(tree.commit())) {
            throw new UserMistake("MODEL_DIFFERENT", folder.target().toString(), ("holds commit %s, and %s is %s. Move"
                    + " the folder away, or name another one with --to.").formatted(
                    shortened(record.get().commit()), revision, shortened(tree.commit())));
        }
        List<HubFile> wanted = wanted(tree);
        if (Files.exists(folder.place())) progress.notice("looking at what is there: " + folder.place());
        List<HubFile> missing = folder.missing(request.id(), wanted);
        long all = bytes(wanted);
        long arrived = all - bytes(missing) + folder.begun(missing);
        folder.requireRoom(all - arrived, request.reserve());
        if (isWhole()) {
            PullRecord.of(request.id(), request.revisionOrMain(), tree.commit(), wanted).writeInto(folder.place());
        }
        progress.begins(wanted.size(), all, arrived);
        transfer(hub, folder, tree.commit(), missing);
        folder.complete(wanted);
    }

    private List<HubFile> wanted(HubTree tree) {
        try {
            List<HubFile> wanted = isWhole()
                    ? Selection.ofPipeline(request.id(), tree.files())
                    : Selection.of(request.include(), tree.files());
            TreePaths.requireDistinct(wanted);
            // The small ones tell what the large ones are.
            return wanted.stream().sorted(Comparator.comparingLong(HubFile::bytes)).toList();
        } catch (HubAnswerInvalid nonsense) {
            throw new SickMachine("HUB_ANSWER_INVALID", "%s: %s; nothing was fetched".formatted(request.id(),
                    nonsense.getMessage()), nonsense);
        }
    }

    private static long bytes(List<HubFile> files) {
        // Lengths come from outside; more than there can be is found to be too much by the disk.
        return files.stream().mapToLong(HubFile::bytes).reduce(0, (one, two) ->
                one > Long.MAX_VALUE - two ? Long.MAX_VALUE : one + two);
    }

    private void transfer(Hub hub, PullFolder folder, String commit, List<HubFile> missing) {
        AtomicBoolean ends = new AtomicBoolean();
        try (ExecutorService threads = Executors.newFixedThreadPool(request.connections(),
                Thread.ofVirtual().name("pull-", 0).factory())) {
            ExecutorCompletionService<Void> transfers = new ExecutorCompletionService<>(threads);
            for (HubFile file : missing) {
                FileTransfer transfer = new FileTransfer(hub,
                        endpoint.at("/%s/resolve/%s/%s".formatted(request.id(), commit, file.path()), ""),
                        file, folder.place(), progress, ends::get);
                transfers.submit(transfer::run, null);
            }
            try {
                for (int i = 0; i < missing.size(); i++) transfers.take().get();
            } catch (ExecutionException e) {
                throw thrown(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted");
            } finally {
                ends.set(true);
                threads.shutdownNow();
            }
        }
    }

    private static RuntimeException thrown(ExecutionException failure) {
        return switch (failure.getCause()) {
            case RuntimeException mistake -> mistake;
            case Error error -> throw error;
            case null, default -> new IllegalStateException(failure);
        };
    }

    private static String shortened(String commit) {
        return commit.substring(0, Math.min(12, commit.length()));
    }
}
