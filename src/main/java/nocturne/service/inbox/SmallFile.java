package nocturne.service.inbox;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import nocturne.problem.UserMistake;

/// The bytes of a claimed request or command.
final class SmallFile {
    private SmallFile() {}

    /// @throws UserMistake if it is no plain file, or larger than any message
    static byte[] read(Path claimed) throws IOException {
        String name = claimed.getFileName().toString();
        DroppedFile file = DroppedFile.at(claimed).orElseThrow(() -> new NoSuchFileException(name));
        try (SeekableByteChannel channel = DroppedFile.open(file)) {
            if (channel == null) {
                throw new UserMistake("NOT_A_FILE", name, "is a link or no file; drop the file itself");
            }
            if (channel.size() > WholeFiles.LARGEST_JSON) {
                throw new UserMistake("MESSAGE_TOO_LARGE", name, "has %d bytes; at most %d are allowed"
                        .formatted(channel.size(), WholeFiles.LARGEST_JSON));
            }
            return Channels.newInputStream(channel).readNBytes(WholeFiles.LARGEST_JSON);
        }
    }
}
