package nocturne.service.kafka;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntSupplier;
import nocturne.event.Event;
import nocturne.event.EventLog;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.service.kafka.ClaimWriter.Outcome;
import nocturne.service.kafka.PolledRecords.Place;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The bean behind the jobs route. It collects the records of one poll and then decides about all of them at once:
/// which are claimed, which are dead letters, which were there before, and which stay for somebody with a free device.
/// One transaction says so.
///
/// Everything happens on the route's polling thread, between one poll and the next: the group cannot change its mind in
/// between without the transaction being refused.
public final class Claimant {
    private static final Logger LOG = LoggerFactory.getLogger(Claimant.class);
    /// Longer than a transaction that somebody left open can hold up readers.
    private static final Duration CATCHING_UP = Duration.ofSeconds(30);
    private static final long PAUSE_MILLIS = 500;

    private final KafkaConfig config;
    private final String host;
    private final KafkaLink link;
    private final ClaimBook book;
    private final ClaimWriter writer;
    private final Pending pending;
    private final Imports imports;
    private final IntSupplier free;
    private final Consumer<Repeated> onRepeated;
    private final InstantSource clock;
    private final Consumer<String> passing;
    private final List<Polled> polled = new ArrayList<>();

    /// @param place   where it stood
    /// @param key     empty where it has none
    /// @param headers as text
    private record Polled(Place place, String key, byte[] value, Map<String, String> headers) {}

    /// A request that was there before.
    ///
    /// @param origin where this one came from
    /// @param claim  that answers it
    record Repeated(String origin, Claim claim) {}

    /// @param free       how many jobs could start now
    /// @param onRepeated tells of a request that was there before
    /// @param passing    told of the places between the steps
    Claimant(KafkaConfig config, String host, KafkaLink link, ClaimBook book, ClaimWriter writer, Pending pending,
            Imports imports, IntSupplier free, Consumer<Repeated> onRepeated, InstantSource clock,
            Consumer<String> passing) {
        this.config = config;
        this.host = host;
        this.link = link;
        this.book = book;
        this.writer = writer;
        this.pending = pending;
        this.imports = imports;
        this.free = free;
        this.onRepeated = onRepeated;
        this.clock = clock;
        this.passing = passing;
    }

    /// Takes one record; the last one of a poll settles them all. Never throws: what cannot be settled is read again.
    public void take(Exchange exchange) {
        Place place = exchange.getMessage().getHeader(KafkaConstants.MANUAL_COMMIT, Place.class);
        // A route that was stopped in the middle of a poll leaves the first half here; it will be read again.
        if (!polled.isEmpty() && polled.getFirst().place.consumer() != place.consumer()) polled.clear();
        byte[] value = exchange.getMessage().getBody(byte[].class);
        String key = exchange.getMessage().getHeader(KafkaConstants.KEY, String.class);
        polled.add(new Polled(place, key == null ? "" : key, value == null ? new byte[0] : value,
                headers(exchange.getMessage().getHeader(KafkaConstants.HEADERS))));
        if (!Boolean.TRUE.equals(exchange.getMessage().getHeader(KafkaConstants.LAST_POLL_RECORD))) return;
        List<Polled> all = List.copyOf(polled);
        polled.clear();
        try {
            settle(all);
        } catch (SickMachine sick) {
            LOG.warn("no request can be claimed: {}", sick.getMessage());
            giveBack(all);
            pause();
        } catch (RuntimeException bug) {
            LOG.error("claiming requests failed", bug);
            giveBack(all);
            pause();
        }
    }

