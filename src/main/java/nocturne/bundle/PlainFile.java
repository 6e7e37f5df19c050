package nocturne.bundle;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// Opens what a stranger put into a folder of ours: only a file, not a link to somewhere else, not a pipe that would
/// keep us waiting, and not a second name of a file that lies elsewhere too.
///
/// What was opened is what is worked on; the name is not looked at again, wherever it leads by then.
public final class PlainFile {
    private PlainFile() {}

    /// @throws UserMistake [Bundle#INVALID] if it is anything but a plain file with one name, or cannot be read
    public static FileChannel open(Path file) {
        try {
            BasicFileAttributes before = inspected(file);
            // A link put here meanwhile fails to open; another file put here meanwhile is noticed below.
            FileChannel opened = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
            try {
                if (!Objects.equals(before.fileKey(), inspected(file).fileKey())) {
                    throw mistake(file, "changed while it was opened");
                }
                return opened;
            } catch (IOException | RuntimeException e) {
                opened.close();
                throw e;
            }
        } catch (NoSuchFileException e) {
            throw mistake(file, "there is no such file");
        } catch (IOException e) {
            throw mistake(file, "cannot be read: " + e.getMessage());
        }
    }

    /// Why this is nothing to read; null for a plain file.
    static @Nullable String objection(Path file, BasicFileAttributes attributes) throws IOException {
        if (attributes.isSymbolicLink()) return "is a link; put the file itself there";
        if (!attributes.isRegularFile()) return "is not a file";
        if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) return null;
        int names = (Integer) Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS);
        return names > 1 ? "has a second name somewhere else (a hard link); put a copy there" : null;
    }

    private static BasicFileAttributes inspected(Path file) throws IOException {
        BasicFileAttributes attributes =
                Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        String objection = objection(file, attributes);
        if (objection != null) throw mistake(file, objection);
        return attributes;
    }

    private static UserMistake mistake(Path file, String what) {
        return new UserMistake(Bundle.INVALID, EntryName.shown(String.valueOf(file.getFileName())), what);
    }
}
