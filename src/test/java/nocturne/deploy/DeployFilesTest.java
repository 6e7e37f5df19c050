package nocturne.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import nocturne.service.ServiceConfig;
import nocturne.service.Settings;
import nocturne.service.Startup;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.nodes.Tag;

/// What is deployed fits what is built, as far as that can be told without a Docker engine or a cluster: files parse,
/// paths exist, settings and metrics are ours, and nobody is killed before they may finish.
final class DeployFilesTest {
    private static final Path HOME = Path.of("").toAbsolutePath();
    /// What the service may take beyond its trainers' grace; see nocturne.service.Service.
    private static final Duration WINDING_UP = Duration.ofSeconds(15);

    static Stream<Path> structuredFiles() throws IOException {
        List<Path> files = new ArrayList<>(List.of(HOME.resolve("docker-compose.yml")));
        try (Stream<Path> deploy = Files.walk(HOME.resolve("deploy"))) {
            deploy.filter(file -> file.toString().matches(".*\\.(ya?ml|json)")).sorted().forEach(files::add);
        }
        return files.stream();
    }

    @ParameterizedTest
    @MethodSource("structuredFiles")
    void everyFileParsesAndSaysNothingTwice(Path file) throws IOException {
        assertThat(documents(file)).isNotEmpty().allSatisfy(document -> assertThat(document).isNotNull());
    }

    @Test
    void composeMountsOnlyWhatIsThereAndStartsAfterWhatItHas() throws IOException {
        Map<?, ?> compose = map(documents(HOME.resolve("docker-compose.yml")).getFirst());
        Map<?, ?> services = map(compose.get("services"));
        assertThat(services.keySet().stream().map(String::valueOf))
                .containsExactlyInAnyOrder("kafka", "nocturne", "prometheus", "grafana");
        Set<String> volumes = texts(map(compose.get("volumes")).keySet());
        services.forEach((name, service) -> {
            for (Object mount : list(map(service).get("volumes"))) {
                String source = mount.toString().replaceFirst("^\\$\\{\\w+:-(.*?)}", "$1").split(":")[0];
                if (source.equals("./data")) continue;                 // made by Docker
                if (source.startsWith("./")) assertThat(HOME.resolve(source)).as("%s mounts it", name).exists();
                else assertThat(volumes).as("%s mounts it", name).contains(source);
            }
            Object before = map(service).get("depends_on");
            if (before != null) assertThat(texts(services.keySet())).containsAll(texts(map(before).keySet()));
        });
        // Everything that a profile does not hide is needed by the service.
        assertThat(map(services.get("prometheus")).get("profiles")).isEqualTo(List.of("monitoring"));
        assertThat(map(services.get("grafana")).get("profiles")).isEqualTo(List.of("monitoring"));
    }

    @Test
    void composeOpensPortsOnThisMachineOnly() throws IOException {
        Map<?, ?> services = map(map(documents(HOME.resolve("docker-compose.yml")).getFirst()).get("services"));
        services.values().forEach(service -> assertThat(list(map(service).get("ports")))
                .allSatisfy(port -> assertThat(port.toString()).startsWith("127.0.0.1:")));
    }

    @Test
    void theImageIsMadeOfWhatIsThereAndIsNotKeptFromTheBuilder() throws IOException {
        List<String> allowed = Files.readAllLines(HOME.resolve(".dockerignore")).stream()
                .filter(line -> line.startsWith("!")).map(line -> line.substring(1)).toList();
        List<String> copied = new ArrayList<>();
        for (String line : joined(Files.readAllLines(HOME.resolve("Dockerfile")))) {
            if (!line.startsWith("COPY ") || line.contains("--from=")) continue;
            String[] words = line.split("\\s+");
            for (int i = 1; i < words.length - 1; i++) copied.add(words[i]);
        }
        assertThat(copied).contains("pom.xml", "src", "nocturne", "routes", "examples").allSatisfy(source -> {
            assertThat(HOME.resolve(source)).exists();
            assertThat(allowed).anyMatch(path -> path.equals(source) || path.startsWith(source + "/")
                    || source.startsWith(path + "/"));
        });
    }

