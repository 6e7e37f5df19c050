package nocturne.service.publish;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import nocturne.event.EventLine;
import nocturne.io.ContentHash;

/// Small sample pictures that travel beside the event that announces them.
///
/// @param limit bytes of the largest one that does; 0 for none
record Attachments(int limit) {
    private static final String SAMPLE = "nocturne.sample.written.v1";

    /// @param contentType such as `image/png`
    record Attachment(byte[] bytes, String contentType) {}

    /// The picture that a line announces, if it is one, is small, and is still the one that was announced.
    Optional<Attachment> of(Journal journal, EventLine line) {
        String path = line.data().path("path").asText();
        if (limit <= 0 || journal.isHost() || !line.type().equals(SAMPLE)) return Optional.empty();
        String type = path.endsWith(".jpg") ? "image/jpeg" : "image/png";
        Path run = journal.file().resolveSibling("run").normalize();
        Path picture = run.resolve(path).normalize();
        if (!picture.startsWith(run)) return Optional.empty();
        try (InputStream in = Files.newInputStream(picture, LinkOption.NOFOLLOW_LINKS)) {
            byte[] bytes = in.readNBytes(limit + 1);
            boolean isIt = bytes.length <= limit
                    && ContentHash.ofBytes(bytes).equals(line.data().path("sha256").asText());
            return isIt ? Optional.of(new Attachment(bytes, type)) : Optional.empty();
        } catch (IOException gone) {
            // Whoever wants it finds the path and the hash in the event.
            return Optional.empty();
        }
    }
}
