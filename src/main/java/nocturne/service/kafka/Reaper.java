package nocturne.service.kafka;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Header;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Sends a request round again whose host has been silent for too long. Several hosts may do so at once; the claims
/// topic lets one of them have the next turn.
///
/// Silence is counted only while this host could have heard something: after a time without Kafka, or in which this
/// process stood still, everybody is waited for anew.
final class Reaper {
    private static final Logger LOG = LoggerFactory.getLogger(Reaper.class);
    private static final Duration CATCHING_UP = Duration.ofSeconds(5);
    private static final long SENDING_SECONDS = 20;

    private final KafkaSettings settings;
    private final KafkaLink link;
    private final ClaimBook book;
    private final Requests requests;
    private final Announcements announcements;
    private final Predicate<Claim> isAlive;
    private final LongSupplier nanos;
    private final Duration deafness;
    private final Map<String, Sent> sent = new HashMap<>();
    private long heardNanos;

    private record Sent(int attempt, long nanos) {}

    /// @param isAlive whether a claim is this host's own and its job well
    /// @param nanos   a clock that only goes forward
    /// @param every   how often [#reap] is called
    Reaper(KafkaSettings settings, KafkaLink link, ClaimBook book, Announcements announcements,
            Predicate<Claim> isAlive,
            LongSupplier nanos, Duration every) {
        this.settings = settings;
        this.link = link;
        this.book = book;
        this.requests = new Requests(settings);
        this.announcements = announcements;
        this.isAlive = isAlive;
        this.nanos = nanos;
        Duration usual = every.multipliedBy(2).plus(CATCHING_UP.multipliedBy(2));
        Duration half = settings.config().lease().dividedBy(2);
        this.deafness = usual.compareTo(half) < 0 ? usual : half;
        this.heardNanos = nanos.getAsLong();
    }

    void reap() {
        if (!link.isUp() || !link.catchUp(CATCHING_UP)) return;
        long now = nanos.getAsLong();
        boolean wasDeaf = now - heardNanos > deafness.toNanos();
        heardNanos = now;
        if (wasDeaf) {
            book.waitAnew();
            return;
        }
        Duration lease = settings.config().lease();
        sent.values().removeIf(before -> now - before.nanos >= lease.toNanos());
        for (Claim silent : book.silentFor(lease)) {
            Sent before = sent.get(silent.request());
            if (isAlive.test(silent) || before != null && before.attempt == silent.attempt() + 1) continue;
            sendRound(silent);
            sent.put(silent.request(), new Sent(silent.attempt() + 1, now));
        }
    }

    private void sendRound(Claim silent) {
        try {
            Optional<ConsumerRecord<byte[], byte[]>> found = requests.read(silent);
            if (found.isEmpty()) {
                LOG.warn("request {}: {} has been silent for {}, and Kafka has forgotten what was asked for;"
                        + " send it again",
                        silent.request(), silent.host(), settings.config().lease());
                return;
            }
            LOG.info("request {}: {} has been silent for {}; asking for attempt {}", silent.request(), silent.host(),
                    settings.config().lease(), silent.attempt() + 1);
            announcements.send(again(found.get(), silent)).get(SENDING_SECONDS, TimeUnit.SECONDS);
        } catch (KafkaException | ExecutionException | TimeoutException away) {
            LOG.debug("request {} not sent round", silent.request(), away);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    private ProducerRecord<byte[], byte[]> again(ConsumerRecord<byte[], byte[]> request, Claim silent) {
        byte[] key = request.key() == null ? silent.request().getBytes(StandardCharsets.UTF_8) : request.key();
        ProducerRecord<byte[], byte[]> again = new ProducerRecord<>(settings.config().jobs(), key, request.value());
        Header name = request.headers().lastHeader(Envelope.NAME);
        if (name != null) again.headers().add(name);
        again.headers().add(Envelope.REQUEST, silent.request().getBytes(StandardCharsets.UTF_8));
        again.headers().add(Envelope.ATTEMPT,
                String.valueOf(silent.attempt() + 1).getBytes(StandardCharsets.UTF_8));
        return again;
    }
}
