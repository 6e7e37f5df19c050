package nocturne.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A folder on a disk that can lose power, fill up and fail, for code that works through [java.nio.file].
///
/// Code under test is given [#root] instead of a real path. Everything it does really happens in the real folder below,
/// and every change is written down: files created, written, cut off and forced, folders made and forced, names changed
/// and removed. Then:
///
/// - [#crashes] lists everything that a power cut at any moment may have left. What was not forced may be kept, lost,
///   torn or zeroed, and names that were changed since their folder was last forced may be as before or as after, in
///   order. [#promise] notes what has been promised so far, so that a test can ask for it.
/// - [#stopAt] makes the n-th change and all that follow throw [PowerOff], as if the process were gone.
/// - [#failAt] makes the n-th change, and it alone, fail as a disk does.
///
/// ```java
/// CrashFileSystem disk = CrashFileSystem.over(scratch);
/// AtomicFiles.writeString(disk.root().resolve("state"), "one");
/// disk.promise("one");
/// AtomicFiles.writeString(disk.root().resolve("state"), "two");
/// for (Crash crash : disk.crashes()) {
///     Path folder = crash.rebuiltIn(empty);
///     if (crash.promised("one")) assertThat(folder.resolve("state")).as(crash.toString()).exists();
/// }
/// ```
///
/// What it does not do: memory-mapped writing, links that are not hard, [Path#toFile]. Reading is never disturbed.
public final class CrashFileSystem extends FileSystem {

    /// How the n-th change fails.
    public enum Failure {
        /// The disk is full; half of what was to be written still fits.
        NO_SPACE("No space left on device"),
        INPUT_OUTPUT("Input/output error"),
        /// It is done all the same, only the answer got lost, as on a network file system.
        ANSWER_LOST("Input/output error"),
        /// The network file system's server has forgotten the file.
        STALE("Stale file handle");

        private final String words;

        Failure(String words) {
            this.words = words;
        }

        IOException on(String path) {
            return new FileSystemException(path, null, words);
        }
    }

    /// There is no power any more. No part of the code under test should survive this.
    public static final class PowerOff extends Error {
        private static final long serialVersionUID = 1L;

        PowerOff() {
            super("power off");
        }
    }

    private final FileSystem real = FileSystems.getDefault();
    private final CrashProvider provider = new CrashProvider(this);
    private final Path folder;
    private final DiskHistory history;
    private int changes;
    private int stopAt = Integer.MAX_VALUE;
    private int failAt = Integer.MAX_VALUE;
    private @Nullable Failure failure;

    private CrashFileSystem(Path folder, DiskHistory history) {
        this.folder = folder;
        this.history = history;
    }

    /// @param folder a real, existing folder; what is in it counts as forced
    public static CrashFileSystem over(Path folder) {
        try {
            Path absolute = folder.toAbsolutePath();
            return new CrashFileSystem(absolute, DiskHistory.startingFrom(absolute));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What code under test works in.
    public Path root() {
        return new CrashPath(this, folder);
    }

    /// The same folder for everybody else.
    public Path realRoot() {
        return folder;
    }

    /// Notes that something has been promised: it has to be there after every later crash.
    public void promise(String what) {
        synchronized (history) {
            history.promise(what);
        }
    }

    /// How many changes there were so far; the first has number 1.
    public int changes() {
        return changes;
    }

    /// The n-th change and all after it find no power.
    public CrashFileSystem stopAt(int change) {
        stopAt = change;
        return this;
    }

    /// The n-th change fails; later ones do not.
    public CrashFileSystem failAt(int change, Failure how) {
        failAt = change;
        failure = how;
        return this;
    }

    /// Every state that a power cut between two changes, at the start or at the end may have left; each once.
    public List<DiskHistory.Crash> crashes() {
        synchronized (history) {
            return history.crashes();
        }
    }

    /// One of these states, where there are too many to look at all of them.
    public DiskHistory.Crash crash(RandomGenerator random) {
        synchronized (history) {
            return history.crash(random);
        }
    }

    DiskHistory history() {
        return history;
    }

    /// A path as the history knows it: below the root, with `/`.
    String name(Path path) {
        return folder.relativize(path.toAbsolutePath().normalize()).toString().replace('\\', '/');
    }

    /// A change, with the fault that is due.
    interface Change<T> {
        T make() throws IOException;
    }

    /// Makes one change and writes it down, unless it is the one that fails. To be called with the history locked.
    <T> T change(Path path, Change<T> change) throws IOException {
        return change(path, change, () -> {});
    }

    /// @param half what happens of it where the disk fills up in the middle
    <T> T change(Path path, Change<T> change, IOAction half) throws IOException {
        changes++;
        if (changes >= stopAt) throw new PowerOff();
        if (changes != failAt || failure == null) return change.make();
        if (failure == Failure.NO_SPACE) half.run();
        if (failure == Failure.ANSWER_LOST) change.make();
        throw failure.on(path.toString());
    }

    /// Something with the disk.
    interface IOAction {
        void run() throws IOException;
    }

    @Override
    public FileSystemProvider provider() {
        return provider;
    }

    @Override
    public void close() {}

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public boolean isReadOnly() {
        return false;
    }

    @Override
    public String getSeparator() {
        return real.getSeparator();
    }

    @Override
    public Iterable<Path> getRootDirectories() {
        return List.of(root());
    }

    @Override
    public Iterable<FileStore> getFileStores() {
        return real.getFileStores();
    }

    @Override
    public Set<String> supportedFileAttributeViews() {
        return real.supportedFileAttributeViews();
    }

    @Override
    public Path getPath(String first, String... more) {
        return new CrashPath(this, real.getPath(first, more));
    }

    @Override
    public PathMatcher getPathMatcher(String syntaxAndPattern) {
        PathMatcher matcher = real.getPathMatcher(syntaxAndPattern);
        return path -> matcher.matches(CrashPath.real(path));
    }

    @Override
    public UserPrincipalLookupService getUserPrincipalLookupService() {
        return real.getUserPrincipalLookupService();
    }

    @Override
    public WatchService newWatchService() {
        throw new UnsupportedOperationException();
    }
}
