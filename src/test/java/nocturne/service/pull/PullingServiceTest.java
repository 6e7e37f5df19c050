package nocturne.service.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import nocturne.hub.FakeHub;
import nocturne.service.ServiceProcess;
import nocturne.service.fake.FakeBundle;
import nocturne.service.fake.FakeEngine;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The real service with `nocturne.models.pull: missing`, killed in the middle of a model.
final class PullingServiceTest {
    private static final String SHARD = "transformer/diffusion_pytorch_model-00002-of-00003.safetensors";

    @TempDir
    private Path folder = Path.of("");

    @Test
    void aJobWaitsForItsModelWhileOthersGoOnAndAKillCostsNothing() throws IOException {
        CountDownLatch over = new CountDownLatch(1);
        Path models = Files.createDirectories(folder.resolve("models"));
        Files.createDirectory(models.resolve("here"));
        try (FakeHub hub = new FakeHub().named("Qwen/Qwen-Image").withPipeline();
                ServiceProcess service = ServiceProcess.in(folder).with("nocturne.models.roots", models)
                        .with("nocturne.models.pull", "missing").with("nocturne.slots", "cpu")
                        .with("nocturne.trainer.command", String.join(",", FakeEngine.command()))
                        .withVariable("HF_ENDPOINT", hub.endpoint().toString())) {
            hub.failing(SHARD, (exchange, content) -> {
                exchange.sendResponseHeaders(200, content.length);
                exchange.getResponseBody().write(content, 0, 120_000);
                exchange.getResponseBody().flush();
                awaitQuietly(over);
                throw new IOException("over");
            });
            service.start().awaitReady();
            drop("maya", "Qwen/Qwen-Image", service);
            patiently().until(() -> !hub.asked("store", SHARD).isEmpty());
            drop("otto", "here", service);
            patiently().until(() -> outcome("otto", service).contains("\"completed\""));
            assertThat(outcome("maya", service)).contains("\"queued\"", "is being fetched");
            service.kill();
            over.countDown();

            service.start().awaitReady();
            patiently().until(() -> outcome("maya", service).contains("\"completed\""));
            assertThat(hub.asked("store", SHARD)).last()
                    .satisfies(asked -> assertThat(asked.range()).matches("bytes=[1-9]\\d*-"));
            drop("nadia", "Qwen/Qwen-Image", service);
            int asked = hub.asked().size();
            patiently().until(() -> outcome("nadia", service).contains("\"completed\""));
            assertThat(hub.asked()).as("what is here is not asked for").hasSize(asked);
            assertThat(service.terminate()).isZero();
        }
    }

    @Test
    void withoutTheSettingNothingIsFetched() throws IOException {
        Path models = Files.createDirectories(folder.resolve("models"));
        try (FakeHub hub = new FakeHub().named("Qwen/Qwen-Image").withPipeline();
                ServiceProcess service = ServiceProcess.in(folder).with("nocturne.models.roots", models)
                        .withVariable("HF_ENDPOINT", hub.endpoint().toString())) {
            service.start().awaitReady();
            drop("maya", "Qwen/Qwen-Image", service);
            patiently().until(() -> outcome("maya", service).contains("\"refused\""));
            assertThat(outcome("maya", service)).contains("MODEL_NOT_FOUND");
            assertThat(hub.asked()).isEmpty();
        }
    }

    private void drop(String name, String model, ServiceProcess service) throws IOException {
        Path bundle = FakeBundle.of(name, "steps 3").folder(folder.resolve("made/" + name));
        Path recipe = bundle.resolve("recipe.yaml");
        Files.writeString(recipe, Files.readString(recipe).replaceFirst("name_or_path: .*}",
                "name_or_path: " + model + "}"));
        Files.move(bundle, service.inbox().resolve(name));
        Files.createFile(service.inbox().resolve(name + ".done"));
    }

    /// `job.json` in the outbox, as the sender sees it; empty as long as there is none.
    private static String outcome(String name, ServiceProcess service) throws IOException {
        if (!Files.isDirectory(service.outbox())) return "";
        try (Stream<Path> jobs = Files.list(service.outbox())) {
            for (Path job : jobs.filter(path -> path.getFileName().toString().startsWith(name + "-")).toList()) {
                if (Files.exists(job.resolve("job.json"))) return Files.readString(job.resolve("job.json"));
            }
        }
        return "";
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(90));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            boolean _ = latch.await(2, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