    @Test
    void everyVariableOfOursIsASetting(@TempDir Path home) throws IOException {
        Map<String, String> variables = new LinkedHashMap<>();
        String dockerfile = Files.readString(HOME.resolve("Dockerfile"));
        find("\\b(NOCTURNE_[A-Z_]+)=(\\S+)", dockerfile.substring(dockerfile.indexOf("ENV ")), variables);
        find("\\b(NOCTURNE_[A-Z_]+)=(\\S+)",
                uncommented(HOME.resolve("deploy/systemd/nocturne.service")), variables);
        find("(?m)^ +(NOCTURNE_[A-Z_]+): (\\S+)$", Files.readString(HOME.resolve("docker-compose.yml")), variables);
        find("name: (NOCTURNE_[A-Z_]+)()", Files.readString(HOME.resolve("deploy/kubernetes/statefulset.yaml")),
                variables);
        assertThat(variables).containsKeys("NOCTURNE_INBOX", "NOCTURNE_KAFKA_BROKERS", "NOCTURNE_HOST");
        variables.values().removeIf(String::isEmpty);
        try (Settings settings = Settings.read(new Startup(home, null, variables, Map.of(), "test"))) {
            assertThat(settings.warnings()).isEmpty();
            assertThat(settings.of(ServiceConfig.class).work()).isEqualTo(Path.of("/srv/nocturne/work"));
        }
    }

    @Test
    void theConfigurationForKubernetesIsUnderstood(@TempDir Path home) {
        Path file = HOME.resolve("deploy/kubernetes/nocturne.yml");
        try (Settings settings = Settings.read(new Startup(home, file, Map.of(), Map.of(), "test"))) {
            assertThat(settings.text("nocturne.management.host")).isEqualTo("0.0.0.0");
        }
    }

    @Test
    void nobodyKillsTheServiceBeforeItsTrainersHaveSaved(@TempDir Path home) throws IOException {
        Duration needed;
        try (Settings settings = Settings.read(new Startup(home, null, Map.of(), Map.of(), "test"))) {
            needed = settings.of(ServiceConfig.class).grace().plus(WINDING_UP);
        }
        Map<?, ?> services = map(map(documents(HOME.resolve("docker-compose.yml")).getFirst()).get("services"));
        assertThat(map(services.get("nocturne")).get("stop_grace_period")).isEqualTo("2m");
        assertThat(Duration.ofMinutes(2)).isGreaterThan(needed);
        assertThat(Duration.ofSeconds(number("TimeoutStopSec=(\\d+)", "deploy/systemd/nocturne.service")))
                .isGreaterThan(needed);
        assertThat(Duration.ofSeconds(number("terminationGracePeriodSeconds: (\\d+)",
                "deploy/kubernetes/statefulset.yaml"))).isGreaterThan(needed);
    }

    @Test
    void graphsAndAlertsUseOnlyMetricsThatThereAre() throws IOException {
        Set<String> known = Metrics.documented();
        Set<String> used = new TreeSet<>();
        for (Path file : List.of(HOME.resolve("deploy/grafana/dashboards/nocturne.json"),
                HOME.resolve("deploy/prometheus/nocturne.rules.yml"), HOME.resolve("deploy/kubernetes/scaling.yaml"))) {
            Pattern.compile("\\bnocturne_[a-z_]+").matcher(Files.readString(file)).results().map(MatchResult::group)
                    .forEach(used::add);
        }
        assertThat(used).hasSizeGreaterThan(12);
        assertThat(known).containsAll(used);
    }

    @Test
    void theListOfMetricsIsWhatTheProgramMeasures() throws IOException {
        assertThat(Metrics.documented()).isEqualTo(Metrics.registered());
    }

