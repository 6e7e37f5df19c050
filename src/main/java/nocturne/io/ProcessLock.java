package nocturne.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import nocturne.problem.UserMistake;

/// One process to a folder. The lock is the operating system's, so it goes with its process however that ends; what
/// stands in the file only tells who holds it. The file stays: deleting it would let two processes lock two files of
/// one name.
public final class ProcessLock implements AutoCloseable {
    /// Locks of this process. They are kept here too because a process that opens a file it has locked, and closes it
    /// again, loses its lock on it (POSIX).
    private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private ProcessLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /// @param file  made where it is missing, with the folders above it
    /// @param host  what this machine is called, for others who find the lock held
    /// @param inUse what to throw when it is held; gets the holder's words, which may be empty
    /// @throws UserMistake what `inUse` makes
    public static ProcessLock take(Path file, String host, Function<String, UserMistake> inUse) {
        try {
            Path folder = file.toAbsolutePath().resolveSibling("");
            Files.createDirectories(folder);
            Path real = folder.toRealPath().resolve(file.getFileName());
            if (!OURS.add(real)) {
                throw inUse.apply("process " + ProcessHandle.current().pid() + ", this one");
            }
            try {
                return new ProcessLock(real, locked(real, host, inUse));
            } catch (IOException | RuntimeException | Error e) {
                OURS.remove(real);
                throw e;
            }
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }

    private static FileChannel locked(Path file, String host, Function<String, UserMistake> inUse)
            throws IOException {
        FileChannel channel = FileChannel.open(file,
                StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
        try {
            if (channel.tryLock() == null) throw inUse.apply(Files.readString(file).strip());
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
