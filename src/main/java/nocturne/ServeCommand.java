package nocturne;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import nocturne.problem.SickMachine;
import nocturne.service.Service;
import nocturne.service.Startup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `nocturne serve`: the service, until a signal ends it.
@Command(name = "serve",
        description = "Trains whatever is dropped into the inbox, one job per device, until SIGTERM or Ctrl-C;"
                + " a second signal ends it at once.")
final class ServeCommand implements Callable<Integer> {
    @Mixin
    private SettingsOptions settings = new SettingsOptions();

    @Option(names = "--rehearse", hidden = true,
            description = "Start in an empty folder, stop at once: the launcher lets Java learn from that.")
    private boolean rehearse;

    ServeCommand() {}

    @Override
    public Integer call() {
        ServiceSignals signals = ServiceSignals.caught();
        if (rehearse) return rehearsed();
        Service service = Service.start(settings.startup());
        signals.tell(service::requestStop);
        service.runUntilStopped();
        return ExitCode.DONE.number();
    }

    private static int rehearsed() {
        try {
            Path folder = Files.createTempDirectory("nocturne-rehearsal-");
            Map<String, String> own = Map.of("nocturne.inbox", folder + "/inbox", "nocturne.outbox", folder + "/outbox",
                    "nocturne.work", folder + "/work", "nocturne.management.port", "0");
            Service service = Service.start(new Startup(Home.folder(), null, Map.of(), own, Version.number()));
            service.requestStop("this was a rehearsal");
            service.runUntilStopped();
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
            }
            return ExitCode.DONE.number();
        } catch (IOException e) {
            throw new SickMachine("WRITE_FAILED", "rehearsing in a temporary folder: " + e.getMessage(), e);
        }
    }
}
