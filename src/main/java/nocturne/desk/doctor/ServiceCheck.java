package nocturne.desk.doctor;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import nocturne.desk.RunningService;
import nocturne.service.ServiceConfig;

/// Whether a service is at work, and whether one could be.
final class ServiceCheck implements Check {
    private final ServiceConfig config;
    private final String host;
    private final int port;

    ServiceCheck(ServiceConfig config, String host, int port) {
        this.config = config;
        this.host = host;
        this.port = port;
    }

    @Override
    public List<Finding> look() {
        List<Finding> findings = new ArrayList<>();
        findings.add(routes(config.routes()));
        RunningService service = RunningService.in(config.workFolder(), Clock.systemUTC());
        findings.add(Finding.ok("service", service.words()));
        if (!service.isRunning() && isTaken()) {
            findings.add(Finding.problem("service", "port %d of %s is in use by another program".formatted(port, host),
                    "End it, or choose another: nocturne.management.port."));
        }
        return findings;
    }

    private static Finding routes(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            long count = files.filter(file -> file.toString().endsWith(".camel.yaml")).count();
            if (count > 0) return Finding.ok("routes", "%d in %s".formatted(count, folder));
        } catch (IOException absent) {
            // As good as none.
        }
        return Finding.problem("routes", "none in " + folder,
                "Put back the files that came with Nocturne, or set nocturne.routes: without them nothing comes in.");
    }

    private boolean isTaken() {
        if (port == 0) return false;
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
            return false;
        } catch (IOException taken) {
            return true;
        }
    }
}
