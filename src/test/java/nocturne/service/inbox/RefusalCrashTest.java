package nocturne.service.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import nocturne.promise.Promise;
import nocturne.service.ServiceProcess;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The real service stops dead between a refusal and the moment when the refused file lies where it belongs.
final class RefusalCrashTest {
    private static final String BAD = "PK, but no zip; and long enough to be one that is";

    @TempDir
    private Path folder = Path.of("");

    /// Before the refusal is a job's; when it is one and nothing else has happened; when only the file has to go.
    @ParameterizedTest
    @ValueSource(strings = {"import.prepared", "import.moved", "inbox.answered"})
    @Promise(row = 19, fault = "the process halts between a refusal and putting the file away")
    void aDropIsRefusedOnceAndTheNextOneAnew(String place) throws IOException {
        try (ServiceProcess service = ServiceProcess.in(folder).withJava("-Dnocturne.crash=" + place)) {
            Path inbox = service.inbox();
            Path request = Files.writeString(inbox.resolve("elsewhere.job.json.part"),
                    "{\"version\": 1, \"bundle\": 7}");
            service.start().awaitReady();
            drop(inbox, "bad.zip");
            assertThat(service.exitCode()).as("it came by").isEqualTo(137);

            service.withJava("-Dnocturne.crash=").start().awaitReady();
            patiently().untilAsserted(() -> assertThat(names(inbox.resolve("rejected"))).containsExactly("bad.zip"));
            assertThat(refused(service)).as("answers to the first drop").hasSize(1);

            drop(inbox, "bad.zip");
            Files.move(request, inbox.resolve("elsewhere.job.json"));
            patiently().untilAsserted(() -> assertThat(names(inbox.resolve("rejected")))
                    .containsExactly("bad-2.zip", "bad.zip", "elsewhere.job.json"));
            assertThat(refused(service)).as("an answer to each drop").hasSize(3);
            assertThat(names(inbox)).containsExactly(".claimed", "rejected");
        }
    }

    private static void drop(Path inbox, String name) throws IOException {
        Path part = Files.writeString(inbox.resolve(name + ".part"), BAD);
        Files.move(part, inbox.resolve(name));
    }

    /// The jobs that were refused, in the work folder, where a kill leaves what is true.
    private static List<String> refused(ServiceProcess service) throws IOException {
        List<String> jobs = names(service.work().resolve("jobs"));
        for (String job : jobs) {
            assertThat(service.work().resolve("jobs/" + job + "/events.jsonl")).content()
                    .containsOnlyOnce("nocturne.job.rejected.v1");
        }
        return jobs;
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(60));
    }
}
