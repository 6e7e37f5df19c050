package nocturne.service.route;

import io.micronaut.context.ApplicationContext;
import java.nio.file.Path;
import java.util.Map;
import nocturne.service.ServiceConfig;
import org.apache.camel.spi.PropertiesSource;
import org.jspecify.annotations.Nullable;

/// Lets routes name our settings: `{{nocturne.inbox}}`.
final class MicronautSettings implements PropertiesSource {
    private final ApplicationContext context;
    /// Where these really are: a route knows nothing of the folder that relative paths are below.
    private final Map<String, Path> folders;

    MicronautSettings(ApplicationContext context, ServiceConfig config) {
        this.context = context;
        this.folders = Map.of("nocturne.home", config.home(), "nocturne.inbox", config.inbox(), "nocturne.outbox",
                config.outbox(), "nocturne.work", config.work(), "nocturne.routes", config.routes());
    }

    @Override
    public String getName() {
        return "nocturne";
    }

    @Override
    public @Nullable String getProperty(String name) {
        Path folder = folders.get(name);
        return folder != null ? folder.toString() : context.getProperty(name, String.class).orElse(null);
    }
}
