package nocturne.bundle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/// What the first bytes of a file say it is.
enum ZipStart {
    ZIP,
    /// Nothing yet: too short to tell, or room that was reserved and not filled.
    MISSING,
    OTHER;

    private static final int BYTES = 4;

    static ZipStart of(FileChannel file) throws IOException {
        ByteBuffer start = ZipEnd.read(file, 0, BYTES);
        for (int at = 0; at < Math.min(2, start.limit()); at++) {
            if (start.get(at) != 0 && start.get(at) != "PK".charAt(at)) return OTHER;
        }
        if (start.limit() < BYTES) return MISSING;
        return switch (start.getInt(0)) {
            case 0 -> MISSING;
            case 0x04034b50, 0x06054b50 -> ZIP;
            default -> OTHER;
        };
    }
}