    @Test
    void everyAlertIsExplained() throws IOException {
        Map<?, ?> rules = map(documents(HOME.resolve("deploy/prometheus/nocturne.rules.yml")).getFirst());
        String manual = Files.readString(HOME.resolve("docs/operations.md"));
        for (Object rule : list(map(list(rules.get("groups")).getFirst()).get("rules"))) {
            assertThat(manual).contains("`" + map(rule).get("alert") + "`");
        }
    }

    @Test
    void theDashboardHasPanelsThatDoNotOverlapAndAskSomething() throws IOException {
        JsonNode dashboard =
                new ObjectMapper().readTree(HOME.resolve("deploy/grafana/dashboards/nocturne.json").toFile());
        Set<String> cells = new TreeSet<>();
        Set<Integer> ids = new TreeSet<>();
        for (JsonNode panel : dashboard.path("panels")) {
            assertThat(ids.add(panel.path("id").asInt())).as("id of %s", panel.path("title")).isTrue();
            assertThat(panel.path("targets")).isNotEmpty().allSatisfy(target ->
                    assertThat(target.path("expr").asText()).isNotBlank());
            JsonNode grid = panel.path("gridPos");
            for (int x = 0; x < grid.path("w").asInt(); x++) {
                for (int y = 0; y < grid.path("h").asInt(); y++) {
                    String cell = (grid.path("x").asInt() + x) + "," + (grid.path("y").asInt() + y);
                    assertThat(cells.add(cell)).as("%s at %s", panel.path("title"), cell).isTrue();
                }
            }
        }
    }

    /// The folder that the unit names is not on this machine, so a program that is takes its place.
    @Test
    void systemdUnderstandsTheUnit(@TempDir Path folder) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/systemd-analyze")), "systemd is not installed");
        Path unit = folder.resolve("nocturne.service");
        Files.writeString(unit, Files.readString(HOME.resolve("deploy/systemd/nocturne.service"))
                .replace("/opt/nocturne/nocturne serve", "/bin/true serve"));
        Process process = new ProcessBuilder("systemd-analyze", "verify", unit.toString()).redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(said.lines().filter(line -> line.contains("nocturne.service"))).isEmpty();
        assertThat(process.exitValue()).as(said).isZero();
    }

    private static List<Object> documents(Path file) throws IOException {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        Yaml yaml = new Yaml(new ResettingConstructor(options));
        return StreamSupport.stream(yaml.loadAll(Files.readString(file)).spliterator(), false)
                .collect(Collectors.toList());
    }

    /// Knows compose's `!reset`, which takes away what another file gave.
    private static final class ResettingConstructor extends SafeConstructor {
        ResettingConstructor(LoaderOptions options) {
            super(options);
            yamlConstructors.put(new Tag("!reset"), new ConstructYamlSeq());
        }
    }

    private static void find(String pattern, String text, Map<String, String> into) {
        Pattern.compile(pattern).matcher(text).results()
                .forEach(match -> into.put(match.group(1), match.group(2).replace("\"", "")));
    }

    private static String uncommented(Path file) throws IOException {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> !line.startsWith("#")).collect(Collectors.joining("\n"));
        }
    }

    private static List<String> joined(List<String> lines) {
        return String.join("\n", lines).replaceAll("\\\\\\n\\s*", " ").lines().toList();
    }

    private static long number(String pattern, String file) throws IOException {
        return Pattern.compile(pattern).matcher(Files.readString(HOME.resolve(file))).results()
                .mapToLong(match -> Long.parseLong(match.group(1))).findFirst().orElseThrow();
    }

    private static Map<?, ?> map(Object node) {
        assertThat(node).isInstanceOf(Map.class);
        return (Map<?, ?>) node;
    }

    private static List<?> list(Object node) {
        return node instanceof List<?> list ? list : List.of();
    }

    private static Set<String> texts(Set<?> keys) {
        return keys.stream().map(String::valueOf).collect(Collectors.toSet());
    }
}
