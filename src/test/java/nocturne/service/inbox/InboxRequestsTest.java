package nocturne.service.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.promise.Promise;
import nocturne.service.BundleSource;
import nocturne.service.Incoming;
import nocturne.service.Intake;
import nocturne.service.Intake.Verdict;
import nocturne.service.ServiceConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Requests whose bundles lie where nobody answers now.
final class InboxRequestsTest {
    private static final Job JOB = Job.queued(new JobId("maya"), "maya", "inbox:maya.job.json", "0".repeat(64), "",
            null, 0, "", 1, 1, null).withDrop("a-1");

    @TempDir
    private Path folder = Path.of("");

    @Test
    @Promise(row = 19, fault = "killed after a request became a job, and its source is away at the restart")
    void whatWasAnsweredIsNotFetchedAgain() throws IOException {
        InboxRequests requests = requests();
        assertThat(requests.take(request("a-1"))).isEqualTo(new Verdict.Duplicate(JOB));
        assertThatThrownBy(() -> requests.take(request("a-2"))).as("a new one").isInstanceOf(SickMachine.class);
    }

    private Incoming request(String drop) throws IOException {
        Path file = Files.writeString(folder.resolve("maya.job.json"), """
                {"version": 1, "rerun": true, "bundle": {"uri": "https://bundles.example/maya.zip", "sha256": "%s"}}
                """.formatted("0".repeat(64)));
        return Incoming.dropped(file, "maya", "inbox:maya.job.json", drop);
    }

    private InboxRequests requests() {
        BundleSource away = (uri, sha256, into) -> {
            throw new SickMachine("SOURCE_UNREACHABLE", uri + " does not answer", null);
        };
        ServiceConfig config = new ServiceConfig(folder, Path.of("inbox"), Path.of("outbox"), Path.of("work"),
                Path.of("routes"), "studio", Duration.ofSeconds(1), Duration.ofSeconds(1));
        return new InboxRequests(new OneJob(), () -> away, config);
    }

    /// Knows one answer, and has no bundle to look at.
    private static final class OneJob implements Intake {
        @Override
        public Optional<Verdict> answerGivenBefore(Incoming bundle) {
            return "a-1".equals(bundle.drop()) ? Optional.of(new Verdict.Duplicate(JOB)) : Optional.empty();
        }

        @Override
        public Verdict take(Incoming bundle) {
            throw new AssertionError(bundle);
        }

        @Override
        public Verdict refuse(Incoming bundle, List<Problem> problems) {
            throw new AssertionError(problems);
        }
    }
}
