package nocturne.desk.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import nocturne.desk.Logs;
import nocturne.desk.doctor.Finding.Level;
import nocturne.hub.HubCache;
import nocturne.service.ServiceConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The doctor looks at a home that was made for it, on the machine that there is.
final class DoctorTest {
    private static final Set<String> CARDS = Set.of("GPU", "CUDA");

    @TempDir
    private Path home;

    @BeforeEach
    void makeAHealthyHome() throws IOException {
        Logs.withoutKafka();
        Files.createDirectories(home.resolve("routes"));
        Files.writeString(home.resolve("routes/inbox.camel.yaml"), "[]");
        model("small", "part-1.safetensors");
    }

    @Test
    void aHealthyHomeIsFitAndNothingIsLeftInIt() throws IOException {
        List<String> before = everything();
        List<Finding> findings = examine("");
        assertThat(findings).filteredOn(finding -> finding.level() == Level.PROBLEM).isEmpty();
        assertThat(Doctor.isFit(findings)).isTrue();
        assertThat(findings).extracting(Finding::topic)
                .contains("Java", "machine", "clock", "inbox", "outbox", "work", "disk", "models", "Kafka",
                        "routes", "service");
        assertThat(everything()).isEqualTo(before);
    }

    @Test
    void kafkaBeingAwayStopsNoJob() {
        List<Finding> findings = examine("localhost:1");
        assertThat(findings).filteredOn(finding -> finding.topic().equals("Kafka")).singleElement()
                .satisfies(finding -> assertThat(finding.level()).isEqualTo(Level.NOTE))
                .satisfies(finding -> assertThat(finding.found()).contains("localhost:1 does not answer"));
        assertThat(Doctor.isFit(findings)).isTrue();
        assertThat(findings).filteredOn(finding -> finding.level() != Level.OK)
                .allSatisfy(finding -> assertThat(finding.todo()).isNotBlank());
    }

    @Test
    void aShardThatIsMissingOrEmptyIsNamed() throws IOException {
        model("large", "part-1.safetensors", "part-2.safetensors");
        Files.delete(home.resolve("models/large/transformer/part-2.safetensors"));
        Files.writeString(home.resolve("models/large/transformer/part-1.safetensors"), "");
        assertThat(examine("")).filteredOn(finding -> finding.found().startsWith("large")).singleElement()
                .extracting(Finding::found)
                .isEqualTo("large is not complete: transformer/part-1.safetensors, transformer/part-2.safetensors");
    }

    @Test
    void withoutAnyModelNoJobCouldRun() throws IOException {
        Files.delete(home.resolve("models/small/transformer/part-1.safetensors"));
        assertUnfit(examine(""), "models");
    }

    @Test
    void modelsAreLookedForInAllFoldersForThem() throws IOException {
        model("large", "part-1.safetensors");
        Files.createDirectories(home.resolve("more"));
        Files.move(home.resolve("models/large"), home.resolve("more/large"));
        Files.createSymbolicLink(home.resolve("models/latest"), home.resolve("more/large"));
        assertThat(examine("")).filteredOn(finding -> finding.topic().equals("models")).extracting(Finding::found)
                .contains("small, 72 B", "latest, 72 B", "large, 72 B").noneMatch(found -> found.contains("outside"));
    }

    @Test
    void aModelThatIsALinkOutOfTheFoldersIsNamedWithWhatToDo() throws IOException {
        model("large", "part-1.safetensors");
        Files.createDirectories(home.resolve("disk"));
        Files.move(home.resolve("models/large"), home.resolve("disk/large"));
        Files.createSymbolicLink(home.resolve("models/latest"), home.resolve("disk/large"));
        assertThat(examine("")).filteredOn(finding -> finding.found().startsWith("latest")).singleElement()
                .satisfies(finding -> assertThat(finding.level()).isEqualTo(Level.NOTE))
                .satisfies(finding -> assertThat(finding.found()).contains(home.resolve("disk/large").toString()))
                .satisfies(finding -> assertThat(finding.todo()).contains(home.resolve("disk").toString()));
    }

    @Test
    void whatIsNotThereIsToldWithTheCommandThatFetchesIt() throws IOException {
        assertThat(examine("")).filteredOn(finding -> finding.found().equals("Qwen-Image-Edit-2509 is not there"))
                .singleElement().satisfies(finding ->
                        assertThat(finding.todo()).contains("./nocturne pull Qwen/Qwen-Image-Edit-2509"));
        Files.createDirectories(home.resolve("models/.pulling-Qwen-Image-Edit-2509/vae"));
        assertThat(examine("")).anyMatch(finding -> finding.level() == Level.NOTE
                && finding.found().equals("Qwen-Image-Edit-2509 is being fetched, or was"));
    }

    @Test
    void whatOtherProgramsHaveFetchedCounts() throws IOException {
        assertCounts(home.resolve("hub"));
    }

