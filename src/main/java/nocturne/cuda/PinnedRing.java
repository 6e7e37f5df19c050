package nocturne.cuda;

import java.lang.foreign.MemorySegment;

/// Host memory through which everything travels to the card and back, used in turns: a ring of bytes.
///
/// Pieces are taken at its head and come free at its tail, in the same order, when an event has happened. A small copy
/// takes few bytes, so that many are on their way before the first must have arrived.
final class PinnedRing {
    private static final int MOST_ON_THEIR_WAY = 64;
    /// Pieces begin where a card copies fastest.
    private static final long ALIGNMENT = 256;

    private final DriverSession session;
    private final MemorySegment memory;
    private final long[] events = new long[MOST_ON_THEIR_WAY];
    private final long[] ends = new long[MOST_ON_THEIR_WAY];
    /// Counted from the beginning of time: what is between tail and head is in use.
    private long head;
    private long tail;
    private int first;
    private int count;

    /// @param bytes a multiple of 4 times 256
    PinnedRing(DriverSession session, long bytes) {
        this.session = session;
        memory = MemorySegment.ofAddress(session.pinned(bytes)).reinterpret(bytes);
        for (int i = 0; i < MOST_ON_THEIR_WAY; i++) events[i] = session.event();
    }

    /// The largest piece that should be taken: some must fit side by side.
    long largest() {
        return memory.byteSize() / 4;
    }

    /// Takes a piece of memory, waiting for older ones to come free.
    ///
    /// @param bytes 1 to [#largest()]
    MemorySegment take(long bytes) {
        long size = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        long offset = head % memory.byteSize();
        if (offset + size > memory.byteSize()) {
            head += memory.byteSize() - offset;
            offset = 0;
        }
        while (head + size - tail > memory.byteSize() || count == MOST_ON_THEIR_WAY) waitForOldest();
        head += size;
        return memory.asSlice(offset, bytes);
    }

    /// Says that the piece taken last is in use until all that `stream` has been told so far is done. To be called once
    /// after each [#take].
    ///
    /// @return the event of that
    long inUseBy(long stream) {
        int slot = (first + count) % MOST_ON_THEIR_WAY;
        session.check(session.driver().record(events[slot], stream), "marking a copy");
        ends[slot] = head;
        count++;
        return events[slot];
    }

    /// Where the piece taken last ends, for [#waitUntil].
    long position() {
        return head;
    }

    /// Waits until the piece that ends there is no longer in use.
    void waitUntil(long position) {
        while (count > 0 && tail < position) waitForOldest();
    }

    private void waitForOldest() {
        if (count == 0) throw new IllegalStateException("a piece was taken and never said to be in use");
        session.check(session.driver().waitFor(events[first]), "waiting for a copy");
        tail = ends[first];
        first = (first + 1) % MOST_ON_THEIR_WAY;
        count--;
    }
}
