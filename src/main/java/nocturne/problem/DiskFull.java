package nocturne.problem;

import java.io.IOException;

/// Tells a disk without room from other failures to write: Java has no exception of its own for it.
public final class DiskFull {
    /// Code of a [SickMachine] whose disk is full.
    public static final String CODE = "DISK_FULL";

    private DiskFull() {}

    /// The words of Linux, macOS and Windows for: no space, quota used up, file larger than the limit.
    public static boolean isMeantBy(IOException failure) {
        String reason = String.valueOf(failure.getMessage());
        return reason.contains("No space left on device")
                || reason.contains("Disk quota exceeded")
                || reason.contains("File too large")
                || reason.contains("not enough space on the disk");
    }
}
