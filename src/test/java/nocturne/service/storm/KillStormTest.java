package nocturne.service.storm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import nocturne.job.JobState;
import nocturne.promise.Promise;
import nocturne.service.ServiceProcess;
import nocturne.service.broker.TestBroker;
import nocturne.service.fake.FakeBundle;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `kill -9` of the service and of its trainers, at moments from a seed, with twenty bundles in flight all the time.
///
/// `-Dnocturne.kills=100` makes the storm as long as one likes; `-Dseed=` repeats its plan. The moments are the plan's,
/// what the processes are doing then is not, so a failure may need several runs to show again.
class KillStormTest {
    private static final int KILLS = Integer.getInteger("nocturne.kills", 8);
    private static final int IN_FLIGHT = 20;
    /// One of so many bundles cannot be used, and one of as many fails for good.
    private static final int BAD_IN = 10;
    private static final Duration PATIENCE = Duration.ofMinutes(4);

    @TempDir
    Path folder;

    private final long seed = Long.getLong("seed", System.nanoTime());
    private final RandomGenerator chance = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    /// How each bundle has to end, by its name.
    private final Map<String, JobState> expected = new LinkedHashMap<>();
    private Doors doors;
    private ServiceProcess service;

    @BeforeEach
    void open() throws IOException {
        doors = new Doors(TestBroker.bootstrap(), TestBroker.fresh("storm"));
        service = ServiceProcess.in(folder)
                .with("nocturne.kafka.brokers", TestBroker.bootstrap())
                .with("nocturne.kafka.group", doors.group())
                .with("nocturne.kafka.jobs", doors.topic("jobs"))
                .with("nocturne.kafka.claims", doors.topic("claims"))
                .with("nocturne.kafka.events", doors.topic("events"))
                .with("nocturne.kafka.commands", doors.topic("commands"))
                .with("nocturne.kafka.dead-letters", doors.topic("dlq"))
                .with("nocturne.kafka.partitions", 2)
                .with("nocturne.slots", "fake:0,fake:1,fake:2")
                .with("nocturne.progress", "500ms")
                .with("nocturne.trainer.command", String.join(",", FakeEngine.command()))
                // What is killed from outside is not the job's fault, but nobody can tell the service so.
                .with("nocturne.trainer.attempts", 1000)
                .with("nocturne.trainer.fast-deaths", 1000)
                .with("nocturne.trainer.pause", "20ms")
                .with("nocturne.trainer.longest-pause", "200ms");
        System.out.println("storm of " + KILLS + " kills, seed " + seed);
    }

    @AfterEach
    void close() {
        service.close();
        doors.close();
    }

    @Test
    @Promise(row = 1, fault = "kill -9 of service and trainers at seeded moments, 20 bundles in flight",
            with = "fake engine")
    @Promise(row = 23, fault = "kill -9 of the service, started again at once", with = "fake engine")
    @Promise(row = 40, fault = "kill -9 between sending an event and noting that it was sent", with = "fake engine")
    void everyBundleEndsOnceWhateverDies() throws IOException {
        service.start().awaitReady();
        for (int kill = 1; kill <= KILLS; kill++) {
            refill();
            pause(Duration.ofMillis(chance.nextLong(50, 2500)));
            if (chance.nextInt(3) > 0 || !killATrainer()) {
                service.kill();
                service.start();
                // Half of the time it is killed again before it is ready.
                if (chance.nextBoolean()) service.awaitReady();
            }
        }
        if (service.management() == null) service.awaitReady();
        Aftermath aftermath = new Aftermath(folder, service.outbox(), service.work());
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).until(() -> aftermath.ended(expected.keySet()));
        doors.awaitQuiet(service);
        assertThat(service.terminate()).as("exit code after SIGTERM").isZero();

        aftermath.assertOneJobEach(expected);
        aftermath.assertResultsVerify();
        aftermath.assertNothingIsLeftOver(service.inbox());
        aftermath.assertPublished(doors.events());
    }

    /// Drops or sends new bundles until twenty are on their way.
    private void refill() throws IOException {
        Aftermath now = new Aftermath(folder, service.outbox(), service.work());
        for (long inFlight = now.inFlight(expected.keySet()); inFlight < IN_FLIGHT; inFlight++) {
            String name = "bundle-%03d".formatted(expected.size());
            int kind = chance.nextInt(BAD_IN);
            FakeBundle bundle = switch (kind) {
                case 0 -> FakeBundle.of(name, "steps 10", "ms 10", "step 4: fail 64 RECIPE_INVALID");
                case 2 -> FakeBundle.of(name, "steps 30", "ms 20", "once", "step 9: exit 139");
                default -> FakeBundle.of(name, "steps 40", "ms 30");
            };
            Path zip = kind == 1 ? broken(name) : bundle.zip(folder.resolve(name + ".zip"));
            expected.put(name, kind == 0 ? JobState.FAILED : kind == 1 ? JobState.REFUSED : JobState.COMPLETED);
            if (chance.nextBoolean()) doors.send(name, Files.readAllBytes(zip));
            else Files.move(zip, service.inbox().resolve(name + ".zip"));
        }
    }

    private Path broken(String name) throws IOException {
        Path bundle = FakeBundle.of(name, "steps 5").folder(folder.resolve(name + "-folder"));
        Files.writeString(bundle.resolve("recipe.yaml"), "name: " + name + "\ntrain: {steps: many}\n");
        return Doors.zip(bundle, folder.resolve(name + ".zip"));
    }

    private boolean killATrainer() {
        List<ProcessHandle> trainers = service.process().descendants().toList();
        if (trainers.isEmpty()) return false;
        trainers.get(chance.nextInt(trainers.size())).destroyForcibly();
        return true;
    }

    /// The storm's own time, not a wait for anything.
    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
