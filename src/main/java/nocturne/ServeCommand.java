package nocturne;

import java.util.concurrent.Callable;
import nocturne.service.Service;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `nocturne serve`: the service, until a signal ends it.
@Command(name = "serve",
        description = "Trains whatever is dropped into the inbox, one job per device, until SIGTERM or Ctrl-C;"
                + " a second signal ends it at once.")
final class ServeCommand implements Callable<Integer> {
    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    ServeCommand() {}

    @Override
    public Integer call() {
        ServiceSignals signals = ServiceSignals.caught();
        Service service = Service.start(settings.startup());
        signals.tell(service::requestStop);
        service.runUntilStopped();
        return ExitCode.DONE.number();
    }
}
