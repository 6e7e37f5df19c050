package nocturne.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The service's own metrics by the names that Prometheus sees, as they are documented and as the program has them.
final class Metrics {
    private static final Pattern COUNTER =
            Pattern.compile("(?:Counter\\.builder|\\.counter)\\(\\s*\"(nocturne\\.[a-z.]+)\"");
    private static final Pattern GAUGE =
            Pattern.compile("(?:Gauge\\.builder|gauge|training)\\(\\s*\"(nocturne\\.[a-z.]+)\"");
    private static final Pattern NAME = Pattern.compile("`(nocturne_[a-z_]+)`");

    private Metrics() {}

    /// First column of the table in docs/metrics.md.
    static Set<String> documented() throws IOException {
        Set<String> names = new TreeSet<>();
        for (String line : Files.readAllLines(Path.of("docs/metrics.md"))) {
            if (!line.startsWith("| `nocturne_")) continue;
            NAME.matcher(line.split("\\|")[1]).results().forEach(match -> names.add(match.group(1)));
        }
        return names;
    }

    /// Read from the sources: which metrics a running service has depends on what it was told to do.
    static Set<String> registered() throws IOException {
        Set<String> names = new TreeSet<>();
        try (Stream<Path> sources = Files.walk(Path.of("src/main/java/nocturne/service"))) {
            for (Path source : sources.filter(file -> file.toString().endsWith(".java")).toList()) {
                String text = Files.readString(source);
                COUNTER.matcher(text).results()
                        .forEach(match -> names.add(match.group(1).replace('.', '_') + "_total"));
                GAUGE.matcher(text).results().forEach(match -> names.add(match.group(1).replace('.', '_')));
            }
        }
        return names;
    }
}
