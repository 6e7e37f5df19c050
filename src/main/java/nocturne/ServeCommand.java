package nocturne;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import nocturne.service.Service;
import nocturne.service.Startup;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `nocturne serve`: the service, until a signal ends it.
@Command(name = "serve",
        description = "Trains whatever is dropped into the inbox, one job per device, until SIGTERM or Ctrl-C;"
                + " a second signal ends it at once.")
final class ServeCommand implements Callable<Integer> {
    @Option(names = "--config", paramLabel = "FILE",
            description = "Settings in YAML. Default: config/nocturne.yml beside the launcher, if it is there.")
    private @Nullable Path config;

    @Option(names = "-D", paramLabel = "KEY=VALUE", mapFallbackValue = "true",
            description = "One setting, such as -Dnocturne.inbox=/srv/inbox; may be given several times.")
    private Map<String, String> settings = new LinkedHashMap<>();

    ServeCommand() {}

    @Override
    public Integer call() {
        ServiceSignals signals = ServiceSignals.caught();
        Service service =
                Service.start(new Startup(Home.folder(), config, System.getenv(), settings, Version.number()));
        signals.tell(service::requestStop);
        service.runUntilStopped();
        return ExitCode.DONE.number();
    }
}