    @Test
    void aFolderForModelsMayBeWhereOtherProgramsFetch() throws IOException {
        assertCounts(home.resolve("more"));
    }

    private void assertCounts(Path cache) throws IOException {
        String commit = "a".repeat(40);
        Path fetched = cache.resolve("models--Qwen--Qwen-Image-Edit-2509");
        model("large", "part-1.safetensors");
        for (String part : List.of("vae", "text_encoder")) {
            Files.writeString(home.resolve("models/large").resolve(part).resolve("model.safetensors"), "weights");
        }
        Files.createDirectories(fetched.resolve("snapshots"));
        Files.createDirectories(fetched.resolve("refs"));
        Files.move(home.resolve("models/large"), fetched.resolve("snapshots").resolve(commit));
        Files.writeString(fetched.resolve("refs/main"), commit);
        assertThat(examine("")).anyMatch(finding -> finding.level() == Level.OK
                && finding.found().startsWith("Qwen/Qwen-Image-Edit-2509 in " + cache))
                .noneMatch(finding -> finding.found().endsWith("is not there")
                        || finding.found().startsWith("models--"));
        Files.delete(fetched.resolve("snapshots").resolve(commit).resolve("transformer/part-1.safetensors"));
        assertThat(examine("")).anyMatch(finding -> finding.level() == Level.NOTE
                && finding.found().contains("is not complete: transformer/part-1.safetensors"));
    }

    @Test
    void withoutRoutesNoJobCouldRun() throws IOException {
        Files.delete(home.resolve("routes/inbox.camel.yaml"));
        assertUnfit(examine(""), "routes");
    }

    @Test
    void aFileWhereAFolderShouldBeIsAProblem() throws IOException {
        Files.writeString(home.resolve("outbox"), "not a folder");
        assertUnfit(examine(""), "outbox");
    }

    @Test
    void aPortThatSomebodyElseHoldsIsAProblem() throws IOException {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertUnfit(new Doctor(patient("", other.getLocalPort())).examine(finding -> {}), "service");
        }
    }

    @Test
    void programsGetTheSameAsPeople() throws IOException {
        List<Finding> findings = examine("");
        StringWriter text = new StringWriter();
        findings.forEach(finding -> Doctor.print(finding, new PrintWriter(text)));
        JsonNode json = new ObjectMapper().readTree(Doctor.json(findings));
        assertThat(json.path("fit").asBoolean()).isTrue();
        assertThat(json.path("findings")).hasSize(findings.size());
        assertThat(json.path("findings").get(0).path("level").asText()).isEqualTo("ok");
        assertThat(text.toString().lines().filter(line -> !line.contains(" -> "))).hasSize(findings.size());
    }

    private static void assertUnfit(List<Finding> findings, String topic) {
        assertThat(findings).filteredOn(finding -> finding.level() == Level.PROBLEM)
                .extracting(Finding::topic).containsExactly(topic);
        assertThat(Doctor.isFit(findings)).isFalse();
    }

    /// Without what is said of the machine's cards, which may be sick without this being the test's business.
    private List<Finding> examine(String brokers) {
        List<Finding> heard = new ArrayList<>();
        List<Finding> findings = new Doctor(patient(brokers, 0)).examine(heard::add);
        assertThat(heard).isEqualTo(findings);
        assertThat(findings).extracting(Finding::topic).contains("GPU");
        return findings.stream().filter(finding -> !CARDS.contains(finding.topic())).toList();
    }

    private Patient patient(String brokers, int port) {
        ServiceConfig config = new ServiceConfig(home, Path.of("inbox"), Path.of("outbox"), Path.of("work"),
                Path.of("routes"), "here", Duration.ofSeconds(1), Duration.ofSeconds(1));
        return new Patient(config, List.of(home.resolve("models"), home.resolve("more")),
                new HubCache(home.resolve("hub")), "127.0.0.1", port,
                new Patient.Kafka(brokers, List.of("nocturne.jobs"), Map.of()));
    }

    private void model(String name, String... shards) throws IOException {
        Path model = home.resolve("models").resolve(name);
        for (String part : List.of("transformer", "vae", "text_encoder", "tokenizer", "scheduler")) {
            Files.createDirectories(model.resolve(part));
        }
        StringBuilder map = new StringBuilder();
        for (String shard : shards) {
            map.append(map.isEmpty() ? "" : ",").append("\"weight-%s\":\"%s\"".formatted(shard, shard));
            Files.writeString(model.resolve("transformer").resolve(shard), "weights");
        }
        Files.writeString(model.resolve("transformer/model.safetensors.index.json"), "{\"weight_map\":{" + map + "}}");
    }

    private List<String> everything() throws IOException {
        try (Stream<Path> files = Files.walk(home)) {
            return files.map(Path::toString).sorted().toList();
        }
    }
}
