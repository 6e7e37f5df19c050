package nocturne.job;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import nocturne.io.AtomicFiles;
import nocturne.problem.UserMistake;

/// One service to a work folder. The lock is the operating system's, so it goes with its process however that ends;
/// what stands in the file only tells who holds it.
final class InstanceLock implements AutoCloseable {
    /// `WORK_IN_USE`: another process holds the folder.
    static final String IN_USE = "WORK_IN_USE";

    private final FileChannel channel;

    private InstanceLock(FileChannel channel) {
        this.channel = channel;
    }

    static InstanceLock take(Path file, String host) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            FileChannel channel = FileChannel.open(file,
                    StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
            if (!lock(channel)) {
                String holder = Files.readString(file).strip();
                channel.close();
                throw new UserMistake(IN_USE, file.toString(),
                        "another Nocturne works in this folder%s. Stop it first, or give this one a folder of its own."
                                .formatted(holder.isEmpty() ? "" : ": " + holder));
            }
            byte[] holder = "process %d on %s\n".formatted(ProcessHandle.current().pid(), host)
                    .getBytes(StandardCharsets.UTF_8);
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(holder), 0);
            return new InstanceLock(channel);
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
    }

    private static boolean lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException heldByThisProcess) {
            return false;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException ignored) {
            // The process's end releases it all the same.
        }
    }
}
