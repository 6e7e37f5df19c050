package nocturne.io;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A real path that goes through a [CrashFileSystem].
final class CrashPath implements Path {
    private final CrashFileSystem disk;
    private final Path path;

    CrashPath(CrashFileSystem disk, Path path) {
        this.disk = disk;
        this.path = path;
    }

    /// The path itself, whoever it goes through.
    static Path real(Path any) {
        return any instanceof CrashPath ours ? ours.path : any;
    }

    private Path through(Path real) {
        return new CrashPath(disk, real);
    }

    private @Nullable Path throughOrNull(@Nullable Path real) {
        return real == null ? null : new CrashPath(disk, real);
    }

    @Override
    public FileSystem getFileSystem() {
        return disk;
    }

    @Override
    public boolean isAbsolute() {
        return path.isAbsolute();
    }

    @Override
    public @Nullable Path getRoot() {
        return throughOrNull(path.getRoot());
    }

    @Override
    public @Nullable Path getFileName() {
        return throughOrNull(path.getFileName());
    }

    @Override
    public @Nullable Path getParent() {
        return throughOrNull(path.getParent());
    }

    @Override
    public int getNameCount() {
        return path.getNameCount();
    }

    @Override
    public Path getName(int index) {
        return through(path.getName(index));
    }

    @Override
    public Path subpath(int from, int to) {
        return through(path.subpath(from, to));
    }

    @Override
    public boolean startsWith(Path other) {
        return path.startsWith(real(other));
    }

    @Override
    public boolean endsWith(Path other) {
        return path.endsWith(real(other));
    }

    @Override
    public Path normalize() {
        return through(path.normalize());
    }

    @Override
    public Path resolve(Path other) {
        return through(path.resolve(real(other)));
    }

    @Override
    public Path relativize(Path other) {
        return through(path.relativize(real(other)));
    }

    @Override
    public URI toUri() {
        return path.toUri();
    }

    @Override
    public Path toAbsolutePath() {
        return through(path.toAbsolutePath());
    }

    @Override
    public Path toRealPath(LinkOption... options) throws IOException {
        return through(path.toRealPath(options));
    }

    @Override
    public WatchKey register(WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int compareTo(Path other) {
        return path.compareTo(real(other));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CrashPath that && disk == that.disk && path.equals(that.path);
    }

    @Override
    public int hashCode() {
        return Objects.hash(disk, path);
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
