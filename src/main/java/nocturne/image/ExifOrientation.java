package nocturne.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Finds the one EXIF tag we need, and walks past everything else unread: maker notes, thumbnails and places are
/// none of our business, and reading them would trust more bytes than one number is worth.
///
/// Source: Exif 2.32, section 4.5 and TIFF 6.0, section 2.
final class ExifOrientation {
    private static final byte[] PREFIX = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
    private static final int TAG = 0x0112;
    private static final int TYPE_SHORT = 3;
    private static final int ENTRY_BYTES = 12;

    private ExifOrientation() {}

    /// @param block TIFF structure, with or without the `Exif` prefix that JPEG puts before it; damage means upright
    static Orientation of(byte[] block) {
        int start = startsWithPrefix(block) ? PREFIX.length : 0;
        ByteBuffer tiff = ByteBuffer.wrap(block, start, block.length - start).slice();
        if (tiff.limit() < 8) return Orientation.UPRIGHT;
        if (tiff.get(0) == 'I' && tiff.get(1) == 'I') tiff.order(ByteOrder.LITTLE_ENDIAN);
        else if (tiff.get(0) != 'M' || tiff.get(1) != 'M') return Orientation.UPRIGHT;
        long directory = Integer.toUnsignedLong(tiff.getInt(4));
        if (directory + 2 > tiff.limit()) return Orientation.UPRIGHT;
        int entries = Short.toUnsignedInt(tiff.getShort((int) directory));
        for (int i = 0; i < entries; i++) {
            long at = directory + 2 + (long) i * ENTRY_BYTES;
            if (at + ENTRY_BYTES > tiff.limit()) break;
            int entry = (int) at;
            if (Short.toUnsignedInt(tiff.getShort(entry)) == TAG && tiff.getShort(entry + 2) == TYPE_SHORT) {
                return Orientation.ofTag(Short.toUnsignedInt(tiff.getShort(entry + 8)));
            }
        }
        return Orientation.UPRIGHT;
    }

    static boolean startsWithPrefix(byte[] block) {
        return block.length >= PREFIX.length && Arrays.equals(block, 0, PREFIX.length, PREFIX, 0, PREFIX.length);
    }
}
