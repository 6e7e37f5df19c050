package nocturne.service.source;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.function.IntConsumer;
import nocturne.io.IncomingFile;

/// Writes what arrives into a file, counting and hashing it on the way. What is too long or has another hash than was
/// announced does not stay.
///
/// @param uri      where it comes from, for what has to be said
/// @param sha256   that it must have
/// @param maxBytes that it may have
record Receipt(URI uri, String sha256, long maxBytes) {

    /// @param body  read to its end, not closed
    /// @param into  an existing folder of ours
    /// @param moved told of every block as it arrives
    /// @return the file
    /// @throws IOException if `body` breaks off
    Path write(InputStream body, Path into, IntConsumer moved) throws IOException {
        Path file = into.resolve("bundle.zip");
        boolean received = false;
        try {
            receive(body, file, moved);
            received = true;
            return file;
        } finally {
            if (!received) Files.deleteIfExists(file);
        }
    }

    private void receive(InputStream body, Path file, IntConsumer moved) throws IOException {
        try (IncomingFile incoming = IncomingFile.create(file, newDigest())) {
            incoming.receive(body, count -> {
                if (incoming.bytes() + count > maxBytes) throw Refusals.tooLarge(uri, maxBytes);
                moved.accept(count);
            });
            String found = incoming.hash();
            String expected = sha256.toLowerCase(Locale.ROOT);
            if (!found.equals(expected)) throw Refusals.mismatch(uri, expected, found);
        }
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
