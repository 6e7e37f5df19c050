package nocturne.service.kafka;

import io.micronaut.context.annotation.Requires;
import jakarta.inject.Named;
import jakarta.inject.Singleton;
import org.apache.camel.component.kafka.consumer.CommitManager;
import org.apache.camel.component.kafka.consumer.KafkaManualCommit;
import org.apache.camel.component.kafka.consumer.KafkaManualCommitFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/// Gives the bean behind the jobs route what a claim needs and Camel does not do by itself: the consumer, whose
/// membership goes into the transaction, and where the record stands. A record's own headers cannot forge these.
@Singleton
@Requires(condition = KafkaWanted.class)
@Named("polledRecords")
final class PolledRecords implements KafkaManualCommitFactory {

    /// Where a record came from.
    ///
    /// @param consumer of the thread that the route runs on; to be used on that thread only
    record Place(Consumer<?, ?> consumer, TopicPartition partition, long offset) implements KafkaManualCommit {
        /// Never: an offset is committed with the claim, or not at all.
        @Override
        public void commit() {
            throw new UnsupportedOperationException("offsets are committed with claims");
        }
    }

    @Override
    public KafkaManualCommit newInstance(CamelExchangePayload exchange, KafkaRecordPayload polled,
            CommitManager commits) {
        return new Place(exchange.consumer, polled.partition, polled.recordOffset);
    }
}
