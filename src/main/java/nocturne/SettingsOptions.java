package nocturne;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import nocturne.hub.HubCache;
import nocturne.plan.ModelSearch;
import nocturne.service.ModelsConfig;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import nocturne.service.Startup;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which service is meant: the options that tell a command where to look, the same that `serve` was started with.
final class SettingsOptions {
    @Option(names = "--config", paramLabel = "FILE",
            description = "Settings in YAML, those of the service. Default: config/nocturne.yml beside the launcher,"
                    + " if it is there.")
    private @Nullable Path config;

    @Option(names = "-D", paramLabel = "KEY=VALUE", mapFallbackValue = "true",
            description = "One setting, such as -Dnocturne.work=/srv/work; may be given several times.")
    private Map<String, String> settings = new LinkedHashMap<>();

    SettingsOptions() {}

    Startup startup() {
        return new Startup(Home.folder(), config, System.getenv(), settings, Version.number());
    }

    Settings read() {
        return Settings.read(startup());
    }

    /// Where a person's models lie: in the service's folders for them too.
    ModelSearch models() {
        try (Settings read = read()) {
            Path home = read.of(ServiceConfig.class).home();
            return new ModelSearch.Anywhere(home, read.of(ModelsConfig.class).below(home),
                    HubCache.ofThisUser().orElse(null));
        }
    }
}
