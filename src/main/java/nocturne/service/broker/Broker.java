package nocturne.service.broker;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/// What runs in the broker's process: one node that is broker and controller. [BrokerProcess] starts it.
///
/// It writes one line to standard output, `ready <host>:<port>`, when it answers, and stops when its standard input
/// ends, which the operating system sees to when the parent is gone.
public final class Broker {
    static final String READY = "ready ";
    /// A clean stop takes less than one second; what takes this long will not come to an end.
    private static final long PATIENCE_MILLIS = 10_000;

    private Broker() {}

    /// @param arguments the folder for the data, the port for clients, the port for the controller
    public static void main(String[] arguments) throws Exception {
        String data = Path.of(arguments[0]).toAbsolutePath().toString();
        String address = "127.0.0.1:" + arguments[1];
        KafkaConfig config = new KafkaConfig(settings(data, address, "127.0.0.1:" + arguments[2]), false);
        format(data);
        KafkaRaftServer server = new KafkaRaftServer(config, Time.SYSTEM);
        // Read from the first moment on: a parent that dies while we start must take us along, too.
        Thread.ofPlatform().daemon().name("parent").start(() -> {
            awaitEndOfInput();
            Thread.ofPlatform().daemon().name("last-resort").start(Broker::endAnyway);
            server.shutdown();
            Exit.halt(0);
        });
        server.startup();
        System.out.println(READY + address);
        server.awaitShutdown();
    }

    private static void awaitEndOfInput() {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException gone) {
            // The same as its end.
        }
    }

    private static void endAnyway() {
        try {
            Thread.sleep(PATIENCE_MILLIS);
        } catch (InterruptedException impatient) {
            // Then now.
        }
        Exit.halt(1);
    }

    private static void format(String data) throws Exception {
        if (Files.exists(Path.of(data, "meta.properties"))) return;
        new Formatter()
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream()))
                .setNodeId(1)
                .setClusterId(Uuid.randomUuid().toString())
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setControllerListenerName("CONTROLLER")
                .setMetadataLogDirectory(data)
                .addDirectory(data)
                .setIgnoreFormatted(true)
                .setUnstableFeatureVersionsEnabled(false)
                .run();
    }

    private static Map<String, String> settings(String data, String address, String controller) {
        Map<String, String> settings = new TreeMap<>();
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", "1");
        settings.put("controller.quorum.voters", "1@" + controller);
        settings.put("listeners", "PLAINTEXT://" + address + ",CONTROLLER://" + controller);
        settings.put("advertised.listeners", "PLAINTEXT://" + address);
        settings.put("controller.listener.names", "CONTROLLER");
        settings.put("log.dirs", data);
        // There is no second broker to copy anything to.
        for (String topic : new String[] {"offsets.topic", "transaction.state.log", "share.coordinator.state.topic"}) {
            settings.put(topic + ".replication.factor", "1");
            settings.put(topic + ".num.partitions", "1");
        }
        settings.put("transaction.state.log.min.isr", "1");
        settings.put("share.coordinator.state.topic.min.isr", "1");
        settings.put("group.initial.rebalance.delay.ms", "0");
        // After a kill the broker may come back only when the controller has given the old one up: 4 s instead of 15.
        settings.put("broker.session.timeout.ms", "3000");
        settings.put("broker.heartbeat.interval.ms", "500");
        // Clients that are killed in tests should be missed soon.
        settings.put("group.min.session.timeout.ms", "1000");
        settings.put("group.consumer.min.session.timeout.ms", "1000");
        settings.put("group.consumer.min.heartbeat.interval.ms", "200");
        // So should transactions that such clients leave open: others who read only what is committed wait for them.
        settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");
        // A bundle may be the message.
        settings.put("message.max.bytes", String.valueOf(64 << 20));
        // Half of what these take by default would not fit into a small heap.
        settings.put("log.cleaner.dedupe.buffer.size", String.valueOf(4 << 20));
        settings.put("num.network.threads", "2");
        settings.put("num.io.threads", "4");
        return settings;
    }
}
