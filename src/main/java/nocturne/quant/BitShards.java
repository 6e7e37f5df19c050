package nocturne.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Codes of fewer than 8 bits in memory without gaps: each code is split into shards of 4, 2 and 1 bits, and the shards
/// of one width lie together.
///
/// Seven bits are 4 + 2 + 1, three are 2 + 1; the lowest bits go into the widest shard, which comes first. A shard of
/// `k` bits holds the codes `n`, `n + length`, `n + 2 length`, ... in byte `n`, from its lowest bits up, where `length`
/// is the shard's number of bytes: `codes * k / 8`, rounded up. This is the layout of torchao's `uintx`.
///
/// @param bits  of a code, 1 to 8
/// @param codes how many there are
record BitShards(int bits, long codes) {
    private static final int[] WIDTHS = {8, 4, 2, 1};

    /// Where one shard of some codes lies: code `i` of `from .. to` in byte `at + i - from`.
    private interface Run {
        /// @param lowest of the code's bits that this shard has
        /// @param shift  where they stand in the byte
        /// @param mask   as many ones as the shard has bits
        void visit(int from, int to, long at, int lowest, int shift, int mask);
    }

    /// Bytes of all shards.
    long bytes() {
        long bytes = 0;
        for (int width : WIDTHS) if ((bits & width) != 0) bytes += length(width);
        return bytes;
    }

    /// Bytes of the shard of one width.
    private long length(int width) {
        int perByte = 8 / width;
        return (codes + perByte - 1) / perByte;
    }

    /// Walks the shards of `count` codes from number `first` on.
    private void walk(long first, int count, Run run) {
        long start = 0;
        int lowest = 0;
        for (int width : WIDTHS) {
            if ((bits & width) == 0) continue;
            long length = length(width);
            for (int from = 0; from < count; ) {
                long place = (first + from) % length;
                int to = (int) Math.min(count, from + length - place);
                int shift = (int) ((first + from) / length) * width;
                run.visit(from, to, start + place, lowest, shift, (1 << width) - 1);
                from = to;
            }
            start += length;
            lowest += width;
        }
    }

    /// Puts codes among the others. The bits they go to must be zero: memory starts with zeros, and each code is put
    /// once. Neighbours share bytes, so one thread puts them all.
    ///
    /// @param packed `bytes()` bytes
    /// @param first  number of the first of these codes
    void put(byte[] some, long first, MemorySegment packed) {
        walk(first, some.length, (from, to, at, lowest, shift, mask) -> {
            for (int i = from; i < to; i++) {
                long place = at + i - from;
                int others = packed.get(ValueLayout.JAVA_BYTE, place);
                packed.set(ValueLayout.JAVA_BYTE, place, (byte) (others | (some[i] >> lowest & mask) << shift));
            }
        });
    }

    /// The codes from number `first` on, as many as `some` has room for.
    void get(MemorySegment packed, long first, byte[] some) {
        Arrays.fill(some, (byte) 0);
        walk(first, some.length, (from, to, at, lowest, shift, mask) -> {
            for (int i = from; i < to; i++) {
                int shard = packed.get(ValueLayout.JAVA_BYTE, at + i - from) >> shift & mask;
                some[i] |= (byte) (shard << lowest);
            }
        });
    }
}
