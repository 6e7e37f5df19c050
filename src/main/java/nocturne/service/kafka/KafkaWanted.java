package nocturne.service.kafka;

import io.micronaut.context.condition.Condition;
import io.micronaut.context.condition.ConditionContext;

/// Whether somebody has said where Kafka is. Without that, nothing of this package is made.
final class KafkaWanted implements Condition {
    @Override
    @SuppressWarnings("rawtypes")
    public boolean matches(ConditionContext context) {
        return !context.getProperty("nocturne.kafka.brokers", String.class).orElse("").isBlank();
    }
}
