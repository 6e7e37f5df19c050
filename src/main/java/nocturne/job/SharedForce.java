package nocturne.job;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import nocturne.io.AtomicFiles;

/// Forces a folder's list of names to the disk for many threads at once: who asks while another force is under way
/// shares the next one with all others who do.
final class SharedForce {
    private final Path folder;
    private final AtomicLong asked = new AtomicLong();
    private long done;

    SharedForce(Path folder) {
        this.folder = folder;
    }

    /// Returns when every change made to the folder before the call is on the disk.
    void force() throws IOException {
        long mine = asked.incrementAndGet();
        synchronized (this) {
            if (done >= mine) return;
            long all = asked.get();
            AtomicFiles.forceFolder(folder);
            done = all;
        }
    }
}
