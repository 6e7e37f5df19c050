package nocturne.image.jpeg;

import java.util.Arrays;

/// Codes of one `DHT` segment.
///
/// Beside the usual table, which gives one symbol, there is one of leaps: for what the next bits are, how far all the
/// symbols that lie wholly within them lead, values included. Most of a picture's data is passed over in this way, two
/// to three coefficients at a time.
final class HuffmanTable {
    /// Bits that a leap looks at. More make longer leaps and a table that no longer fits the nearest cache.
    static final int LEAP_BITS = 13;
    /// Of a leap: the bits passed over.
    static final int LEAP_LENGTH = 15;
    /// Of a leap: set where its last symbol ends the block.
    static final int LEAP_ENDS_BLOCK = 16;
    /// Of a leap: above these bits stand the coefficients passed over.
    static final int LEAP_COEFFICIENTS = 5;

    private static final int QUICK_BITS = 10;
    private static final int LONGEST_CODE = 16;

    private final byte[] symbols;
    /// By the next bits: length of the code and symbol, `length << 8 | symbol`; 0 where it is longer.
    private final short[] quick = new short[1 << QUICK_BITS];
    /// By length: the first code that is longer, at the top of 16 bits.
    private final int[] limit = new int[LONGEST_CODE + 1];
    /// By length: what turns a code into the index of its symbol.
    private final int[] offset = new int[LONGEST_CODE + 1];
    private short[] leaps = {};

    /// @param counts  codes of each length, 1 to 16
    /// @param symbols in the order of their codes
    HuffmanTable(int[] counts, byte[] symbols) throws DoubtfulJpeg {
        this.symbols = symbols;
        int code = 0;
        int index = 0;
        for (int length = 1; length <= LONGEST_CODE; length++) {
            offset[length] = index - code;
            for (int i = 0; i < counts[length - 1]; i++, code++, index++) {
                if (code >= 1 << length) throw new DoubtfulJpeg("has a table with more codes than fit");
                if (length > QUICK_BITS) continue;
                int from = code << QUICK_BITS - length;
                Arrays.fill(quick, from, from + (1 << QUICK_BITS - length),
                        (short) (length << 8 | symbols[index] & 0xff));
            }
            limit[length] = code << LONGEST_CODE - length;
            code <<= 1;
        }
    }

    /// The code at the top of `bits` as `length << 8 | symbol`.
    int entry(long bits) throws DoubtfulJpeg {
        int known = quick[(int) (bits >>> 64 - QUICK_BITS)];
        return known != 0 ? known : longEntry((int) (bits >>> 64 - LONGEST_CODE));
    }

    private int longEntry(int next) throws DoubtfulJpeg {
        for (int length = 1; length <= LONGEST_CODE; length++) {
            if (next < limit[length]) {
                return length << 8 | symbols[(next >> LONGEST_CODE - length) + offset[length]] & 0xff;
            }
        }
        throw new DoubtfulJpeg("has a code that no table knows");
    }

    /// By the next [#LEAP_BITS] bits, what is passed over; 0 where not even one symbol with its value fits.
    short[] leaps() {
        if (leaps.length == 0) {
            leaps = new short[1 << LEAP_BITS];
            for (int next = 0; next < leaps.length; next++) leaps[next] = (short) leap(next);
        }
        return leaps;
    }

    private int leap(int next) {
        int used = 0;
        int coefficients = 0;
        while (true) {
            int entry = quick[next << used + QUICK_BITS >> LEAP_BITS & (1 << QUICK_BITS) - 1];
            int symbol = entry & 0xff;
            int size = symbol & 15;
            int length = (entry >>> 8) + size;
            if (entry == 0 || used + length > LEAP_BITS) break;
            used += length;
            if (size == 0 && symbol != 0xf0) return coefficients << LEAP_COEFFICIENTS | LEAP_ENDS_BLOCK | used;
            coefficients += (symbol >> 4) + 1;
        }
        return coefficients << LEAP_COEFFICIENTS | used;
    }
}
