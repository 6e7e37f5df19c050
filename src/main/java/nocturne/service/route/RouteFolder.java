package nocturne.service.route;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import nocturne.problem.UserMistake;
import nocturne.service.Causes;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;

/// The `*.camel.yaml` files of the routes' folder. Those named `kafka-*` are for a service that has a Kafka.
final class RouteFolder {
    static final String CODE = "ROUTE_INVALID";

    private final Path folder;
    private final boolean withKafka;

    RouteFolder(Path folder, boolean withKafka) {
        this.folder = folder;
        this.withKafka = withKafka;
    }

    /// @throws UserMistake if a file is no sound route: which one, and what is wrong
    void loadInto(CamelContext camel) {
        for (Path file : files()) {
            try {
                Resource route = PluginHelper.getResourceLoader(camel).resolveResource("file:" + file);
                PluginHelper.getRoutesLoader(camel).loadRoutes(List.of(route));
            } catch (Exception e) {
                throw broken(file.toString(), e);
            }
        }
    }

    static UserMistake broken(String where, Exception cause) {
        String what = String.valueOf(Causes.innermost(cause).getMessage()).strip().replaceAll("\\s+", " ");
        return new UserMistake(CODE, where, "is no sound route: " + what);
    }

    private List<Path> files() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(this::isWanted).sorted().toList();
        } catch (IOException e) {
            throw new UserMistake(CODE, folder.toString(), "the folder with the routes cannot be read: " + e);
        }
    }

    private boolean isWanted(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".camel.yaml") && !name.startsWith(".") && (withKafka || !name.startsWith("kafka-"));
    }
}
