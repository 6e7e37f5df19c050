package nocturne.service.inbox;

import io.micronaut.context.annotation.Factory;
import io.micronaut.context.annotation.Prototype;
import jakarta.inject.Named;
import jakarta.inject.Singleton;
import java.io.File;
import nocturne.job.Ledger;
import nocturne.service.ServiceConfig;
import org.apache.camel.component.file.GenericFileFilter;

/// The inbox's parts, put together; routes know them by name.
@Factory
final class InboxBeans {
    /// @param ledger proves that the work folder is ours alone
    @Singleton
    Claims claims(ServiceConfig config, Ledger ledger) {
        String name = OwnName.in(ledger.work().root().resolve("inbox-name"), config.host());
        return new Claims(config.inbox(), name, new Names());
    }

    /// `filter: "#inboxWhole"`. Not a singleton: each route looks with its own eyes, on its own thread.
    @Prototype
    @Named("inboxWhole")
    GenericFileFilter<File> whole(ServiceConfig config, InboxConfig inbox, Patience patience) {
        WholeFiles files = new WholeFiles(config.inbox(), config.settle(), inbox.uploadTimeout(),
                inbox.inboxDoneFiles(), System::nanoTime);
        return file -> !file.isDirectory() && patience.isOver() && files.isWhole(file.getFileNameOnly());
    }

    /// `filter: "#inboxOwnCommands"`: of several services on one inbox, the one that has the job carries out what is
    /// wished about it.
    @Prototype
    @Named("inboxOwnCommands")
    GenericFileFilter<File> ownCommands(ServiceConfig config, InboxConfig inbox, Ledger ledger) {
        WholeFiles files = new WholeFiles(config.inbox(), config.settle(), inbox.uploadTimeout(), false,
                System::nanoTime);
        OwnCommands own = new OwnCommands(config.inbox(), id -> ledger.job(id).isPresent(), System::nanoTime);
        return file -> !file.isDirectory() && files.isWhole(file.getFileNameOnly())
                && own.isOurs(file.getFileNameOnly());
    }
}
