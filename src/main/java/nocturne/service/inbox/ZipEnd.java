package nocturne.service.inbox;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;

/// Looks for the record at the end of a zip, which a program that makes or copies one writes last.
final class ZipEnd {
    private static final int RECORD = 0x06054b50;
    private static final int RECORD_BYTES = 22;
    private static final int LONGEST_COMMENT = 0xffff;
    private static final int COMMENT_LENGTH_AT = 20;
    private static final int DIRECTORY_BYTES_AT = 12;
    private static final int DIRECTORY_OFFSET_AT = 16;
    /// Stands in these fields where the real numbers are in a record of zip64.
    private static final long IN_ZIP64 = 0xffffffffL;

    private ZipEnd() {}

    /// Whether the file begins as no zip does, however far it has come: some programs fill a file from zeros in any
    /// order.
    static boolean isForeign(SeekableByteChannel file) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(2);
        file.position(0);
        while (head.hasRemaining()) {
            if (file.read(head) < 0) return false;
        }
        boolean zip = head.get(0) == 'P' && head.get(1) == 'K';
        boolean empty = head.get(0) == 0 && head.get(1) == 0;
        return !zip && !empty;
    }

    /// Whether the record is there and its comment ends where the file ends. What it points to is looked at later, by
    /// whoever unpacks the zip.
    static boolean isIn(SeekableByteChannel zip) throws IOException {
        long size = zip.size();
        if (size < RECORD_BYTES) return false;
        int length = (int) Math.min(size, RECORD_BYTES + LONGEST_COMMENT);
        ByteBuffer tail = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        zip.position(size - length);
        while (tail.hasRemaining()) {
            if (zip.read(tail) < 0) return false;
        }
        for (int at = length - RECORD_BYTES; at >= 0; at--) {
            if (tail.getInt(at) == RECORD && fits(tail, at, size - length)) return true;
        }
        return false;
    }

    private static boolean fits(ByteBuffer tail, int at, long before) {
        int comment = Short.toUnsignedInt(tail.getShort(at + COMMENT_LENGTH_AT));
        if (at + RECORD_BYTES + comment != tail.capacity()) return false;
        long bytes = Integer.toUnsignedLong(tail.getInt(at + DIRECTORY_BYTES_AT));
        long offset = Integer.toUnsignedLong(tail.getInt(at + DIRECTORY_OFFSET_AT));
        return bytes == IN_ZIP64 || offset == IN_ZIP64 || bytes + offset <= before + at;
    }
}
