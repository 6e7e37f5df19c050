package nocturne.service.publish;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;

/// Tells Kafka, by way of the route that begins at `direct:events`. The value of a record is the line, its key the job.
final class KafkaTarget implements Target {
    static final String ROUTE = "direct:events";
    static final String CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8";

    private final ProducerTemplate route;
    private final Attachments attachments;
    private final String brokers;

    /// @param brokers for the log
    KafkaTarget(ProducerTemplate route, Attachments attachments, String brokers) {
        this.route = route;
        this.attachments = attachments;
        this.brokers = brokers;
    }

    @Override
    public String name() {
        return "kafka";
    }

    @Override
    public String description() {
        return "Kafka at " + brokers;
    }

    @Override
    public void tell(Journal journal, Journal.Line line) throws Away, NotTaken, InterruptedException {
        Optional<Attachments.Attachment> attachment = attachments.of(journal, line.line());
        Throwable failure = send(journal, line, attachment.orElse(null));
        if (failure instanceof RecordTooLargeException && attachment.isPresent()) failure = send(journal, line, null);
        switch (failure) {
            case null -> { }
            case InterruptedException interrupted -> throw interrupted;
            case InterruptException _ -> throw new InterruptedException();
            case RecordTooLargeException e -> throw new NotTaken(reason(e), e);
            case SerializationException e -> throw new NotTaken(reason(e), e);
            case InvalidRecordException e -> throw new NotTaken(reason(e), e);
            default -> throw new Away(reason(failure), failure);
        }
    }

    private @Nullable Throwable send(Journal journal, Journal.Line line, Attachments.@Nullable Attachment attachment) {
        Exchange answer = route.send(ROUTE, exchange -> {
            Message message = exchange.getMessage();
            message.setBody(line.line().text().getBytes(StandardCharsets.UTF_8));
            message.setHeader(KafkaConstants.KEY, journal.subject());
            message.setHeader("content-type", CONTENT_TYPE.getBytes(StandardCharsets.US_ASCII));
            if (attachment != null) {
                message.setHeader("attachment", attachment.bytes());
                message.setHeader("attachment-content-type",
                        attachment.contentType().getBytes(StandardCharsets.US_ASCII));
            }
        });
        return innermost(answer.getException());
    }

    private static @Nullable Throwable innermost(@Nullable Throwable failure) {
        Throwable found = failure;
        while (found != null && found.getCause() != null) found = found.getCause();
        return found;
    }

    private static String reason(Throwable failure) {
        return failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    }
}
