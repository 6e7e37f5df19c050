package nocturne.service.kafka;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// Who has which request, as the claims topic says. Every host that has read as far comes to the same answer, because
/// all read the same records of a request in the same order:
///
/// - a higher attempt overtakes a lower one, unless that one has come to its end;
/// - of two hosts that claim the same attempt the first one has it, and the second learns so by reading;
/// - a host that says more than `claimed` has read that it was the first, so it is believed even where the record
///   before it has been compacted away;
/// - everything else comes too late.
final class ClaimBook {
    private final Map<String, Entry> entries = new ConcurrentHashMap<>();
    private final LongSupplier nanos;
    private final List<Consumer<Claim>> onOvertaken = new CopyOnWriteArrayList<>();
    private final List<Consumer<Claim>> onTooLate = new CopyOnWriteArrayList<>();

    private record Entry(Claim claim, long heardNanos) {}

    /// @param nanos a clock that only goes forward
    ClaimBook(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /// Told when a request passes from one turn to another, with the new one.
    void onOvertaken(Consumer<Claim> listener) {
        onOvertaken.add(listener);
    }

    /// Told when a record was passed over, with the claim that stands. It is now the last one of its key, so it is what
    /// compaction would leave.
    void onTooLate(Consumer<Claim> listener) {
        onTooLate.add(listener);
    }

    void read(Claim next) {
        Entry before = entries.get(next.request());
        if (before != null && !stands(before.claim, next)) {
            onTooLate.forEach(listener -> listener.accept(before.claim));
            return;
        }
        entries.put(next.request(), new Entry(next, nanos.getAsLong()));
        if (before != null && !before.claim.isSameTurn(next)) {
            onOvertaken.forEach(listener -> listener.accept(next));
        }
    }

    private static boolean stands(Claim before, Claim next) {
        if (next.isSameTurn(before)) return !before.isLast() || next.isLast();
        if (before.isLast() || next.attempt() < before.attempt()) return false;
        return next.attempt() > before.attempt() || !next.state().equals(Claim.CLAIMED);
    }

    /// The claim that stands.
    Optional<Claim> find(String request) {
        return Optional.ofNullable(entries.get(request)).map(Entry::claim);
    }

    /// Whether the turn is still this one.
    boolean stands(Claim claim) {
        return find(claim.request()).filter(claim::isSameTurn).isPresent();
    }

    /// The claims that have not come to their end and of which nothing was heard for so long.
    List<Claim> silentFor(Duration time) {
        long now = nanos.getAsLong();
        return entries.values().stream()
                .filter(entry -> !entry.claim.isLast() && now - entry.heardNanos >= time.toNanos())
                .map(Entry::claim).toList();
    }

    /// Begins to wait anew for everybody: after a time in which nobody could be heard.
    void waitAnew() {
        long now = nanos.getAsLong();
        entries.replaceAll((request, entry) -> new Entry(entry.claim, now));
    }

    int size() {
        return entries.size();
    }
}
