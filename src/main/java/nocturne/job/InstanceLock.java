package nocturne.job;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import nocturne.io.AtomicFiles;
import nocturne.problem.UserMistake;

/// One service to a work folder. The lock is the operating system's, so it goes with its process however that ends;
/// what stands in the file only tells who holds it.
final class InstanceLock implements AutoCloseable {
    /// `WORK_IN_USE`: another process holds the folder.
    static final String IN_USE = "WORK_IN_USE";

    /// Locks of this process. They are kept here too because a process that opens a file it has locked, and closes it
    /// again, loses its lock on it (POSIX).
    private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private InstanceLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /// @throws UserMistake [#IN_USE] with who holds it
    static InstanceLock take(Path file, String host) {
        try {
            Path folder = file.toAbsolutePath().resolveSibling("");
            Files.createDirectories(folder);
            Path real = folder.toRealPath().resolve(file.getFileName());
            if (!OURS.add(real)) throw inUse(file, "process " + ProcessHandle.current().pid() + ", this one");
            try {
                return new InstanceLock(real, locked(real, host));
            } catch (IOException | RuntimeException | Error e) {
                OURS.remove(real);
                throw e;
            }
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }

    private static FileChannel locked(Path file, String host) throws IOException {
        FileChannel channel = FileChannel.open(file,
                StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
        try {
            if (channel.tryLock() == null) throw inUse(file, Files.readString(file).strip());
            byte[] holder = "process %d on %s\n".formatted(ProcessHandle.current().pid(), host)
                    .getBytes(StandardCharsets.UTF_8);
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(holder), 0);
            return channel;
        } catch (IOException | RuntimeException | Error e) {
            channel.close();
            throw e;
        }
    }

    private static UserMistake inUse(Path file, String holder) {
        return new UserMistake(IN_USE, file.toString(),
                "another Nocturne works in this folder%s. Stop it first, or give this one a folder of its own."
                        .formatted(holder.isEmpty() ? "" : ": " + holder));
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException ignored) {
            // The process's end releases it all the same.
        } finally {
            OURS.remove(file);
        }
    }
}
