package nocturne.service;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// What this machine calls itself, fit for event sources, Kafka ids and file names.
final class HostName {
    private static final int LONGEST = 63;
    /// Asking the kernel takes no time; asking the resolver may take seconds where the name is in no DNS.
    private static final Path KERNEL = Path.of("/proc/sys/kernel/hostname");

    private HostName() {}

    static String ofThisMachine() {
        return safe(asWritten());
    }

    /// `a-z`, `0-9`, `-` and `.` are kept, in lower case; anything else becomes `-`.
    static String safe(String name) {
        String plain = name.strip().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.-]+", "-");
        String cut = plain.substring(0, Math.min(plain.length(), LONGEST)).replaceAll("^[.-]+|[.-]+$", "");
        return cut.isEmpty() ? "localhost" : cut;
    }

    private static String asWritten() {
        try {
            return Files.readString(KERNEL);
        } catch (IOException notLinux) {
            try {
                return InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException nameless) {
                return "localhost";
            }
        }
    }
}
