package nocturne.service.pull;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import nocturne.hub.ModelId;
import nocturne.hub.Pipeline;
import nocturne.hub.Pull;
import nocturne.hub.PullRequest;
import nocturne.plan.ModelSearch;
import nocturne.problem.Backoff;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings one model here for those who wait for it: looks first, fetches what is missing, and tries again for as long
/// as it could help and somebody waits.
final class Fetching {
    private static final Logger LOG = LoggerFactory.getLogger(Fetching.class);
    /// Another pull is at work on the folder, such as one that a person has started. What it brings is ours too.
    private static final String IN_USE = "OUTPUT_IN_USE";
    /// Pulls that came to their end, and left no whole model.
    private static final int MOST_FRUITLESS = 2;

    private final ModelSearch.OrToCome models;
    private final PullRequest request;
    private final HubAccess hub;
    private final Backoff backoff;
    private final Waiting waiting;
    private final Runnable found;
    private int fruitless;
    private String trouble = "";

    /// @param found told when it is here, which may be more than once
    Fetching(ModelSearch.OrToCome models, PullRequest request, HubAccess hub, Backoff backoff, Waiting waiting,
            Runnable found) {
        this.models = models;
        this.request = request;
        this.hub = hub;
        this.backoff = backoff;
        this.waiting = waiting;
        this.found = found;
    }

    /// Returns when it is here, will never be, nobody waits any more, or this thread is interrupted.
    void bring() {
        try {
            for (int rounds = 1; waiting.isAnybodyThere(); rounds++) {
                if (round()) return;
                if (waiting.isAnybodyThere()) Thread.sleep(backoff.after(rounds));
            }
        } catch (InterruptedException | CancellationException stopped) {
            LOG.info("fetching {} was left off; what has arrived is kept", request.id());
        }
    }

    /// @return whether it is here, and all who wait for it know
    private boolean round() {
        try {
            Optional<Path> here = models.here(request.id());
            if (here.isEmpty()) {
                boolean ended = pull();
                here = models.here(request.id());
                if (ended && here.isEmpty()) lacking();
            }
            if (here.isEmpty()) return false;
            boolean all = waiting.arrived(here.get());
            found.run();
            return all;
        } catch (CancellationException stopped) {
            throw stopped;
        } catch (RuntimeException | Error unforeseen) {
            // Left to whoever started this thread, it would be started again at once, and for ever.
            LOG.error("fetching {} failed in a way that nobody foresaw", request.id(), unforeseen);
            tell("BUG", "%s could not be fetched and is tried again: %s".formatted(request.id(), unforeseen));
            return false;
        }
    }

    /// @return whether it came to its end
    private boolean pull() {
        ModelId id = request.id();
        try {
            new Pull(request, hub.endpoint(), hub.token(), hub.patience(), new PullTold(id, waiting)).run();
            trouble = "";
            return true;
        } catch (UserMistake mistake) {
            String code = mistake.problems().getFirst().code();
            if (code.equals(IN_USE)) tell(code, "another pull brings " + id);
            else fail(mistake);
        } catch (SickMachine machine) {
            // An interruption looks like trouble with the hub too.
            if (Thread.currentThread().isInterrupted()) throw new CancellationException("interrupted");
            tell(machine.code(), "%s could not be fetched and is tried again: %s".formatted(id, machine.getMessage()));
        } catch (CancellationException stopped) {
            throw stopped;
        } catch (RuntimeException bug) {
            LOG.error("fetching {} failed in a way that nobody foresaw", id, bug);
            fail(new UserMistake("BUG", id.toString(), "could not be fetched, which is a bug in Nocturne: %s. Fetch it"
                    .formatted(bug) + " by hand: " + id.command() + "."));
        }
        return false;
    }

    /// All that the hub has was fetched, and no model came of it. Once, somebody may have moved files meanwhile.
    private void lacking() {
        if (++fruitless < MOST_FRUITLESS) {
            tell(ModelSearch.INCOMPLETE,
                    request.id() + " was fetched and is not whole all the same; looking once more");
            return;
        }
        fail(new UserMistake(ModelSearch.INCOMPLETE, request.folder().toString(), "is no whole model, although all"
                + " that the hub has of %s was fetched%s. Put a whole one there, or move the folder away to have it"
                        .formatted(request.id(), missing()) + " fetched anew."));
    }

    private String missing() {
        try {
            Set<String> missing = Pipeline.missing(request.folder());
            return missing.isEmpty() ? "" : "; missing: " + String.join(", ", missing.stream().limit(3).toList());
        } catch (IOException unreadable) {
            return "; " + unreadable;
        }
    }

    private void fail(UserMistake mistake) {
        try {
            waiting.failed(mistake);
        } catch (SickMachine unwritable) {
            LOG.warn("{}; nobody can be told yet: {}", mistake.getMessage(), unwritable.getMessage());
        }
    }

    /// Each trouble once, however often it comes back.
    private void tell(String code, String text) {
        if (code.equals(trouble)) LOG.info("{}", text);
        else waiting.tell(text);
        trouble = code;
    }
}
