package nocturne.service.inbox;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import nocturne.io.AtomicFiles;
import nocturne.service.Part;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says that this service lives, and puts back into the inbox what had been claimed by one that does not.
///
/// Its own claims from before a restart go back at once, before any door is open: importing is idempotent by content,
/// so what was imported just before the end comes again and is answered with the job that it became. Other services
/// get a minute to do the same for themselves.
@Singleton
final class Keeper implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(Keeper.class);
    static final Duration BEAT = Duration.ofSeconds(5);
    /// How long another service may be silent before what it had claimed is put back for everybody.
    static final Duration SILENCE = Duration.ofMinutes(1);

    private final Claims claims;
    private final LongSupplier nanos;
    private final Map<Path, Heard> heard = new HashMap<>();
    private final Set<Path> forgottenBefore = new HashSet<>();
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("inbox-keeper").factory());
    private long beats;

    /// @param beat  the last one seen
    /// @param since when it was first seen, by our own clock
    private record Heard(String beat, long since) {}

    @Inject
    Keeper(Claims claims) {
        this(claims, System::nanoTime);
    }

    Keeper(Claims claims, LongSupplier nanos) {
        this.claims = claims;
        this.nanos = nanos;
    }

    @Override
    public int getOrder() {
        return OPENING - 1;
    }

    @Override
    public void start() {
        try {
            // Whoever claimed these held the same work folder, and it is ours now.
            for (Path place : claims.forgotten()) rescue(place);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, claims.own());
        }
        look();
        var _ = timer.scheduleWithFixedDelay(this::look, BEAT.toMillis(), BEAT.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        timer.shutdownNow();
        try {
            Files.deleteIfExists(claims.own().resolve(Claims.ALIVE));
            Files.deleteIfExists(claims.own());
        } catch (IOException notEmpty) {
            // Something is still there; the next start finds it.
        }
    }

    /// One round: beat, and look after the others.
    void look() {
        try {
            Files.writeString(claims.own().resolve(Claims.ALIVE), Long.toString(++beats));
            for (Path place : claims.forgotten()) {
                // At the second sight: at the first one its claim may just be ending.
                if (!forgottenBefore.add(place)) rescue(place);
            }
            for (Path service : claims.services()) {
                if (!service.equals(claims.own()) && isGone(service)) clear(service);
            }
        } catch (IOException | RuntimeException e) {
            // The share may be away; the next round tries again.
            LOG.warn("looking after the claimed files: {}", e.toString());
        }
    }

    private boolean isGone(Path folder) {
        String beat = beat(folder);
        Heard last = heard.get(folder);
        if (last == null || !last.beat().equals(beat)) {
            heard.put(folder, new Heard(beat, nanos.getAsLong()));
            return false;
        }
        return nanos.getAsLong() - last.since() > SILENCE.toNanos();
    }

    private static String beat(Path folder) {
        try {
            return Files.readString(folder.resolve(Claims.ALIVE));
        } catch (IOException unreadable) {
            return "";
        }
    }

    private void clear(Path service) throws IOException {
        for (Path place : Claims.list(service)) {
            if (place.getFileName().toString().equals(Claims.ALIVE)) continue;
            rescue(place);
        }
        Files.deleteIfExists(service.resolve(Claims.ALIVE));
        Files.deleteIfExists(service);
        heard.remove(service);
    }

    private void rescue(Path place) throws IOException {
        int count = claims.rescue(place);
        forgottenBefore.remove(place);
        if (count > 0) LOG.info("put back into the inbox what a stopped service had claimed: {}", place);
    }
}
