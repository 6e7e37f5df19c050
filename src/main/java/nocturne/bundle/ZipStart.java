package nocturne.bundle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;

/// What the first bytes of a file say it is.
enum ZipStart {
    ZIP,
    /// Nothing yet: too short to tell, or room that was reserved and not filled.
    MISSING,
    OTHER;

    private static final int BYTES = 4;
    private static final int FILE = 0x04034b50;
    private static final int EMPTY = 0x06054b50;

    static ZipStart of(FileChannel file) throws IOException {
        ByteBuffer start = ZipEnd.read(file, 0, BYTES);
        int there = 0;
        while (there < start.limit() && start.get(there) != 0) there++;
        if (there < BYTES) return "PK\3".startsWith(text(start, there)) ? MISSING : OTHER;
        return start.getInt(0) == FILE || start.getInt(0) == EMPTY ? ZIP : OTHER;
    }

    private static String text(ByteBuffer bytes, int length) {
        return new String(bytes.array(), 0, length, StandardCharsets.ISO_8859_1);
    }
}
