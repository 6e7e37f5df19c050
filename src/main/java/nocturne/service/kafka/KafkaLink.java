package nocturne.service.kafka;

import io.micronaut.context.annotation.Requires;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import nocturne.service.Causes;
import nocturne.service.Part;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whether Kafka is there. It may be away at any time and for any time: it is asked every few seconds, and one line is
/// logged when it goes and one when it comes. The first time it answers, missing topics are made.
@Singleton
@Requires(condition = KafkaWanted.class)
public final class KafkaLink implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaLink.class);
    private static final Duration EVERY = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofSeconds(5);
    private static final int ENOUGH_FAILURES = 2;
    private static final long AGAIN_MILLIS = 200;
    private static final int BEFORE_PUBLISHING = PUBLISHING - 20;

    private final KafkaSettings settings;
    private final Topics topics;
    private final ClaimTail tail;
    private final Duration every;
    private final long answerMillis;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService watch =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("kafka-link").factory());
    private @Nullable Admin admin;
    private volatile boolean up;
    private int failures;
    private boolean saidLost;
    private boolean hasTopics;
    private volatile long lag = -1;

    @Inject
    KafkaLink(KafkaSettings settings, ClaimBook book) {
        this(settings, book, EVERY, ANSWER);
    }

    /// @param every  how long to wait between two questions
    /// @param answer how long an answer may take
    KafkaLink(KafkaSettings settings, ClaimBook book, Duration every, Duration answer) {
        this.settings = settings;
        this.every = every;
        this.answerMillis = answer.toMillis();
        this.topics = new Topics(settings.config());
        this.tail = new ClaimTail(settings, book);
    }

    @Override
    public int getOrder() {
        return BEFORE_PUBLISHING;
    }

    @Override
    public void start() {
        if (!settings.isOn()) return;
        tail.start();
        var _ = watch.scheduleWithFixedDelay(this::look, 0, every.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        watch.shutdownNow();
        tail.close();
        synchronized (this) {
            if (admin != null) admin.close(Duration.ofSeconds(1));
        }
    }

    /// Whether it answered when it was last asked.
    public boolean isUp() {
        return up;
    }

    /// Requests that nobody has taken yet; -1 while it is not known.
    public long lag() {
        return lag;
    }

    /// Called, on the watching thread, when Kafka came or went.
    public void onChange(Runnable listener) {
        listeners.add(listener);
    }

    private void look() {
        boolean before = up;
        try {
            admin().describeCluster().nodes().get(answerMillis, TimeUnit.MILLISECONDS);
            if (!hasTopics) createTopics();
            if (saidLost) LOG.info("Kafka at {} is back", settings.config().brokers());
            saidLost = false;
            failures = 0;
            up = true;
            lag = countLag();
        } catch (ExecutionException | TimeoutException | KafkaException gone) {
            // One late answer is not the end.
            if (++failures >= ENOUGH_FAILURES || !up) {
                up = false;
                lag = -1;
                sayLost(gone);
            }
        } catch (InterruptedException stop) {
            return;
        } catch (RuntimeException bug) {
            LOG.error("watching Kafka failed", bug);
        }
        if (before != up) listeners.forEach(Runnable::run);
    }

    private void sayLost(Exception cause) {
        if (saidLost) return;
        saidLost = true;
        Throwable reason = Causes.innermost(cause);
        LOG.warn("Kafka at {} cannot be reached ({}). Jobs go on; no requests are taken, and what there is to tell is"
                + " told when it is back.", settings.config().brokers(),
                reason.getMessage() == null ? reason.getClass().getSimpleName() : reason.getMessage());
    }

    private void createTopics() throws ExecutionException, InterruptedException, TimeoutException {
        topics.create(admin()).forEach(LOG::warn);
        hasTopics = true;
    }

    /// Waits until this host knows of every claim made so far.
    ///
    /// @return false if that did not happen in time, mostly because Kafka is away
    boolean catchUp(Duration patience) {
        if (!settings.isOn()) return false;
        long deadline = System.nanoTime() + patience.toNanos();
        try {
            while (true) {
                Duration left = Duration.ofNanos(deadline - System.nanoTime());
                if (!left.isPositive()) return false;
                try {
                    Map<TopicPartition, Long> ends = ends(settings.config().claims(), left);
                    return tail.awaitRead(ends, Duration.ofNanos(deadline - System.nanoTime()));
                } catch (ExecutionException | TimeoutException | KafkaException away) {
                    Thread.sleep(AGAIN_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private long countLag() throws ExecutionException, InterruptedException, TimeoutException {
        Duration patience = Duration.ofMillis(answerMillis);
        Map<TopicPartition, Long> ends = ends(settings.config().jobs(), patience);
        Map<TopicPartition, OffsetAndMetadata> taken = admin().listConsumerGroupOffsets(settings.config().group())
                .partitionsToOffsetAndMetadata().get(answerMillis, TimeUnit.MILLISECONDS);
        Map<TopicPartition, OffsetSpec> untouched = ends.keySet().stream().filter(partition ->
                taken.get(partition) == null)
                .collect(Collectors.toMap(partition -> partition, partition -> OffsetSpec.earliest()));
        Map<TopicPartition, ListOffsetsResultInfo> beginnings = untouched.isEmpty() ? Map.of()
                : admin().listOffsets(untouched).all().get(answerMillis, TimeUnit.MILLISECONDS);
        long sum = 0;
        for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
            OffsetAndMetadata offset = taken.get(end.getKey());
            long from = offset != null ? offset.offset()
                    : Optional.ofNullable(beginnings.get(end.getKey())).map(ListOffsetsResultInfo::offset).orElse(0L);
            sum += Math.max(0, end.getValue() - from);
        }
        return sum;
    }

    /// Where a topic ends, by partition; empty if it does not exist.
    private Map<TopicPartition, Long> ends(String topic, Duration patience)
            throws ExecutionException, InterruptedException, TimeoutException {
        long millis = Math.max(1, patience.toMillis());
        TopicDescription description = admin().describeTopics(List.of(topic)).allTopicNames()
                .get(millis, TimeUnit.MILLISECONDS).get(topic);
        if (description == null) return Map.of();
        Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
        description.partitions().forEach(partition ->
                wanted.put(new TopicPartition(topic, partition.partition()), OffsetSpec.latest()));
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin().listOffsets(wanted).all().get(millis, TimeUnit.MILLISECONDS)
                .forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    private synchronized Admin admin() {
        if (admin == null) admin = settings.admin();
        return admin;
    }
}