    private static Map<String, String> headers(Object found) {
        Map<String, String> headers = new HashMap<>();
        if (!(found instanceof Headers all)) return headers;
        for (Header header : all) {
            if (header.value() != null) headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8));
        }
        return headers;
    }

    /// What is to become of the records of one poll.
    private static final class Decision {
        final List<Claim> claims = new ArrayList<>();
        final List<Envelope> requests = new ArrayList<>();
        final List<Repeated> repeated = new ArrayList<>();
        final List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        final Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        final Map<TopicPartition, Long> left = new HashMap<>();
    }

    private void settle(List<Polled> all) {
        int devices = free.getAsInt();
        if (devices <= 0 || !link.catchUp(CATCHING_UP)) {
            giveBack(all);
            pause();
            return;
        }
        Decision decision = decide(all, devices);
        org.apache.kafka.clients.consumer.Consumer<?, ?> consumer = all.getFirst().place.consumer();
        if (!decision.offsets.isEmpty()) {
            Pending.Batch batch = decision.claims.isEmpty() ? null : pending.write(decision.claims, decision.requests);
            passing.accept("claim.pending");
            Outcome outcome = writer.commit(decision.records, decision.offsets, consumer.groupMetadata());
            passing.accept("claim.committed");
            if (outcome == Outcome.REFUSED) {
                if (batch != null) pending.forget(batch);
                giveBack(all);
                pause();
                return;
            }
            if (batch != null) imports.decide(batch);
            if (outcome == Outcome.UNKNOWN) {
                // If it came to nothing, a later commit of these offsets would lose what was asked for. Read again, it
                // is found to be claimed already, or it is claimed now.
                giveBack(all);
                return;
            }
            if (outcome == Outcome.COMMITTED) decision.repeated.forEach(onRepeated);
        }
        decision.left.forEach((partition, offset) -> seek(consumer, partition, offset));
    }

    private Decision decide(List<Polled> all, int devices) {
        Decision decision = new Decision();
        Set<String> seen = new HashSet<>();
        int refused = 0;
        String complaint = "";
        for (Polled record : all) {
            Place place = record.place;
            if (decision.left.containsKey(place.partition())) continue;
            try {
                Envelope request = Envelope.read(record.key, record.value, record.headers,
                        place.partition().partition() + "-" + place.offset(), config.largest());
                Claim claim = Claim.first(request.request(), request.attempt(), host, place.partition().topic(),
                        place.partition().partition(), place.offset());
                Optional<Claim> before = book.find(request.request())
                        .filter(standing -> standing.isLast() || standing.attempt() >= claim.attempt());
                if (before.isPresent() || !seen.add(request.request())) {
                    decision.repeated.add(new Repeated(origin(place), before.orElse(claim)));
                } else if (decision.claims.size() < devices) {
                    decision.claims.add(claim);
                    decision.requests.add(request);
                    decision.records.add(Announcements.record(config, claim));
                } else {
                    decision.left.put(place.partition(), place.offset());
                    continue;
                }
            } catch (UserMistake mistake) {
                refuse(record, mistake, decision);
                if (refused++ == 0) complaint = origin(place) + ": " + mistake.problems().getFirst();
            }
            decision.offsets.put(place.partition(), new OffsetAndMetadata(place.offset() + 1));
        }
        if (refused > 0) LOG.warn("{} requests went to {}; {}", refused, config.deadLetters(), complaint);
        // Behind the last record there may be the marks of a transaction, which nobody should count as waiting.
        decision.offsets.replaceAll((partition, offset) -> decision.left.containsKey(partition) ? offset
                : new OffsetAndMetadata(all.getFirst().place.consumer().position(partition)));
        return decision;
    }

    private void refuse(Polled record, UserMistake mistake, Decision decision) {
        Place place = record.place;
        TopicPartition partition = place.partition();
        decision.records.add(DeadLetters.record(config.deadLetters(), record.key.getBytes(StandardCharsets.UTF_8),
                record.value, DeadLetters.headers(mistake.problems(), partition.topic(), partition.partition(),
                        place.offset())));
        String subject = "%s-%d-%d".formatted(partition.topic(), partition.partition(), place.offset());
        String event = EventLog.lone(new Event.Rejected(record.headers.getOrDefault(Envelope.NAME, record.key),
                mistake.problems()), subject, "/hosts/" + host, clock);
        ProducerRecord<byte[], byte[]> told = new ProducerRecord<>(config.events(),
                subject.getBytes(StandardCharsets.UTF_8), event.getBytes(StandardCharsets.UTF_8));
        told.headers().add("content-type",
                "application/cloudevents+json; charset=UTF-8".getBytes(StandardCharsets.US_ASCII));
        decision.records.add(told);
    }

    private static String origin(Place place) {
        return "kafka:%s/%d@%d".formatted(place.partition().topic(), place.partition().partition(), place.offset());
    }

    /// Reads the same records again at the next poll, or lets another member of the group read them.
    private static void giveBack(List<Polled> all) {
        Map<TopicPartition, Long> first = new HashMap<>();
        for (Polled record : all) first.merge(record.place.partition(), record.place.offset(), Math::min);
        first.forEach((partition, offset) -> seek(all.getFirst().place.consumer(), partition, offset));
    }

    private static void seek(org.apache.kafka.clients.consumer.Consumer<?, ?> consumer, TopicPartition partition,
            long offset) {
        if (consumer.assignment().contains(partition)) consumer.seek(partition, offset);
    }

    /// So that what cannot be done now is not tried a thousand times a second.
    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
    }
}
