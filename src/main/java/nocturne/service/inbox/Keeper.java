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
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
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
/// Its own claims from before a restart are answered by itself, not put back: what became a job just before the end is
/// known to its ledger alone, and another service on the same inbox would make a second job of it. Other services get a
/// minute to do the same for themselves. A claim whose answer could not be carried out, such as with a full disk, is
/// taken up in the same way while the service runs: what is answered is not answered anew, only put where it belongs.
@Singleton
final class Keeper implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(Keeper.class);
    private static final String COMMAND = ".command.json";
    static final Duration BEAT = Duration.ofSeconds(5);
    /// How long another service may be silent before what it had claimed is put back for everybody.
    static final Duration SILENCE = Duration.ofMinutes(1);

    private final Claims claims;
    private final Answers answers;
    private final LongSupplier nanos;
    private final Map<Path, Heard> heard = new HashMap<>();
    private final Set<Path> forgottenBefore = new HashSet<>();
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("inbox-keeper").factory());
    private final ExecutorService unfinished =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("inbox-unfinished").factory());
    private long beats;

    /// What is to become of a claimed bundle or request.
    interface Answers {
        Outcome of(Path claimed);
    }

    /// @param beat  the last one seen
    /// @param since when it was first seen, by our own clock
    private record Heard(String beat, long since) {}

    @Inject
    Keeper(Claims claims, Inbox inbox) {
        this(claims, inbox::again, System::nanoTime);
    }

    Keeper(Claims claims, Answers answers, LongSupplier nanos) {
        this.claims = claims;
        this.answers = answers;
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
            for (Path place : claims.forgotten()) takeUp(place);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, claims.own());
        }
        look();
        var _ = timer.scheduleWithFixedDelay(this::look, BEAT.toMillis(), BEAT.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void stop() {
        timer.shutdownNow();
        unfinished.shutdownNow();
        try {
            var _ = unfinished.awaitTermination(BEAT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
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
                if (!forgottenBefore.add(place)) takeUp(place);
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

    private void takeUp(Path place) throws IOException {
        Optional<Path> claimed = claims.takeUp(place);
        // What a command wishes is wished for every service that sees it.
        if (claimed.isEmpty() || claimed.get().getFileName().toString().endsWith(COMMAND)) {
            rescue(place);
            return;
        }
        forgottenBefore.remove(place);
        unfinished.execute(() -> answer(claimed.get()));
    }

    private void answer(Path claimed) {
        try {
            claims.settle(claimed, answers.of(claimed));
        } catch (IOException | RuntimeException e) {
            LOG.warn("{} stays where it is for now: {}", claimed, e.toString());
        } finally {
            // What is settled is there no more; what is not comes up again in a later round.
            claims.letLie(claimed);
        }
    }

    private void rescue(Path place) throws IOException {
        int count = claims.rescue(place);
        forgottenBefore.remove(place);
        if (count > 0) LOG.info("put back into the inbox what a stopped service had claimed: {}", place);
    }
}
