package nocturne.service.broker;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/// One real broker for all tests of this JVM, started when the first one asks. Tests keep apart by fresh names of
/// topics and groups; a test that kills its broker starts a [BrokerProcess] of its own.
public final class TestBroker {
    private static final AtomicInteger COUNTER = new AtomicInteger();
    private static final RandomGenerator RANDOM = new SplittableRandom();

    private TestBroker() {}

    private static final class Running {
        static final BrokerProcess BROKER = start();

        private static BrokerProcess start() {
            try {
                BrokerProcess broker = BrokerProcess.start(Files.createTempDirectory("nocturne-broker"), 0);
                Runtime.getRuntime().addShutdownHook(new Thread(broker::close));
                return broker;
            } catch (IOException e) {
                throw new AssertionError("no folder for a broker", e);
            }
        }
    }

    /// Where clients find it.
    public static String bootstrap() {
        return Running.BROKER.bootstrap();
    }

    /// A name that no other test of this JVM has, such as `jobs-3`.
    public static String fresh(String name) {
        return name + "-" + COUNTER.incrementAndGet();
    }

    /// Makes a topic with a fresh name.
    public static String topic(String name, int partitions) {
        String topic = fresh(name);
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap()))) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get();
            return topic;
        } catch (ExecutionException | InterruptedException e) {
            throw new AssertionError("creating topic " + topic, e);
        }
    }

    /// A port that nobody listens on, for a broker that comes back to it. It is below those that Linux gives to whoever
    /// asks for any, so nobody takes it in between.
    public static int port() {
        while (true) {
            int port = 20_000 + RANDOM.nextInt(12_000);
            try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            } catch (IOException taken) {
                // Then another.
            }
        }
    }

    /// A folder for a broker of one's own.
    public static Path folder() {
        try {
            return Files.createTempDirectory("nocturne-broker");
        } catch (IOException e) {
            throw new AssertionError("no folder for a broker", e);
        }
    }
}
