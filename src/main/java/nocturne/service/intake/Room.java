package nocturne.service.intake;

import io.micronaut.context.annotation.Value;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import nocturne.problem.SickMachine;

/// Sees to it that nothing is taken for which there is no room: a full disk must not cost a running job its
/// checkpoint.
@Singleton
final class Room {
    /// Pictures hardly shrink in a zip, so what is unpacked is about as large; twice that leaves room for caches.
    private static final int UNPACKED = 2;

    private final long reserve;

    /// @param reserve bytes that stay free, whatever comes
    Room(@Value("${nocturne.trainer.reserve:1073741824}") long reserve) {
        this.reserve = reserve;
    }

    /// @param source what is to be taken
    /// @param work   where it would go
    /// @throws SickMachine `DISK_FULL` if less than the reserve would be left
    void require(Path source, Path work) {
        long needed = reserve + UNPACKED * size(source);
        long free;
        try {
            FileStore disk = Files.getFileStore(work);
            free = disk.getUsableSpace();
        } catch (IOException unknown) {
            return;
        }
        if (free >= needed) return;
        throw new SickMachine("DISK_FULL", ("taking %s needs %,d bytes in %s with the reserve, and %,d are free. It is"
                + " taken as soon as there is room; nothing was changed.")
                .formatted(source.getFileName(), needed, work, free), null);
    }

    private static long size(Path source) {
        try {
            // A folder's own size says nothing; copying it is bounded by the limits on bundles and stops cleanly.
            return Files.isRegularFile(source) ? Files.size(source) : 0;
        } catch (IOException unknown) {
            return 0;
        }
    }
}
