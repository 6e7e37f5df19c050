package nocturne.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/// How much room there is on a disk.
public final class FreeSpace {
    private FreeSpace() {}

    /// Bytes that this process may still write to the disk that a folder is on; empty for a folder that is not there,
    /// and where the file system does not say.
    public static OptionalLong of(Path folder) {
        try {
            return OptionalLong.of(Files.getFileStore(folder).getUsableSpace());
        } catch (IOException unknown) {
            return OptionalLong.empty();
        }
    }
}
