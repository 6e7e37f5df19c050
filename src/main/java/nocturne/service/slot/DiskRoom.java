package nocturne.service.slot;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Whether there is room on the disks to begin anything. All methods may be called from any thread.
final class DiskRoom {
    private static final Logger LOG = LoggerFactory.getLogger(DiskRoom.class);

    private final List<Path> folders;
    private final long reserve;
    private final Function<Path, OptionalLong> usableBytes;
    private volatile boolean enough = true;

    /// @param folders     that are written to
    /// @param reserve     bytes that stay free
    /// @param usableBytes of the disk a folder is on; where nobody knows, there is room
    DiskRoom(List<Path> folders, long reserve, Function<Path, OptionalLong> usableBytes) {
        this.folders = List.copyOf(folders);
        this.reserve = reserve;
        this.usableBytes = usableBytes;
    }

    /// Looks again, and says so where it has changed.
    boolean look() {
        boolean now = folders.stream()
                .allMatch(folder -> usableBytes.apply(folder).orElse(Long.MAX_VALUE) >= reserve);
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
