package nocturne.desk;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/// How much is logged by a command that talks to a person itself. Each holds for the rest of this process.
public final class Logs {
    private Logs() {}

    /// Keeps Kafka's client from talking on its own: what it has to say, the command says.
    public static void withoutKafka() {
        level("org.apache.kafka", Level.OFF);
    }

    /// Keeps a service in this process from telling what the command tells.
    public static void warningsOnly() {
        withoutKafka();
        level("nocturne", Level.WARN);
    }

    private static void level(String name, Level level) {
        if (LoggerFactory.getLogger(name) instanceof Logger logger) logger.setLevel(level);
    }
}
