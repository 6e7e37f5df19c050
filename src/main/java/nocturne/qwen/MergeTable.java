package nocturne.qwen;

import java.util.Arrays;
import java.util.PriorityQueue;

/// Byte-pair merges: which two neighbouring tokens join into which third, and which join goes first.
///
/// An open-addressing table over primitive arrays, because the real vocabulary has 151 387 merges and every job starts
/// by loading them. Immutable once filled; safe for use by several threads.
final class MergeTable {
    private static final long EMPTY = -1;

    private final long[] pairs;
    private final int[] ranks;
    private final int[] merged;
    private final int mask;

    /// Room for `merges` entries.
    MergeTable(int merges) {
        int capacity = Integer.highestOneBit(Math.max(8, 2 * merges)) << 1;
        pairs = new long[capacity];
        Arrays.fill(pairs, EMPTY);
        ranks = new int[capacity];
        merged = new int[capacity];
        mask = capacity - 1;
    }

    /// Token `left` followed by token `right` may become `result`; the smaller rank goes first. A pair that is listed
    /// twice keeps its first rank.
    void put(int left, int right, int rank, int result) {
        int slot = slot(left, right);
        if (pairs[slot] != EMPTY) return;
        pairs[slot] = pair(left, right);
        ranks[slot] = rank;
        merged[slot] = result;
    }

    /// Merges `tokens` until no neighbours can merge: the pair of the smallest rank first, the leftmost first among
    /// equals. Takes `n log n` steps, so that one endless word costs no more than a text of its length.
    int[] merge(int[] tokens) {
        int n = tokens.length;
        int[] token = tokens.clone();
        int[] next = new int[n];
        int[] previous = new int[n];
        // rank in the upper half, position in the lower: the natural order of long is the order of merging.
        PriorityQueue<Long> candidates = new PriorityQueue<>();
        for (int i = 0; i < n; i++) {
            previous[i] = i - 1;
            next[i] = i + 1 < n ? i + 1 : -1;
            if (i + 1 < n) offer(candidates, token, i, i + 1);
        }
        boolean[] gone = new boolean[n];
        int left = n;
        for (Long candidate = candidates.poll(); candidate != null; candidate = candidates.poll()) {
            int at = candidate.intValue();
            int rank = (int) (candidate >>> 32);
            if (gone[at] || next[at] < 0) continue;
            int slot = slot(token[at], token[next[at]]);
            // An older entry may speak of a pair that has since become another one.
            if (pairs[slot] == EMPTY || ranks[slot] != rank) continue;
            int absorbed = next[at];
            token[at] = merged[slot];
            gone[absorbed] = true;
            left--;
            next[at] = next[absorbed];
            if (next[at] >= 0) {
                previous[next[at]] = at;
                offer(candidates, token, at, next[at]);
            }
            if (previous[at] >= 0) offer(candidates, token, previous[at], at);
        }
        int[] result = new int[left];
        int filled = 0;
        for (int i = 0; i < n; i++) if (!gone[i]) result[filled++] = token[i];
        return result;
    }

    private void offer(PriorityQueue<Long> candidates, int[] token, int left, int right) {
        int slot = slot(token[left], token[right]);
        if (pairs[slot] != EMPTY) candidates.add((long) ranks[slot] << 32 | left);
    }

    private int slot(int left, int right) {
        long pair = pair(left, right);
        long mixed = pair * 0x9e3779b97f4a7c15L;
        int slot = (int) (mixed >>> 32) & mask;
        while (pairs[slot] != EMPTY && pairs[slot] != pair) slot = slot + 1 & mask;
        return slot;
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }
}
