package nocturne.io;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What [java.nio.file.Files] does to a [CrashFileSystem].
final class CrashProvider extends FileSystemProvider {
    /// Of what is only read: its number is never asked for.
    private static final int NONE = -1;

    private final CrashFileSystem disk;

    CrashProvider(CrashFileSystem disk) {
        this.disk = disk;
    }

    @Override
    public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        Path real = CrashPath.real(path);
        synchronized (disk.history()) {
            boolean folder = Files.isDirectory(real);
            boolean writes = options.contains(StandardOpenOption.WRITE) || options.contains(StandardOpenOption.APPEND);
            boolean makes = writes && Files.notExists(real) && (options.contains(StandardOpenOption.CREATE)
                    || options.contains(StandardOpenOption.CREATE_NEW));
            boolean cuts = writes && !makes && options.contains(StandardOpenOption.TRUNCATE_EXISTING)
                    && Files.exists(real) && Files.size(real) > 0;
            CrashFileSystem.Change<FileChannel> open = () -> {
                FileChannel file = FileChannel.open(real, options, attributes);
                if (makes) disk.history().created(disk.name(real));
                int number = folder || !writes ? NONE : disk.history().number(disk.name(real));
                if (cuts) disk.history().cut(number, 0);
                return new CrashChannel(disk, real, file, folder, options.contains(StandardOpenOption.APPEND), number);
            };
            return makes || cuts ? disk.change(real, open) : open.make();
        }
    }

    @Override
    public SeekableByteChannel newByteChannel(Path path, Set<? extends OpenOption> options,
            FileAttribute<?>... attributes) throws IOException {
        return newFileChannel(path, options, attributes);
    }

    @Override
    public void createDirectory(Path path, FileAttribute<?>... attributes) throws IOException {
        Path real = CrashPath.real(path);
        synchronized (disk.history()) {
            if (Files.exists(real)) {
                Files.createDirectory(real, attributes);
                return;
            }
            disk.change(real, () -> {
                Files.createDirectory(real, attributes);
                disk.history().madeFolder(disk.name(real));
                return real;
            });
        }
    }

    @Override
    public void createLink(Path link, Path existing) throws IOException {
        Path from = CrashPath.real(existing);
        Path to = CrashPath.real(link);
        synchronized (disk.history()) {
            disk.change(to, () -> {
                Files.createLink(to, from);
                disk.history().linked(disk.name(from), disk.name(to));
                return to;
            });
        }
    }

    @Override
    public void delete(Path path) throws IOException {
        Path real = CrashPath.real(path);
        synchronized (disk.history()) {
            if (!Files.exists(real, LinkOption.NOFOLLOW_LINKS)) throw new NoSuchFileException(real.toString());
            disk.change(real, () -> {
                Files.delete(real);
                disk.history().deleted(disk.name(real));
                return real;
            });
        }
    }

    @Override
    public void move(Path source, Path target, CopyOption... options) throws IOException {
        Path from = CrashPath.real(source);
        Path to = CrashPath.real(target);
        synchronized (disk.history()) {
            if (!Files.exists(from, LinkOption.NOFOLLOW_LINKS)) throw new NoSuchFileException(from.toString());
            disk.change(to, () -> {
                Files.move(from, to, options);
                disk.history().renamed(disk.name(from), disk.name(to));
                return to;
            });
        }
    }

    @Override
    public void copy(Path source, Path target, CopyOption... options) throws IOException {
        byte[] bytes = Files.readAllBytes(CrashPath.real(source));
        Set<OpenOption> how = new HashSet<>(Set.of(StandardOpenOption.WRITE));
        if (List.of(options).contains(StandardCopyOption.REPLACE_EXISTING)) {
            how.addAll(Set.of(StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING));
        } else {
            how.add(StandardOpenOption.CREATE_NEW);
        }
        try (SeekableByteChannel file = newByteChannel(target, how)) {
            file.write(ByteBuffer.wrap(bytes));
        }
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path folder, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> real = Files.newDirectoryStream(CrashPath.real(folder))) {
            for (Path entry : real) {
                Path ours = new CrashPath(disk, entry);
                if (filter.accept(ours)) entries.add(ours);
            }
        }
        return new DirectoryStream<>() {
            @Override
            public Iterator<Path> iterator() {
                return entries.iterator();
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public boolean isSameFile(Path one, Path other) throws IOException {
        return Files.isSameFile(CrashPath.real(one), CrashPath.real(other));
    }

    @Override
    public boolean isHidden(Path path) throws IOException {
        return Files.isHidden(CrashPath.real(path));
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
        return Files.getFileStore(CrashPath.real(path));
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        Path real = CrashPath.real(path);
        real.getFileSystem().provider().checkAccess(real, modes);
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
        return Files.getFileAttributeView(CrashPath.real(path), type, options);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        return Files.readAttributes(CrashPath.real(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) throws IOException {
        return Files.readAttributes(CrashPath.real(path), attributes, options);
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
        Files.setAttribute(CrashPath.real(path), attribute, value, options);
    }

    @Override
    public String getScheme() {
        return "crash";
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        return disk;
    }

    @Override
    public Path getPath(URI uri) {
        throw new UnsupportedOperationException();
    }
}
