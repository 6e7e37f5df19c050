package nocturne.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// SHA-256 of content, as 64 lower-case hexadecimal digits: the name under which caches and jobs know a thing.
///
/// The instance collects parts. Each part is hashed with its length before it, so that ("ab", "c") and ("a", "bc")
/// differ. The plain hashes of one file or array are those that `sha256sum` prints.
public final class ContentHash {
    private final MessageDigest digest = sha256();

    /// What `sha256sum` says of a file.
    public static String ofFile(Path file) {
        MessageDigest digest = sha256();
        addFile(digest, file);
        return HexFormat.of().formatHex(digest.digest());
    }

    /// What `sha256sum` says of these bytes.
    public static String ofBytes(byte[] bytes) {
        return HexFormat.of().formatHex(sha256().digest(bytes));
    }

    public ContentHash add(String text) {
        return add(text.getBytes(StandardCharsets.UTF_8));
    }

    public ContentHash add(byte[] bytes) {
        digest.update(lengthPrefix(bytes.length));
        digest.update(bytes);
        return this;
    }

    public ContentHash add(long number) {
        return add(lengthPrefix(number));
    }

    /// Adds a file's bytes; its name does not matter.
    public ContentHash addFile(Path file) {
        // The length is not asked beforehand: a file that grows meanwhile would get a prefix that lies.
        return add(ofFile(file));
    }

    /// The hash of all parts so far. The instance must not be used afterwards.
    public String hex() {
        return HexFormat.of().formatHex(digest.digest());
    }

    private static byte[] lengthPrefix(long length) {
        return ByteBuffer.allocate(Long.BYTES).putLong(length).array();
    }

    private static void addFile(MessageDigest digest, Path file) {
        byte[] block = new byte[1 << 16];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(block); count >= 0; count = in.read(block)) digest.update(block, 0, count);
        } catch (NoSuchFileException e) {
            throw new UserMistake("FILE_NOT_FOUND", file.toString(), "does not exist");
        } catch (IOException e) {
            throw new SickMachine("FILE_UNREADABLE", "reading " + file + " failed: " + e.getMessage(), e);
        }
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
