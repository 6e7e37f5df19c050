package nocturne.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import nocturne.problem.DiskFull;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// Files that appear whole or not at all, whatever happens in between, a power cut included.
///
/// The way: write a sibling, force it to the disk, rename it, force the folder. A reader sees the old file or the new
/// one. A write that fails removes its sibling; one that is killed leaves it, and [#removeLeftovers] sweeps it away.
public final class AtomicFiles {
    private static final String PREFIX = ".nocturne-";
    private static final String SUFFIX = ".part";
    /// The words of Linux and macOS where the path itself allows no writing.
    private static final Set<String> UNUSABLE = Set.of("Read-only file system", "Not a directory");
    private static final AtomicLong COUNTER = new AtomicLong();
    private static final boolean WINDOWS =
            System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");

    private AtomicFiles() {}

    /// Replaces `target` with this text, in UTF-8.
    public static void writeString(Path target, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        write(target, bytes.length, out -> out.write(bytes));
    }

    /// Replaces `target` with what `content` writes; see [#write(Path, long, IOConsumer)].
    public static void write(Path target, IOConsumer<OutputStream> content) {
        write(target, 0, content);
    }

    /// Replaces `target` with what `content` writes. Missing parent folders are made.
    ///
    /// @param expectedBytes how much that will be, for the message when the disk is full; 0 if it is not known
    /// @param content       writes to a buffered stream, which it need not close
    /// @throws SickMachine `DISK_FULL` with what was being written, the bytes needed and free; `WRITE_FAILED` otherwise
    /// @throws UserMistake `NOT_WRITABLE` if this user may not write there
    public static void write(Path target, long expectedBytes, IOConsumer<OutputStream> content) {
        write(target, expectedBytes, content, written -> {});
    }

