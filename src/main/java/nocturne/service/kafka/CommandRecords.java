package nocturne.service.kafka;

import io.micronaut.context.annotation.Requires;
import jakarta.inject.Named;
import jakarta.inject.Singleton;
import java.time.Instant;
import java.time.InstantSource;
import nocturne.event.Event;
import nocturne.problem.UserMistake;
import nocturne.service.CommandDesk;
import nocturne.service.HostJournal;
import nocturne.service.message.CommandMessage;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The bean behind the commands route.
@Singleton
@Requires(condition = KafkaWanted.class)
@Named("commandRecords")
public final class CommandRecords {
    private static final Logger LOG = LoggerFactory.getLogger(CommandRecords.class);

    private final CommandDesk desk;
    private final HostJournal journal;
    private final Instant started;

    CommandRecords(CommandDesk desk, HostJournal journal, InstantSource clock) {
        this.desk = desk;
        this.journal = journal;
        this.started = clock.instant();
    }

    /// Carries out one command. One that cannot be understood is told of and passed by.
    public void take(Exchange exchange) {
        String origin = "kafka:%s/%s@%s".formatted(exchange.getMessage().getHeader(KafkaConstants.TOPIC),
                exchange.getMessage().getHeader(KafkaConstants.PARTITION),
                exchange.getMessage().getHeader(KafkaConstants.OFFSET));
        byte[] value = exchange.getMessage().getBody(byte[].class);
        try {
            CommandDesk.Command command = CommandMessage.parse(value == null ? new byte[0] : value);
            if (command instanceof CommandDesk.Command.Drain && isFromBefore(exchange)) {
                LOG.info("{}: the wish to drain is older than this service and is passed by", origin);
                return;
            }
            desk.run(command, origin);
        } catch (UserMistake mistake) {
            LOG.warn("{}: {}", origin, mistake.getMessage());
            journal.record(new Event.Rejected(origin, mistake.problems()));
        }
    }

    /// A host that was down when all were told to drain must not leave as soon as it is back.
    private boolean isFromBefore(Exchange exchange) {
        Long sent = exchange.getMessage().getHeader(KafkaConstants.TIMESTAMP, Long.class);
        return sent != null && Instant.ofEpochMilli(sent).isBefore(started.minusSeconds(60));
    }
}
