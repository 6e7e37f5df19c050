package nocturne.service.publish;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import nocturne.io.CrashPoint;
import nocturne.problem.Backoff;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells one target what stands in the journals: read a line, tell it, wait until it has arrived, remember that.
///
/// A journal's lines go one after the other, each when the one before has arrived. With several under way a library's
/// own retry could bring the second before the first; what makes it fast is that many journals are told at once. While
/// nobody is there, one journal after the other tries for all of them.
final class Relay implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);
    /// How many lines may arrive again after a crash.
    private static final int LINES_TO_REMEMBER = 64;

    private final Target target;
    private final Gate gate;
    private final Backoff patience;
    private final InstantSource clock;
    private final Runnable betweenTellingAndRemembering;
    private final KeyedWork<Journal> work;
    /// Those with something to tell.
    private final Set<Journal> pending = ConcurrentHashMap.newKeySet();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong leftOut = new AtomicLong();
    private final Map<Journal, Refusal> refusals = new HashMap<>();
    /// Those that will try when somebody is there again.
    private final SequencedSet<Journal> waiting = new LinkedHashSet<>();
    private int failures;
    private long awaySince;
    private @Nullable Journal probe;

    /// What must be true before an event may be told.
    interface Gate {
        /// Returns when the files that the line speaks of are where it says.
        ///
        /// @throws SickMachine if the disk refuses
        void awaitFiles(Journal journal, Journal.Line line);

        /// Number of the last line that no power cut can take back; none behind it may be told.
        default long lastSafe(Journal journal) {
            return Long.MAX_VALUE;
        }
    }

    /// @param since by [System#nanoTime]
    private record Refusal(int times, long since) {}

    Relay(Target target, Gate gate, Backoff patience, int threadCount, InstantSource clock) {
        this(target, gate, patience, threadCount, clock, () -> CrashPoint.at("relay.told"));
    }

    /// @param betweenTellingAndRemembering for tests that crash there
    Relay(Target target, Gate gate, Backoff patience, int threadCount, InstantSource clock,
            Runnable betweenTellingAndRemembering) {
        this.target = target;
        this.gate = gate;
        this.patience = patience;
        this.clock = clock;
        this.betweenTellingAndRemembering = betweenTellingAndRemembering;
        this.work = new KeyedWork<>("relay-" + target.name(), threadCount, this::relay);
    }

    Target target() {
        return target;
    }

    /// Says that a journal has grown. Returns at once.
    void grown(Journal journal) {
        pending.add(journal);
        work.ask(journal);
    }

    Cursor cursor(Journal journal) {
        return Cursor.read(journal.cursor(target.name()));
    }

    /// Events that have not arrived yet.
    long lag() {
        return pending.stream().mapToLong(journal -> journal.countAfter(cursor(journal))).sum();
    }

    /// Tries that were in vain.
    long failed() {
        return failed.get();
    }

    /// Events that were left out because nobody took them for too long.
    long leftOut() {
        return leftOut.get();
    }

    /// Whether nobody was there at the last try.
    synchronized boolean isAway() {
        return failures > 0;
    }

    boolean isIdle() {
        return work.isIdle();
    }

    private Duration relay(Journal journal) {
        if (!mayTry(journal)) return Duration.ZERO;
        try {
            if (tellAll(journal)) arrived();
            if (!journal.hasMoreThan(cursor(journal))) pending.remove(journal);
            return Duration.ZERO;
        } catch (Target.Away e) {
            return lost(journal, String.valueOf(e.getMessage()));
        } catch (Target.NotTaken e) {
            arrived();
            return refused(journal, target.description() + " did not take it: " + e.getMessage());
        } catch (SickMachine | UserMistake e) {
            return refused(journal, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Duration.ZERO;
        }
    }

    /// @return whether there was anything to tell
    private boolean tellAll(Journal journal) throws Target.Away, Target.NotTaken, InterruptedException {
        Path cursorFile = journal.cursor(target.name());
        Cursor begin = Cursor.read(cursorFile);
        Cursor cursor = begin;
        for (List<Journal.Line> lines = journal.after(cursor); !lines.isEmpty(); lines = journal.after(cursor)) {
            long lastSafe = gate.lastSafe(journal);
            if (lines.getFirst().line().sequence() > lastSafe) break;       // its writer will say when it is
            journal.force();
            Cursor remembered = cursor;
            try {
                for (Journal.Line line : lines) {
                    if (line.line().sequence() > lastSafe) break;
                    gate.awaitFiles(journal, line);
                    tell(journal, line);
                    cursor = line.end();
                    if (cursor.sequence() - remembered.sequence() >= LINES_TO_REMEMBER) {
                        remember(journal, cursor, cursorFile);
                        remembered = cursor;
                    }
                }
            } finally {
                if (!cursor.equals(remembered)) remember(journal, cursor, cursorFile);
            }
        }
        return !cursor.equals(begin);
    }

    private void remember(Journal journal, Cursor cursor, Path file) {
        betweenTellingAndRemembering.run();
        // A job that was cleaned away meanwhile must not come back as a folder with nothing but a cursor.
        if (Files.exists(journal.file())) cursor.write(file);
    }

    private void tell(Journal journal, Journal.Line line) throws Target.Away, Target.NotTaken, InterruptedException {
        try {
            target.tell(journal, line);
        } catch (Target.Away e) {
            failed.incrementAndGet();
            if (!isTooOld(line, sinceAway())) throw e;
            leaveOut(line, e);
        } catch (Target.NotTaken e) {
            failed.incrementAndGet();
            if (!isTooOld(line, sinceRefused(journal))) throw e;
            leaveOut(line, e);
        }
        synchronized (this) {
            refusals.remove(journal);
        }
    }

    private void leaveOut(Journal.Line line, Exception e) {
        leftOut.incrementAndGet();
        LOG.error("{} was never told {} ({}), and is not any more: {}", target.description(), line.line().id(),
                line.line().type(), e.getMessage());
    }

    /// By its own time and by how long it has been tried: a clock that jumps must not throw anything away.
    private boolean isTooOld(Journal.Line line, Duration tried) {
        Duration limit = target.giveUp().orElse(null);
        if (limit == null || tried.compareTo(limit) < 0) return false;
        try {
            return Duration.between(Instant.parse(line.line().time()), clock.instant()).compareTo(limit) >= 0;
        } catch (DateTimeException strange) {
            return true;
        }
    }

    private synchronized Duration sinceAway() {
        return failures == 0 ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - awaySince);
    }

    private synchronized Duration sinceRefused(Journal journal) {
        Refusal refusal = refusals.get(journal);
        return refusal == null ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - refusal.since());
    }

    /// While nobody is there only one may knock.
    private synchronized boolean mayTry(Journal journal) {
        if (failures == 0 || journal.equals(probe)) return true;
        waiting.add(journal);
        return false;
    }

    private synchronized void arrived() {
        if (failures == 0) return;
        LOG.info("{} is back; {} journals have something to tell", target.description(), pending.size());
        failures = 0;
        probe = null;
        waiting.forEach(work::ask);
        waiting.clear();
    }

    private synchronized Duration lost(Journal journal, String why) {
        waiting.add(journal);
        // Several may have been under way when it went.
        if (probe != null && !probe.equals(journal)) return Duration.ZERO;
        if (failures == 0) {
            LOG.warn("{} is away: {}. What there is to tell waits in the journals.", target.description(), why);
            awaySince = System.nanoTime();
        }
        failures++;
        Journal next = waiting.removeFirst();
        probe = next;
        Duration wait = patience.after(failures);
        if (next.equals(journal)) return wait;
        work.askLater(next, wait);
        return Duration.ZERO;
    }

    private synchronized Duration refused(Journal journal, String why) {
        Refusal before = refusals.get(journal);
        Refusal now = before == null ? new Refusal(1, System.nanoTime())
                : new Refusal(before.times() + 1, before.since());
        refusals.put(journal, now);
        if (before == null) {
            LOG.warn("an event of {} waits, and what follows it: {}", journal.subject(), why);
        }
        return patience.after(now.times());
    }

    /// Stops after the line that is under way.
    @Override
    public void close() {
        work.close();
    }
}
