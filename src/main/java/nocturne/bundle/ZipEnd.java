package nocturne.bundle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipException;

/// Where the directory of a zip lies, as the record at its end says.
///
/// Source: the format's specification, APPNOTE.TXT, sections 4.3.14 to 4.3.16.
///
/// @param directory      where it begins
/// @param directoryBytes how long it is; it ends where the end record begins
/// @param entries        how many it holds
record ZipEnd(long directory, long directoryBytes, long entries) {
    static final int ENTRY = 0x02014b50;
    static final int ENTRY_BYTES = 46;

    private static final int RECORD = 0x06054b50;
    private static final int RECORD_BYTES = 22;
    private static final int MOST_COMMENT_BYTES = 0xffff;
    private static final int WIDE_LOCATOR = 0x07064b50;
    private static final int WIDE_LOCATOR_BYTES = 20;
    private static final int WIDE_RECORD = 0x06064b50;
    private static final int WIDE_RECORD_BYTES = 56;
    private static final long WIDE = 0xffffffffL;
    private static final int WIDE_COUNT = 0xffff;

    /// Looks at the end of a file, at most its last 64 KiB.
    ///
    /// @return empty if there is no end yet, as in a file that is still being copied
    /// @throws ZipException if there is one, and it contradicts itself or the file
    static Optional<ZipEnd> of(FileChannel file) throws IOException {
        long size = file.size();
        int tailBytes = (int) Math.min(size, RECORD_BYTES + MOST_COMMENT_BYTES);
        ByteBuffer tail = read(file, size - tailBytes, tailBytes);
        if (tail.limit() < tailBytes) return Optional.empty();
        List<Integer> candidates = new ArrayList<>();
        List<Integer> fitting = new ArrayList<>();
        for (int at = tailBytes - RECORD_BYTES; at >= 0; at--) {
            if (tail.getInt(at) != RECORD) continue;
            candidates.add(at);
            if (at + RECORD_BYTES + Short.toUnsignedInt(tail.getShort(at + 20)) == tailBytes) fitting.add(at);
        }
        if (fitting.isEmpty()) return Optional.empty();
        // One program takes the last record, another the first whose comment fits: they must be the same.
        if (fitting.size() > 1 || !fitting.getFirst().equals(candidates.getFirst())) {
            throw new ZipException("it has two ends");
        }
        return Optional.of(read(file, tail, fitting.getFirst(), size - tailBytes));
    }

    private static ZipEnd read(FileChannel file, ByteBuffer tail, int at, long tailStart) throws IOException {
        long recordAt = tailStart + at;
        int count = Short.toUnsignedInt(tail.getShort(at + 10));
        ZipEnd narrow = new ZipEnd(Integer.toUnsignedLong(tail.getInt(at + 16)),
                Integer.toUnsignedLong(tail.getInt(at + 12)), count);
        if (tail.getShort(at + 4) != tail.getShort(at + 6) || Short.toUnsignedInt(tail.getShort(at + 8)) != count) {
            throw new ZipException("it is one part of several");
        }
        ByteBuffer locator = read(file, recordAt - WIDE_LOCATOR_BYTES, WIDE_LOCATOR_BYTES);
        boolean wide = locator.limit() == WIDE_LOCATOR_BYTES && locator.getInt(0) == WIDE_LOCATOR;
        if (!wide) {
            require(narrow.directory + narrow.directoryBytes == recordAt);
            return narrow;
        }
        long wideAt = locator.getLong(8);
        ByteBuffer record = read(file, wideAt, WIDE_RECORD_BYTES);
        require(record.limit() == WIDE_RECORD_BYTES && record.getInt(0) == WIDE_RECORD
                && record.getLong(4) == recordAt - WIDE_LOCATOR_BYTES - wideAt - 12
                && record.getInt(16) == record.getInt(20) && record.getLong(24) == record.getLong(32));
        ZipEnd end = new ZipEnd(record.getLong(48), record.getLong(40), record.getLong(32));
        require(end.directory >= 0 && end.directoryBytes >= 0 && end.entries >= 0
                && end.directory + end.directoryBytes == wideAt
                && (narrow.directory == WIDE || narrow.directory == end.directory)
                && (narrow.directoryBytes == WIDE || narrow.directoryBytes == end.directoryBytes)
                && (narrow.entries == WIDE_COUNT || narrow.entries == end.entries));
        return end;
    }

    private static void require(boolean consistent) throws ZipException {
        if (!consistent) throw new ZipException("its directory is not where its end says");
    }

    /// Whether the directory is exactly as many entries, back to back, as the end says. Reads all of it.
    void requireWholeDirectory(FileChannel file) throws IOException {
        ByteBuffer bytes = read(file, directory, (int) directoryBytes);
        long found = 0;
        int at = 0;
        while (at + ENTRY_BYTES <= bytes.limit() && bytes.getInt(at) == ENTRY) {
            at += ENTRY_BYTES + Short.toUnsignedInt(bytes.getShort(at + 28))
                    + Short.toUnsignedInt(bytes.getShort(at + 30)) + Short.toUnsignedInt(bytes.getShort(at + 32));
            found++;
        }
        if (at != directoryBytes || found != entries) {
            throw new ZipException("its directory is damaged: %d of %d entries".formatted(found, entries));
        }
    }

    /// Up to `length` bytes from a position, fewer at the end of the file and none outside it.
    static ByteBuffer read(FileChannel file, long position, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (position >= 0 && bytes.hasRemaining()) {
            if (file.read(bytes, position + bytes.position()) < 0) break;
        }
        return bytes.flip();
    }
}
