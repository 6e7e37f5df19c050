package nocturne.bundle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Optional;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;

/// What stands before an entry's data, and should say the same as the directory at the end.
///
/// Source: the format's specification, APPNOTE.TXT, section 4.3.7.
///
/// @param flags     bit 0: encrypted; bit 3: checksum and sizes follow behind the data
/// @param method    of compression
/// @param crc       checksum of the unpacked data
/// @param packed    size of the data
/// @param unpacked  size of what comes out
/// @param name      as bytes
/// @param dataStart where the data begins
record LocalHeader(int flags, int method, long crc, long packed, long unpacked, byte[] name, long dataStart) {
    private static final int MARK = 0x04034b50;
    private static final int BYTES = 30;
    private static final int ENCRYPTED = 1;
    private static final int SIZES_FOLLOW = 1 << 3;
    /// A size of this value stands in a 64-bit field further on.
    private static final long WIDE = 0xffffffffL;

    /// @return empty if there is no header at this place
    static Optional<LocalHeader> read(FileChannel file, long start) throws IOException {
        ByteBuffer header = ZipEnd.read(file, start, BYTES);
        if (header.limit() < BYTES || header.getInt(0) != MARK) return Optional.empty();
        ByteBuffer name = ZipEnd.read(file, start + BYTES, Short.toUnsignedInt(header.getShort(26)));
        if (name.limit() < name.capacity()) return Optional.empty();
        return Optional.of(new LocalHeader(Short.toUnsignedInt(header.getShort(6)),
                Short.toUnsignedInt(header.getShort(8)), Integer.toUnsignedLong(header.getInt(14)),
                Integer.toUnsignedLong(header.getInt(18)), Integer.toUnsignedLong(header.getInt(22)), name.array(),
                start + BYTES + name.capacity() + Short.toUnsignedInt(header.getShort(28))));
    }

    /// Whether a program that reads only this header would unpack the same as one that reads only the directory.
    boolean agrees(ZipArchiveEntry entry) {
        boolean encrypted = (flags & ENCRYPTED) != 0;
        if (method != entry.getMethod() || encrypted != entry.getGeneralPurposeBit().usesEncryption()) return false;
        if ((flags & SIZES_FOLLOW) != 0) return true;
        return crc == entry.getCrc()
                && (packed == WIDE || packed == entry.getCompressedSize())
                && (unpacked == WIDE || unpacked == entry.getSize());
    }
}
