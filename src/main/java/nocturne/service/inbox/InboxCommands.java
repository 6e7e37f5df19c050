package nocturne.service.inbox;

import io.micronaut.context.BeanProvider;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Path;
import nocturne.event.Event;
import nocturne.problem.UserMistake;
import nocturne.service.CommandDesk;
import nocturne.service.HostJournal;
import nocturne.service.message.CommandMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Wishes about jobs, as files.
@Singleton
final class InboxCommands {
    private static final Logger LOG = LoggerFactory.getLogger(InboxCommands.class);

    private final BeanProvider<CommandDesk> desk;
    private final HostJournal host;

    InboxCommands(BeanProvider<CommandDesk> desk, HostJournal host) {
        this.desk = desk;
        this.host = host;
    }

    /// @return false if the file is no command; that has been said
    boolean run(Path claimed) throws IOException {
        String file = claimed.getFileName().toString();
        try {
            desk.get().run(CommandMessage.parse(SmallFile.read(claimed)), "inbox:" + file);
            return true;
        } catch (UserMistake mistake) {
            LOG.warn("inbox:{} {}", file, mistake.report());
            host.record(new Event.NoticeGiven("COMMAND_INVALID", "inbox:" + file + ": " + mistake.report()));
            return false;
        }
    }
}
