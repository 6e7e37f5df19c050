package nocturne.service.inbox;

import jakarta.inject.Named;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.service.Incoming;
import nocturne.service.Intake;
import nocturne.service.Intake.Verdict;
import org.apache.camel.Exchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes what the inbox's routes have claimed: `ref: inbox` in a route. What is decided here, [InboxClaim] carries out
/// on the file.
@Singleton
@Named("inbox")
final class Inbox {
    private static final Logger LOG = LoggerFactory.getLogger(Inbox.class);
    private static final String ZIP = ".zip";
    private static final String REQUEST = ".job.json";

    private final Intake intake;
    private final InboxRequests requests;
    private final InboxCommands commands;
    private final Patience patience;

    Inbox(Intake intake, InboxRequests requests, InboxCommands commands, Patience patience) {
        this.intake = intake;
        this.requests = requests;
        this.commands = commands;
        this.patience = patience;
    }

    /// Makes the claimed zip or folder a job, or refuses it.
    public void importBundle(Exchange exchange) {
        decide(exchange, bundle(claimed(exchange)));
    }

    /// Fetches the bundle that the claimed `*.job.json` names, and makes it a job, or refuses it.
    public void importRequest(Exchange exchange) {
        decide(exchange, request(claimed(exchange)));
    }

    /// Answers a bundle or a request that had been claimed when this service stopped, perhaps after it became a job,
    /// which only our ledger knows.
    Outcome again(Path claimed) {
        return claimed.getFileName().toString().endsWith(REQUEST) ? request(claimed) : bundle(claimed);
    }

    private Outcome bundle(Path claimed) {
        Incoming bundle = incoming(claimed, ZIP);
        return answered(bundle, () -> taken(bundle, claimed.getFileName().toString()));
    }

    private Outcome request(Path claimed) {
        Incoming request = incoming(claimed, REQUEST);
        return answered(request, () -> requests.take(request));
    }

    /// Carries out what the claimed `*.command.json` wishes.
    public void runCommand(Exchange exchange) {
        Path claimed = claimed(exchange);
        try {
            decide(exchange, commands.run(claimed) ? Outcome.TAKEN : Outcome.REFUSED);
        } catch (IOException | RuntimeException bug) {
            LOG.error("the command {} failed in a way that nobody foresaw", claimed.getFileName(), bug);
            decide(exchange, Outcome.REFUSED);
        }
    }

    private Outcome answered(Incoming bundle, Callable<Verdict> answer) {
        try {
            Verdict verdict = answer.call();
            if (patience.worked()) LOG.info("taking from the inbox again");
            return switch (verdict) {
                case Verdict.Accepted _, Verdict.Duplicate _ -> Outcome.TAKEN;
                case Verdict.Refused _ -> Outcome.REFUSED;
            };
        } catch (SickMachine machine) {
            LOG.warn("{} cannot be taken now, next try in {} s: {}", bundle.origin(), patience.failed().toSeconds(),
                    machine.getMessage());
            return Outcome.LATER;
        } catch (NoSuchFileException gone) {
            return Outcome.LATER;
        } catch (Exception bug) {
            // One bundle that nobody foresaw must neither be lost nor be tried for ever.
            LOG.error("taking {} failed in a way that nobody foresaw", bundle.origin(), bug);
            intake.refuse(bundle, List.of(new Problem("BUG", bundle.origin(), "this is a bug in Nocturne: " + bug)));
            return Outcome.REFUSED;
        }
    }

    /// Looks again, under the name that nobody else knows: what lay in the inbox may have been swapped since.
    private Verdict taken(Incoming bundle, String file) throws IOException {
        DroppedFile found = DroppedFile.at(bundle.source()).orElseThrow(() -> new NoSuchFileException(file));
        return switch (found.kind()) {
            case PLAIN -> WholeFiles.isUnfinished(found) ? intake.refuse(bundle, List.of(new Problem(
                    "UPLOAD_INCOMPLETE", file,
                    "upload incomplete: the zip's beginning or its end never came. Copy it again")))
                    : intake.take(bundle);
            case FOLDER -> intake.take(bundle);
            case LINK, SECOND_NAME, SPECIAL -> intake.refuse(bundle, List.of(new Problem("NOT_A_FILE", file,
                    "is a link or no file; drop the file itself")));
        };
    }

    private static Incoming incoming(Path claimed, String ending) {
        String file = claimed.getFileName().toString();
        boolean ends = file.length() > ending.length()
                && file.regionMatches(true, file.length() - ending.length(), ending, 0, ending.length());
        return Incoming.dropped(claimed, ends ? file.substring(0, file.length() - ending.length()) : file,
                "inbox:" + file, Claims.nameOf(claimed));
    }

    private static Path claimed(Exchange exchange) {
        return exchange.getProperty(InboxClaim.CLAIMED, Path.class);
    }

    private static void decide(Exchange exchange, Outcome outcome) {
        exchange.setProperty(Outcome.PROPERTY, outcome);
    }
}
