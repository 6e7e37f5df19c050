package nocturne.service.publish;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.TimeUnit;

/// Which version of a file this is, as far as can be told without reading it: its size and time. A copy of ours has the
/// time of the original.
final class Stamp {
    private Stamp() {}

    /// @return empty if there is no regular file; links are not followed
    static String of(Path file) {
        try {
            return of(Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
        } catch (IOException gone) {
            return "";
        }
    }

    static String of(BasicFileAttributes attributes) {
        return attributes.isRegularFile()
                ? attributes.size() + "@" + attributes.lastModifiedTime().to(TimeUnit.MICROSECONDS)
                : "";
    }
}
