package nocturne.service.slot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToLongFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whether there is room on the disks to begin anything. All methods may be called from any thread.
final class DiskRoom {
    private static final Logger LOG = LoggerFactory.getLogger(DiskRoom.class);

    private final List<Path> folders;
    private final long reserve;
    private final ToLongFunction<Path> usableBytes;
    private volatile boolean enough = true;

    /// @param folders     that are written to
    /// @param reserve     bytes that stay free
    /// @param usableBytes of the disk a folder is on
    DiskRoom(List<Path> folders, long reserve, ToLongFunction<Path> usableBytes) {
        this.folders = List.copyOf(folders);
        this.reserve = reserve;
        this.usableBytes = usableBytes;
    }

    /// As the operating system says; a folder that is not there yet, or cannot be asked, has room.
    static long usableBytes(Path folder) {
        try {
            return Files.exists(folder) ? Files.getFileStore(folder).getUsableSpace() : Long.MAX_VALUE;
        } catch (IOException unknown) {
            return Long.MAX_VALUE;
        }
    }

    /// Looks again, and says so where it has changed.
    boolean look() {
        boolean now = folders.stream().allMatch(folder -> usableBytes.applyAsLong(folder) >= reserve);
        if (now != enough) {
            if (now) LOG.info("there is room on the disk again; jobs go on");
            else LOG.warn("DISK_FULL: less than {} bytes are free in one of {}; no job is started until there is room",
                    reserve, folders);
        }
        enough = now;
        return now;
    }

    /// As of the last look.
    boolean isEnough() {
        return enough;
    }
}
