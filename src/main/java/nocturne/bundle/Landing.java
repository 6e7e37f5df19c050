package nocturne.bundle;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.FolderTree;
import nocturne.problem.SickMachine;

/// A folder in the making: it gets its name when it is complete and on the disk, and vanishes if it never is.
final class Landing implements AutoCloseable {
    private static final String PART = ".part-";
    private static final long ME = ProcessHandle.current().pid();
    private static final AtomicLong COUNTER = new AtomicLong();
    /// Ours, now. In a container every process may have had our number, so the number alone says nothing.
    private static final Set<Path> LIVE = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final Path part;
    private final Set<Path> made = new LinkedHashSet<>();

    private Landing(Path folder, Path part) {
        this.folder = folder;
        this.part = part;
    }

    /// A failure of our disk, told apart from a failure of what the user gave us.
    static final class DiskTrouble extends IOException {
        private static final long serialVersionUID = 1L;

        private final transient IOException trouble;

        DiskTrouble(IOException trouble) {
            super(trouble.getMessage(), trouble);
            this.trouble = trouble;
        }

        RuntimeException explained(Path target) {
            return AtomicFiles.explained(trouble, target);
        }
    }

    /// Begins a folder inside `folder`, which is made if it is not there.
    ///
    /// @param prefix of its temporary name; what killed processes left under the same prefix is removed
    static Landing in(Path folder, String prefix) throws DiskTrouble {
        // Another process may be unpacking the same zip: each works in a folder of its own, the first one done wins.
        Path part = folder.resolve(prefix + PART + ME + "-" + COUNTER.incrementAndGet()).toAbsolutePath();
        LIVE.add(part);
        try {
            Files.createDirectories(folder);
            sweepAbandoned(folder, prefix + PART);
            FolderTree.delete(part);
            Files.createDirectories(part);
        } catch (IOException e) {
            LIVE.remove(part);
            throw new DiskTrouble(e);
        }
        return new Landing(folder, part);
    }

    /// Where the files lie until the folder is complete.
    Path part() {
        return part;
    }

    /// A new file, on the disk when it is closed.
    OutputStream create(EntryName name) throws DiskTrouble {
        Path to = resolve(name);
        // The names were checked; this line is the wall behind the fence.
        if (!to.normalize().startsWith(part)) throw new IllegalStateException("left the folder: " + to);
        try {
            Files.createDirectories(to.getParent());
            Path above = part;
            made.add(above);
            for (String next : name.parts().subList(0, name.parts().size() - 1)) {
                above = above.resolve(next);
                made.add(above);
            }
            return new ToDisk(FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw new DiskTrouble(e);
        }
    }

    private Path resolve(EntryName name) {
        try {
            return part.resolve(name.path());
        } catch (InvalidPathException e) {
            throw new SickMachine("NAME_UNSUPPORTED", ("writing %s: Java was started without a locale and cannot write"
                    + " names like this one; start it with LC_ALL=C.UTF-8").formatted(EntryName.shown(name.path())), e);
        }
    }

    /// Gives the folder its name; if another process was faster, its folder stays.
    void complete(String name) throws DiskTrouble {
        Path target = folder.resolve(name);
        try {
            for (Path each : made) AtomicFiles.forceFolder(each);
            try {
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                if (!Files.isDirectory(target)) throw e;
            }
            AtomicFiles.forceFolder(folder);
        } catch (IOException e) {
            throw new DiskTrouble(e);
        }
    }

    @Override
    public void close() {
        try {
            FolderTree.delete(part);
        } catch (IOException e) {
            // The next attempt begins by removing it; the reason for this one's end matters more.
            return;
        } finally {
            LIVE.remove(part);
        }
    }

    /// Removes what killed processes left; those that are alive keep theirs.
    private static void sweepAbandoned(Path folder, String prefix) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.toList()) {
                String name = String.valueOf(entry.getFileName());
                if (!name.startsWith(prefix)) continue;
                String pid = name.substring(prefix.length()).split("-", 2)[0];
                if (!isAlive(pid, entry)) FolderTree.delete(entry);
            }
        }
    }

    private static boolean isAlive(String pid, Path part) {
        if (pid.equals(Long.toString(ME))) return LIVE.contains(part.toAbsolutePath());
        return pid.matches("\\d{1,18}") && ProcessHandle.of(Long.parseLong(pid)).isPresent();
    }

    /// Marks write errors as ours, and forces the file to the disk before it is closed: the folder's final name must
    /// not survive a power cut that its files did not.
    private static final class ToDisk extends OutputStream {
        private final FileChannel file;

        ToDisk(FileChannel file) {
            this.file = file;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            try {
                ByteBuffer rest = ByteBuffer.wrap(bytes, offset, length);
                while (rest.hasRemaining()) file.write(rest);
            } catch (IOException e) {
                throw new DiskTrouble(e);
            }
        }

        @Override
        public void close() throws IOException {
            try (file) {
                file.force(true);
            } catch (IOException e) {
                throw new DiskTrouble(e);
            }
        }
    }
}
