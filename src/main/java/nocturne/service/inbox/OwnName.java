package nocturne.service.inbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.regex.Pattern;
import nocturne.io.AtomicFiles;

/// What this service calls itself in an inbox that several share: the same after every restart, and another one for
/// every work folder, so that what it had claimed when it was killed is known to be its own.
final class OwnName {
    private static final Pattern SHAPE = Pattern.compile("[a-z0-9.-]{1,63}~[0-9a-f]{8}");
    private static final int DIGITS = 8;

    private OwnName() {}

    /// @param file where it is kept, in the private work folder
    /// @param host for people who look into the inbox
    static String in(Path file, String host) {
        try {
            if (Files.exists(file)) {
                String name = Files.readString(file).strip();
                if (SHAPE.matcher(name).matches()) return name;
            }
        } catch (IOException e) {
            throw AtomicFiles.explained(e, file);
        }
        String name = host + "~" + UUID.randomUUID().toString().substring(0, DIGITS);
        AtomicFiles.writeString(file, name + "\n");
        return name;
    }
}
