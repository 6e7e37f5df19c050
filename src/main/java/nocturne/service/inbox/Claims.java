package nocturne.service.inbox;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import nocturne.io.AtomicFiles;
import nocturne.io.FolderTree;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes files out of the inbox and puts them where they belong afterwards.
///
/// ```
/// inbox/
///   .claimed/<service>/<drop>/x.zip   ours: renamed to where nobody else looks, so of several services one wins
///   .claimed/<service>/<drop>/x.zip.done   came along, and goes back with it
///   .claimed/<service>/.alive      says that the service lives
///   rejected/x.zip                 could not be used
/// ```
///
/// A folder for each claim, because a name may be as long as names can be, and because renaming onto a file would
/// silently replace it. Its name is given once and for all, so that the answer to what lies in it, once it is in the
/// ledger, is known to be that by whoever finds the folder after a crash.
final class Claims {
    static final String CLAIMED = ".claimed";
    static final String REJECTED = "rejected";
    static final String ALIVE = ".alive";
    private static final Logger LOG = LoggerFactory.getLogger(Claims.class);
    private static final int LONGEST_NAME_BYTES = 255;
    private static final int RUN_DIGITS = 8;

    private final Path inbox;
    private final Path own;
    private final Names names;
    /// What no other run of this service calls its claims.
    private final String run = UUID.randomUUID().toString().substring(0, RUN_DIGITS);
    private final AtomicLong counter = new AtomicLong();
    private final Set<Path> inUse = ConcurrentHashMap.newKeySet();

    /// @param ownName of this service, which no other one has; see [OwnName]
    /// @throws UserMistake if the inbox cannot be used, or somebody has put something else where our folders should be
    Claims(Path inbox, String ownName, Names names) {
        this.inbox = inbox;
        this.own = inbox.resolve(CLAIMED).resolve(ownName);
        this.names = names;
        try {
            Files.createDirectories(inbox);
            privateFolder(inbox.resolve(CLAIMED));
            privateFolder(own);
            folder(inbox.resolve(REJECTED));
        } catch (IOException e) {
            throw AtomicFiles.explained(e, inbox);
        }
    }

    /// Takes a file or folder that lies in the inbox, and the marker that lies beside it.
    ///
    /// @return where it is now; empty if somebody else was faster
    Optional<Path> claim(String name) throws IOException {
        Path place = own.resolve("%s-%d".formatted(run, counter.incrementAndGet()));
        inUse.add(place);
        Files.createDirectory(place);
        boolean ours = false;
        try {
            Path claimed = place.resolve(name);
            if (names.move(inbox.resolve(name), claimed)) {
                moveMarker(inbox.resolve(name), claimed);
                ours = true;
            }
            return ours ? Optional.of(claimed) : Optional.empty();
        } finally {
            if (!ours) leave(place);
        }
    }

    /// Puts a claimed file or folder where its answer says.
    void settle(Path claimed, Outcome outcome) throws IOException {
        switch (outcome) {
            case TAKEN -> delete(claimed);
            case REFUSED -> {
                Path kept = reject(claimed);
                if (kept != null) LOG.info("{} is kept as {}", claimed.getFileName(), kept);
            }
            case LATER -> giveBack(claimed);
        }
    }

    /// What was in it is durable elsewhere: the file or folder goes.
    void delete(Path claimed) throws IOException {
        try {
            FolderTree.delete(claimed);
        } finally {
            leaveWithoutMarker(claimed);
        }
    }

    /// Puts it where the user finds what could not be used.
    ///
    /// @return where it is now; null if it is gone
    @Nullable Path reject(Path claimed) throws IOException {
        try {
            return place(claimed, inbox.resolve(REJECTED));
        } finally {
            leaveWithoutMarker(claimed);
        }
    }

    /// Puts it back where it lay, or beside a newer file of that name.
    void giveBack(Path claimed) throws IOException {
        try {
            putBack(claimed);
        } finally {
            leave(placeOf(claimed));
        }
    }

    /// First the content: a marker alone would be taken for that of whatever comes under its name.
    private @Nullable Path putBack(Path claimed) throws IOException {
        Path now = place(claimed, inbox);
        if (now != null) moveMarker(claimed, now);
        return now;
    }

