package nocturne.service;

import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a service is started with. In the order of weight, the last one wins: what the program ships with, the file,
/// the environment, the command line.
///
/// @param home        Nocturne's own folder, which holds `models/` and `routes/`; relative paths are below it
/// @param file        the configuration file; null for `config/nocturne.yml` below home, if that is there
/// @param environment variables, of which `NOCTURNE_*` count: `NOCTURNE_UPLOAD_TIMEOUT` is `nocturne.upload-timeout`
/// @param settings    from the command line, by their whole key
/// @param version     of this program, for people
public record Startup(Path home, @Nullable Path file, Map<String, String> environment, Map<String, String> settings,
        String version) {
    public Startup {
        home = home.toAbsolutePath().normalize();
        environment = Map.copyOf(environment);
        settings = Map.copyOf(settings);
    }
}
