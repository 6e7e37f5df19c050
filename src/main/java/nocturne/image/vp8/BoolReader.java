package nocturne.image.vp8;

/// The arithmetic decoder: yes-or-no questions of known probability, packed in less than a bit each.
///
/// Source: RFC 6386, section 7.
final class BoolReader {
    private final byte[] bytes;
    private final int end;
    private int next;
    private long value;
    /// Unread bits below the eight that are compared; negative when a byte is due.
    private int spare = -8;
    private int range = 255;

    BoolReader(byte[] bytes, int from, int end) {
        this.bytes = bytes;
        this.next = from;
        this.end = end;
    }

    /// @param probability of `false`, in 256ths
    boolean bool(int probability) {
        // Past the end the stream goes on with zeros, as encoders that leave out trailing zeros expect.
        while (spare < 0) {
            value = value << 8 | (next < end ? bytes[next] & 0xff : 0);
            next++;
            spare += 8;
        }
        int split = 1 + ((range - 1) * probability >> 8);
        long border = (long) split << spare;
        boolean answer = value >= border;
        if (answer) {
            value -= border;
            range -= split;
        } else {
            range = split;
        }
        int shift = Integer.numberOfLeadingZeros(range) - 24;
        range <<= shift;
        spare -= shift;
        return answer;
    }

    boolean flag() {
        return bool(128);
    }

    /// An unsigned number of this many bits, highest first.
    int literal(int bits) {
        int number = 0;
        for (int i = 0; i < bits; i++) number = number << 1 | (flag() ? 1 : 0);
        return number;
    }

    /// A number of this many bits and a sign behind it.
    int signed(int bits) {
        int magnitude = literal(bits);
        return flag() ? -magnitude : magnitude;
    }

    /// A [#signed] number if a flag says that there is one, else 0.
    int optional(int bits) {
        return flag() ? signed(bits) : 0;
    }

    /// A leaf of a tree: positive entries are the index of the next pair, others are minus the answer.
    int tree(int[] tree, int[] probabilities, int offset) {
        int node = 0;
        do {
            node = tree[node + (bool(probabilities[offset + (node >> 1)]) ? 1 : 0)];
        } while (node > 0);
        return -node;
    }

    /// True once more has been read than was there and an encoder may have left out.
    boolean isExhausted() {
        return next > end + 2;
    }
}
