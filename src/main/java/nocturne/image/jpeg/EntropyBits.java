package nocturne.image.jpeg;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// The bits between two markers, from the highest of each byte, without the zero that is stuffed in after every 0xff.
///
/// Past the end there are zeros without end; [#requireNotPastEnd] tells whether any of them was needed.
final class EntropyBits {
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final long LOW_BITS = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;
    /// After [#fill] at least this many bits are there: more than two symbols with their values need.
    private static final int ENOUGH = 32;

    private final byte[] file;
    private int at;
    /// The next `count` bits stand at the top. What is below them is undefined.
    private long bits;
    private int count;
    /// Zeros that were put in after the end.
    private long invented;

    EntropyBits(byte[] file, int at) {
        this.file = file;
        this.at = at;
    }

    /// Where the marker after these bits begins; found once they have been read to their end.
    int end() throws DoubtfulJpeg {
        int marker = at;
        // What a scan leaves unread before the next marker is padding.
        while (marker + 1 < file.length) {
            int next = file[marker + 1] & 0xff;
            if (file[marker] == (byte) 0xff && next != 0 && next != 0xff) return marker;
            marker++;
        }
        throw new DoubtfulJpeg("ends without a marker");
    }

    /// Passes over the restart marker with this number, 0 to 7, which must come next.
    void restart(int number) throws DoubtfulJpeg {
        requireNotPastEnd();
        int marker = end();
        // Up to seven bits fill the last byte; whole bytes in between mean that something went wrong before.
        if (marker - at > 1 || count - invented >= 16) throw new DoubtfulJpeg("holds data before a restart marker");
        if ((file[marker + 1] & 0xff) != 0xd0 + number) throw new DoubtfulJpeg("lacks a restart marker");
        at = marker + 2;
        bits = 0;
        count = 0;
        invented = 0;
    }

    void requireNotPastEnd() throws DoubtfulJpeg {
        if (invented > count) throw new DoubtfulJpeg("breaks off inside its data");
    }

    int bit() {
        return bits(1);
    }

    /// The next 0 to 16 bits as a number.
    int bits(int length) {
        if (length == 0) return 0;
        if (count < ENOUGH) fill();
        int value = (int) (bits >>> 64 - length);
        bits <<= length;
        count -= length;
        return value;
    }

    /// A number of `length` bits, of which a first bit of 0 means negative: `EXTEND` of figure F.12.
    int signed(int length) {
        if (length == 0) return 0;
        int value = bits(length);
        return value < 1 << length - 1 ? value - (1 << length) + 1 : value;
    }

    /// The next symbol.
    int symbol(HuffmanTable table) throws DoubtfulJpeg {
        if (count < ENOUGH) fill();
        int entry = table.entry(bits);
        int length = entry >>> 8;
        bits <<= length;
        count -= length;
        return entry & 0xff;
    }

    /// Reads the first number of a block, which is the difference to that of the block before.
    int difference(HuffmanTable table) throws DoubtfulJpeg {
        if (count < ENOUGH) fill();
        int entry = table.entry(bits);
        int length = entry >>> 8;
        int size = entry & 15;
        long behind = bits << length;
        count -= length + size;
        bits = behind << size;
        if (size == 0) return 0;
        int value = (int) (behind >>> 64 - size);
        return behind < 0 ? value : value - (1 << size) + 1;
    }

    /// Passes over the symbols and values of a block's coefficients from `from` to its end.
    ///
    /// Most of a picture's time is spent here, so the state lives in local variables as long as it can.
    void skip(HuffmanTable table, int from) throws DoubtfulJpeg {
        short[] leaps = table.leaps();
        long ahead = bits;
        int left = count;
        int k = from;
        while (k < 64) {
            if (left < HuffmanTable.LEAP_BITS) {
                long next = at <= file.length - Long.BYTES ? (long) LONG.get(file, at) : -1;
                if (hasMark(next)) {
                    bits = ahead;
                    count = left;
                    fillByByte();
                    ahead = bits;
                    left = count;
                } else {
                    ahead |= next >>> left;
                    at += 63 - left >>> 3;
                    left |= 56;
                }
            }
            int leap = leaps[(int) (ahead >>> 64 - HuffmanTable.LEAP_BITS)];
            int next = k + (leap >> HuffmanTable.LEAP_COEFFICIENTS);
            // A leap that might pass the end of the block is walked symbol by symbol, as are symbols longer than leaps.
            if (leap != 0 && next < 64) {
                int length = leap & HuffmanTable.LEAP_LENGTH;
                ahead <<= length;
                left -= length;
                if ((leap & HuffmanTable.LEAP_ENDS_BLOCK) != 0) break;
                k = next;
            } else {
                bits = ahead;
                count = left;
                k = step(table, k);
                ahead = bits;
                left = count;
            }
        }
        bits = ahead;
        count = left;
        if (k > 64) throw new DoubtfulJpeg("has a block of more than 64 coefficients");
    }

    private int step(HuffmanTable table, int k) throws DoubtfulJpeg {
        int symbol = symbol(table);
        int size = symbol & 15;
        if (size == 0) return symbol == 0xf0 ? k + 16 : 64;
        bits(size);
        return k + (symbol >> 4) + 1;
    }

    private void fill() {
        if (at <= file.length - Long.BYTES) {
            long next = (long) LONG.get(file, at);
            if (!hasMark(next)) {
                // The bits that are put below the counted ones are the right ones, and the next filling repeats them.
                bits |= next >>> count;
                at += 63 - count >>> 3;
                count |= 56;
                return;
            }
        }
        fillByByte();
    }

    /// Whether one of eight bytes is 0xff.
    private static boolean hasMark(long bytes) {
        long inverted = ~bytes;
        return (inverted - LOW_BITS & ~inverted & HIGH_BITS) != 0;
    }

    private void fillByByte() {
        bits &= ~(-1L >>> count);
        while (count <= 56) {
            int value = at < file.length ? file[at] & 0xff : 0xff;
            if (value != 0xff) {
                at++;
            } else {
                int next = at + 1 < file.length ? file[at + 1] & 0xff : 0xd9;
                if (next == 0) {
                    at += 2;
                } else if (next == 0xff) {
                    at++;
                    continue;
                } else {
                    value = 0;
                    invented += 8;
                }
            }
            bits |= (long) value << 56 - count;
            count += 8;
        }
    }
}