    /// Claims of our own that nobody is at work on: made before we were killed, or a rename that came true after it was
    /// given up.
    List<Path> forgotten() throws IOException {
        List<Path> found = new ArrayList<>();
        for (Path place : list(own)) {
            if (Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS) && !inUse.contains(place)) found.add(place);
        }
        return found;
    }

    /// Takes up again what lies in a claim's folder of our own that nobody is at work on.
    ///
    /// @return empty if it is not one thing
    Optional<Path> takeUp(Path place) throws IOException {
        List<Path> content = list(place).stream().filter(path -> !isMarker(path)).toList();
        if (content.size() != 1) return Optional.empty();
        inUse.add(place);
        return Optional.of(content.getFirst());
    }

    /// Lets what was taken up lie where it is, to be found among the forgotten again.
    void letLie(Path claimed) {
        inUse.remove(placeOf(claimed));
    }

    /// Puts everything in a claim's folder back into the inbox, and removes the folder.
    ///
    /// @return how many files and folders that were
    int rescue(Path place) throws IOException {
        int count = 0;
        for (Path claimed : list(place)) {
            if (!isMarker(claimed) && putBack(claimed) != null) count++;
        }
        // A marker that is still there is of something that went back before it.
        for (Path left : list(place)) {
            if (isMarker(left)) names.move(left, inbox.resolve(left.getFileName()));
        }
        leave(place);
        return count;
    }

    /// The folders of all services that have claimed something and not left.
    List<Path> services() throws IOException {
        return list(inbox.resolve(CLAIMED)).stream()
                .filter(folder -> Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)).toList();
    }

    Path own() {
        return own;
    }

    static List<Path> list(Path folder) throws IOException {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
            all.forEach(entries::add);
        } catch (NoSuchFileException gone) {
            return List.of();
        }
        return entries;
    }

    /// Moves into a folder under a name that is free there. The name is first taken by an empty file or folder of our
    /// own, which the move then replaces: so nobody else's file can be replaced.
    private @Nullable Path place(Path claimed, Path folder) throws IOException {
        String name = claimed.getFileName().toString();
        boolean isFolder = Files.isDirectory(claimed, LinkOption.NOFOLLOW_LINKS);
        for (int number = 1; ; number++) {
            Path target = folder.resolve(number == 1 ? name : numbered(name, number));
            try {
                if (isFolder) Files.createDirectory(target);
                else Files.createFile(target);
            } catch (FileAlreadyExistsException taken) {
                continue;
            }
            Optional<DroppedFile> ours = DroppedFile.at(target);
            boolean moved = false;
            try {
                moved = names.move(claimed, target);
                return moved ? target : null;
            } finally {
                // A share may have done what it denies: only the very file that we made ourselves may go.
                if (!moved && ours.isPresent() && DroppedFile.at(target).equals(ours)) Files.deleteIfExists(target);
            }
        }
    }

    /// `x.zip`, 2 is `x-2.zip`.
    static String numbered(String name, int number) {
        int dot = name.indexOf('.', 1);
        String base = dot < 0 ? name : name.substring(0, dot);
        String ending = dot < 0 ? "" : name.substring(dot);
        String suffix = "-" + number;
        // Where a name is as long as names may be, the number takes the place of its last letters.
        while (base.length() > 1 && bytes(base) + bytes(suffix + ending) > LONGEST_NAME_BYTES) {
            base = base.substring(0, base.offsetByCodePoints(base.length(), -1));
        }
        return base + suffix + ending;
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private void leave(Path place) throws IOException {
        inUse.remove(place);
        try {
            Files.deleteIfExists(place);
        } catch (DirectoryNotEmptyException cameTrueLater) {
            // Found among the forgotten.
        }
    }

    private void leaveWithoutMarker(Path claimed) throws IOException {
        try {
            if (hasMarker(claimed)) Files.deleteIfExists(marker(claimed));
        } finally {
            leave(placeOf(claimed));
        }
    }

    /// If there is one.
    private void moveMarker(Path from, Path to) throws IOException {
        if (hasMarker(from)) names.move(marker(from), marker(to));
    }

    /// The longest names leave no room for one, which is no error here.
    private static boolean hasMarker(Path content) {
        return Files.exists(marker(content), LinkOption.NOFOLLOW_LINKS);
    }

    private static Path marker(Path content) {
        return content.resolveSibling(WholeFiles.withDone(content.getFileName().toString()));
    }

    private static boolean isMarker(Path path) {
        return WholeFiles.isMarker(path.getFileName().toString());
    }

    /// What this claim is called, and no other one that this service ever makes.
    static String nameOf(Path claimed) {
        return placeOf(claimed).getFileName().toString();
    }

    private static Path placeOf(Path claimed) {
        return Objects.requireNonNull(claimed.getParent());
    }

    private static void privateFolder(Path folder) throws IOException {
        boolean posix = folder.getFileSystem().supportedFileAttributeViews().contains("posix");
        folder(folder, posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))}
                : new FileAttribute<?>[0]);
    }

    private static void folder(Path folder, FileAttribute<?>... attributes) throws IOException {
        try {
            Files.createDirectory(folder, attributes);
        } catch (FileAlreadyExistsException e) {
            if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) return;
            throw new UserMistake("INBOX_UNUSABLE", folder.toString(),
                    "is not a folder, and must be one: the service keeps dropped files there. Remove it.");
        }
    }
}
