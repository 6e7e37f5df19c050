package nocturne.service.inbox;

import jakarta.inject.Named;
import jakarta.inject.Singleton;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import nocturne.io.CrashPoint;
import org.apache.camel.Exchange;
import org.apache.camel.component.file.GenericFile;
import org.apache.camel.component.file.GenericFileEndpoint;
import org.apache.camel.component.file.GenericFileOperations;
import org.apache.camel.component.file.GenericFileProcessStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a route over the inbox does with a file before and after its steps: claims it by a rename, and puts it where
/// the [Outcome] says. `processStrategy: "#inboxClaim"`.
@Singleton
@Named("inboxClaim")
final class InboxClaim implements GenericFileProcessStrategy<File> {
    /// The exchange property with the claimed file's path.
    static final String CLAIMED = "nocturne.claimed";
    private static final Logger LOG = LoggerFactory.getLogger(InboxClaim.class);

    private final Claims claims;

    InboxClaim(Claims claims) {
        this.claims = claims;
    }

    @Override
    public void prepareOnStartup(GenericFileOperations<File> operations, GenericFileEndpoint<File> endpoint) {
        // The keeper has put the inbox in order before this.
    }

    @Override
    public boolean begin(GenericFileOperations<File> operations, GenericFileEndpoint<File> endpoint,
            Exchange exchange, GenericFile<File> file) throws IOException {
        String name = file.getFileNameOnly();
        // A marker stands for the folder beside it.
        String wanted = WholeFiles.isMarker(name) ? WholeFiles.withoutDone(name) : name;
        Optional<Path> claimed = claims.claim(wanted);
        if (claimed.isEmpty()) return false;
        exchange.setProperty(CLAIMED, claimed.get());
        return true;
    }

    @Override
    public void abort(GenericFileOperations<File> operations, GenericFileEndpoint<File> endpoint, Exchange exchange,
            GenericFile<File> file) {
        // Somebody else has it.
    }

    @Override
    public void commit(GenericFileOperations<File> operations, GenericFileEndpoint<File> endpoint, Exchange exchange,
            GenericFile<File> file) throws IOException {
        CrashPoint.at("inbox.answered");
        claims.settle(exchange.getProperty(CLAIMED, Path.class),
                Objects.requireNonNullElse(exchange.getProperty(Outcome.PROPERTY, Outcome.class), Outcome.LATER));
    }

    /// The steps failed in a way that nobody foresaw: the user's file must not be lost over that, nor tried for ever.
    @Override
    public void rollback(GenericFileOperations<File> operations, GenericFileEndpoint<File> endpoint,
            Exchange exchange, GenericFile<File> file) throws IOException {
        Path claimed = exchange.getProperty(CLAIMED, Path.class);
        if (claimed == null) return;
        Path kept = claims.reject(claimed);
        LOG.error("{} is kept as {}", file.getFileNameOnly(), kept, exchange.getException());
    }
}
