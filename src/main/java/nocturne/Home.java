package nocturne;

import java.nio.file.Path;

/// The folder Nocturne is started from: the one that holds `models/`.
final class Home {
    private Home() {}

    /// The launcher names it in `-Dnocturne.home`; in a test or an IDE it is the working directory.
    static Path folder() {
        return Path.of(System.getProperty("nocturne.home", "")).toAbsolutePath().normalize();
    }
}
