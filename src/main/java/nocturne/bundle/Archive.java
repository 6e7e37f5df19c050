package nocturne.bundle;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// Formats that hold other files, known by how they begin. Nobody unpacks them, so in a bundle they only hide things.
enum Archive {
    ZIP("zip", 0, "504b0304"),
    EMPTY_ZIP("zip", 0, "504b0506"),
    SPLIT_ZIP("zip", 0, "504b0708"),
    SEVEN_ZIP("7z", 0, "377abcaf271c"),
    RAR("rar", 0, "526172211a07"),
    GZIP("gzip", 0, "1f8b08"),
    BZIP2("bzip2", 0, "425a68"),
    XZ("xz", 0, "fd377a585a00"),
    ZSTANDARD("zstd", 0, "28b52ffd"),
    TAR("tar", 257, "7573746172");

    private final String word;
    private final int at;
    private final byte[] mark;

    Archive(String word, int at, String hex) {
        this.word = word;
        this.at = at;
        this.mark = HexFormat.of().parseHex(hex);
    }

    /// What people call the archive that a file beginning with these bytes is; empty if it is none.
    static Optional<String> kindOf(byte[] bytes, int length) {
        for (Archive archive : values()) {
            int end = archive.at + archive.mark.length;
            if (end <= length && Arrays.equals(bytes, archive.at, end, archive.mark, 0, archive.mark.length)) {
                return Optional.of(archive.word);
            }
        }
        return Optional.empty();
    }
}
