package nocturne.service.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// A real Kafka whose answer to the first commit gets lost: whoever asked for it cannot know what became of it.
final class LostAnswer extends KafkaSettings {
    private final boolean cameTrue;
    private final AtomicBoolean isLost = new AtomicBoolean();

    /// @param cameTrue whether that commit happened
    LostAnswer(KafkaConfig config, boolean cameTrue) {
        super(config, Map.of());
        this.cameTrue = cameTrue;
    }

    /// Whether it has been lost by now.
    boolean isLost() {
        return isLost.get();
    }

    @Override
    Producer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> settings = new HashMap<>(common());
        settings.putAll(more);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer()) {
            @Override
            public void commitTransaction() {
                boolean isFirst = isLost.compareAndSet(false, true);
                if (!isFirst || cameTrue) super.commitTransaction();
                else abortTransaction();
                if (isFirst) throw new TimeoutException("the answer is lost");
            }
        };
    }
}
