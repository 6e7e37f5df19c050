package nocturne.service.inbox;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Something under a name in the inbox, looked at without following links.
///
/// @param path where it is
/// @param kind what it is
/// @param look how it looks
record DroppedFile(Path path, Kind kind, Arrivals.Look look) {
    private static final boolean HAS_NAMES_COUNTED = Path.of("").getFileSystem().supportedFileAttributeViews()
            .contains("unix");

    enum Kind {
        /// A regular file with this one name.
        PLAIN,
        FOLDER,
        LINK,
        /// A regular file that lies elsewhere too; whoever linked it here may not be allowed to read it.
        SECOND_NAME,
        /// A pipe, a device, a socket.
        SPECIAL
    }

    /// Empty if there is nothing.
    static Optional<DroppedFile> at(Path path) throws IOException {
        try {
            BasicFileAttributes attributes =
                    Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            return Optional.of(new DroppedFile(path, kind(path, attributes), look(attributes)));
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        }
    }

    /// Opens it for reading without ever waiting, and only if what was opened is what was looked at.
    ///
    /// @return null if it is no plain file, or no longer the same one
    static @Nullable FileChannel open(DroppedFile file) throws IOException {
        if (file.kind != Kind.PLAIN) return null;
        try (UnwaitingOpen opened = UnwaitingOpen.of(file.path)) {
            BasicFileAttributes attributes = Files.readAttributes(opened.path(), BasicFileAttributes.class);
            if (!attributes.isRegularFile() || !Objects.equals(attributes.fileKey(), file.look.key())) return null;
            return FileChannel.open(opened.path(), StandardOpenOption.READ);
        } catch (NoSuchFileException gone) {
            return null;
        }
    }

    private static Arrivals.Look look(BasicFileAttributes attributes) {
        return new Arrivals.Look(attributes.size(), attributes.lastModifiedTime().toMillis(), attributes.fileKey());
    }

    private static Kind kind(Path path, BasicFileAttributes attributes) throws IOException {
        if (attributes.isSymbolicLink()) return Kind.LINK;
        if (attributes.isDirectory()) return Kind.FOLDER;
        if (!attributes.isRegularFile()) return Kind.SPECIAL;
        return names(path) > 1 ? Kind.SECOND_NAME : Kind.PLAIN;
    }

    private static int names(Path path) throws IOException {
        if (!HAS_NAMES_COUNTED) return 1;
        Map<String, Object> found = Files.readAttributes(path, "unix:nlink", LinkOption.NOFOLLOW_LINKS);
        return found.get("nlink") instanceof Integer count ? count : 1;
    }
}