    /// The same, with a proof: `verify` gets the written file, forced to the disk but still under its temporary name.
    /// If it throws, the file never gets its final name.
    public static void write(
            Path target, long expectedBytes, IOConsumer<OutputStream> content, IOConsumer<Path> verify) {
        Path folder = folderOf(target);
        Path temporary = temporaryIn(folder);
        try {
            createFolders(folder);
            try {
                writeForced(temporary, content);
                verify.accept(temporary);
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                forceFolder(folder);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw explained(e, target, folder, expectedBytes);
        }
    }

    /// Lets `target` hold what `source` holds: as a second name of the same file where the file system has that, else
    /// as a copy with the same time. Missing parent folders are made.
    ///
    /// @param source a file that is only ever replaced, never changed
    /// @throws SickMachine as [#write]
    /// @throws UserMistake as [#write]
    public static void linkOrCopy(Path source, Path target) {
        Path folder = folderOf(target);
        Path temporary = temporaryIn(folder);
        try {
            createFolders(folder);
            try {
                if (!link(source, temporary)) copyForced(source, temporary);
                Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                forceFolder(folder);
            } finally {
                // Also after success: renaming one name of a file to another name of it does nothing, says POSIX.
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw explained(e, target, folder, sizeOf(source));
        }
    }

    private static boolean link(Path source, Path temporary) throws IOException {
        Files.deleteIfExists(temporary);
        try {
            Files.createLink(temporary, source);
            return true;
        } catch (UnsupportedOperationException | FileSystemException notHere) {
            // Another file system, or one without second names; what is wrong otherwise is found by the copy.
            return false;
        }
    }

    private static void copyForced(Path source, Path temporary) throws IOException {
        try (InputStream in = Files.newInputStream(source)) {
            writeForced(temporary, in::transferTo);
        }
        Files.setLastModifiedTime(temporary, Files.getLastModifiedTime(source));
    }

    private static long sizeOf(Path file) {
        try {
            return Files.size(file);
        } catch (IOException unknown) {
            return 0;
        }
    }

    /// Makes a folder and what is missing above it, so that all of them survive a power cut.
    public static void createFolders(Path folder) throws IOException {
        List<Path> missing = new ArrayList<>();
        for (Path at = folder.toAbsolutePath(); at != null && !Files.isDirectory(at); at = at.getParent()) {
            missing.add(at);
        }
        Files.createDirectories(folder);
        for (Path made : missing) forceFolder(folderOf(made));
    }

    /// Forces a folder's list of names to the disk, so that a rename in it survives a power cut.
    public static void forceFolder(Path folder) throws IOException {
        // Windows cannot open folders, and does not need to.
        if (WINDOWS) return;
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// Deletes what killed writers left in a folder (not in its subfolders). Files of writers that are still alive
    /// stay.
    public static void removeLeftovers(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> leftovers = files.filter(AtomicFiles::isLeftover).filter(file -> !isBeingWritten(file)).toList();
            for (Path leftover : leftovers) Files.deleteIfExists(leftover);
        } catch (IOException e) {
            throw new SickMachine("WRITE_FAILED", "cleaning " + folder + " failed: " + e.getMessage(), e);
        }
    }

    /// Whether a file has the name of a write that has not finished.
    public static boolean isLeftover(Path file) {
        Path name = file.getFileName();
        return name != null && name.toString().startsWith(PREFIX) && name.toString().endsWith(SUFFIX);
    }

    /// Whether another living process has the number in the file's name.
    private static boolean isBeingWritten(Path leftover) {
        String name = leftover.getFileName().toString();
        String process = name.substring(PREFIX.length(), Math.max(PREFIX.length(), name.indexOf('-', PREFIX.length())));
        if (!process.matches("\\d{1,18}")) return false;
        long pid = Long.parseLong(process);
        return pid != ProcessHandle.current().pid() && ProcessHandle.of(pid).isPresent();
    }

    private static Path folderOf(Path target) {
        Path folder = target.toAbsolutePath().getParent();
        if (folder == null) throw new UserMistake("NOT_WRITABLE", target.toString(), "is not a file");
        return folder;
    }

    private static Path temporaryIn(Path folder) {
        return folder.resolve(
                PREFIX + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet() + SUFFIX);
    }

    private static void writeForced(Path temporary, IOConsumer<OutputStream> content) throws IOException {
        // A leftover of an earlier process with the same number may lie there. It goes, and is not written over: it may
        // be a second name of a file that is needed.
        Files.deleteIfExists(temporary);
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16)) {
            content.accept(out);
            out.flush();
            channel.force(true);
        }
    }

    /// What a failure to write means for the person, for writers that cannot go through [#write(Path, IOConsumer)].
    ///
    /// @return a [SickMachine] or [UserMistake] to throw, as that method does
    public static RuntimeException explained(IOException cause, Path target) {
        return explained(cause, target, folderOf(target), 0);
    }

    private static RuntimeException explained(IOException cause, Path target, Path folder, long expectedBytes) {
        String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        if (DiskFull.isMeantBy(cause)) {
            String needed = expectedBytes > 0 ? "%d bytes are needed, ".formatted(expectedBytes) : "";
            String what = "writing %s: the disk is full; %s%s free.".formatted(target, needed, freeBytes(folder));
            return new SickMachine(DiskFull.CODE,
                    what + " Make room and start again; what was there before is untouched.", cause);
        }
        boolean forbidden = cause instanceof AccessDeniedException
                || cause instanceof FileAlreadyExistsException
                || cause instanceof FileSystemException e && UNUSABLE.contains(String.valueOf(e.getReason()));
        if (forbidden) {
            return new UserMistake("NOT_WRITABLE", target.toString(), "cannot be written by this user: " + reason);
        }
        return new SickMachine("WRITE_FAILED", "writing " + target + " failed: " + reason, cause);
    }

    private static String freeBytes(Path folder) {
        OptionalLong free = FreeSpace.of(folder);
        return free.isPresent() ? free.getAsLong() + " bytes are" : "an unknown number of bytes is";
    }
}
