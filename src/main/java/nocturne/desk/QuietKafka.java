package nocturne.desk;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/// Keeps Kafka's client from talking on its own: what it has to say to a person, the command says.
public final class QuietKafka {
    private QuietKafka() {}

    /// For the rest of this process.
    public static void please() {
        if (LoggerFactory.getLogger("org.apache.kafka") instanceof Logger kafka) kafka.setLevel(Level.OFF);
    }
}
