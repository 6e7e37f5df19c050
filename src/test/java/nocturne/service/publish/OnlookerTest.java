package nocturne.service.publish;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import nocturne.event.EventLine;
import nocturne.io.ContentHash;
import nocturne.promise.Promise;
import nocturne.service.broker.TestBroker;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Somebody who looks into the outbox all the time, and reads the topic, while the publishing service is killed again
/// and again.
class OnlookerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int JOBS = 8;
    /// A sample at every checkpoint, the last two checkpoints, the result.
    private static final int FILES = PublishingProcess.STEPS / PublishingProcess.EVERY + 2 + 1;
    private static final int KILLS = Boolean.getBoolean("nocturne.long") ? 50 : 5;

    /// So short that not all is done before the last kill.
    private static final int MOST_MILLIS = 4_000 / KILLS;

    @TempDir
    Path home;
    Path outbox;
    Process service;
    /// Versions that were looked at and found whole.
    final Set<String> known = new HashSet<>();
    final Map<String, String> hashes = new HashMap<>();
    int looks;

    @AfterEach
    void end() throws IOException {
        if (service != null) service.destroyForcibly();
        if (outbox != null && !outbox.startsWith(home) && Files.exists(outbox)) {
            try (Stream<Path> files = Files.walk(outbox)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
            }
        }
    }

    /// In memory, so that publishing must copy, which takes time in which a kill may come; second names cannot be torn.
    @Test
    @Promise(row = 15, fault = "kill -9 at random moments under the eyes of a reader that never pauses")
    @Promise(row = 14, fault = "kill -9 at random moments while a reader compares each event with the disk")
    @Promise(row = 40, fault = "kill -9 of the relay at random moments")
    void whateverAnOnlookerSeesIsWholeAndTrue() throws Exception {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("OnlookerTest -Dseed=" + seed);
        Random chance = new Random(seed);
        Path memory = Path.of("/dev/shm");
        outbox = Files.isWritable(memory) ? Files.createTempDirectory(memory, "nocturne-onlooker-")
                : home.resolve("outbox");
        String name = TestBroker.topic("events", 1);
        try (Topic topic = new Topic(TestBroker.bootstrap(), name)) {
            int hits = 0;
            for (int kill = 0; kill < KILLS; kill++) {
                start(name);
                long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(chance.nextInt(MOST_MILLIS));
                while (System.nanoTime() < until && service.isAlive()) look(topic);
                if (service.isAlive()) hits++;
                service.destroyForcibly().waitFor();
            }
            assertThat(hits).as("kills before everything was done").isGreaterThan(KILLS / 2);
            start(name);
            while (service.isAlive()) look(topic);
            assertThat(service.exitValue()).as("see service.log").isZero();
            look(topic);
            topic.readUntil(read -> Topic.lines(read).stream().filter(line -> line.type().contains("completed"))
                    .map(EventLine::subject).distinct().count() == JOBS);
            Listener.assertComplete(Topic.lines(topic.readUntil(_ -> true)), journals());
        }
        try (Stream<Path> results = Files.list(outbox)) {
            assertThat(results).hasSize(JOBS);
        }
        for (int job = 0; job < JOBS; job++) assertThat(checkCard(outbox.resolve("job-" + job))).isEqualTo("completed");
        System.out.printf("looked %d times, at %d versions of files%n", looks, known.size());
    }

    private void start(String topic) throws IOException {
        service = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m",
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"),
                PublishingProcess.class.getName(), home.toString(), outbox.toString(), TestBroker.bootstrap(), topic,
                String.valueOf(JOBS))
                .redirectError(ProcessBuilder.Redirect.appendTo(home.resolve("service.log").toFile())).start();
        assertThat(service.inputReader().readLine()).as("see service.log").isEqualTo("ready");
    }

    private void look(Topic topic) throws IOException {
        looks++;
        for (EventLine event : Topic.lines(topic.readOn())) if (known.add("event " + event.id())) checkIsTrue(event);
        Files.walkFileTree(outbox, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!file.getFileName().toString().startsWith(".")) check(file, attributes);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path gone, IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private void check(Path file, BasicFileAttributes attributes) throws IOException {
        Path job = outbox.resolve(outbox.relativize(file).getName(0));
        if (!known.add(file + "@" + attributes.fileKey() + attributes.lastModifiedTime())) return;
        try {
            switch (job.relativize(file).toString()) {
                case "job.json" -> checkCard(job);
                case "manifest.json" -> checkManifest(job);
                case "events.jsonl" -> {
                    String text = Files.readString(file);
                    assertThat(text).endsWith("\n");
                    text.lines().forEach(line -> assertThat(EventLine.parse(line)).as(line).isPresent());
                }
                default -> assertThat(ContentHash.ofBytes(Files.readAllBytes(file))).as(file.toString())
                        .isEqualTo(expected(job, job.relativize(file).toString()));
            }
        } catch (NoSuchFileException pruned) {
            // Between the look and the reading.
        }
    }

    /// @return the state that it says
    private String checkCard(Path job) throws IOException {
        String state = JSON.readTree(job.resolve("job.json").toFile()).path("state").asText();
        if (state.equals("completed")) checkManifest(job);
        return state;
    }

    private void checkManifest(Path job) throws IOException {
        JsonNode files = JSON.readTree(job.resolve("manifest.json").toFile()).path("files");
        assertThat(files.size()).isEqualTo(FILES);
        for (JsonNode file : files) {
            String path = file.path("path").asText();
            assertThat(file.path("sha256").asText()).isEqualTo(expected(job, path));
            assertThat(job.resolve(path)).hasSize(file.path("bytes").asLong());
        }
    }

    /// What an event says can be seen when it is heard, unless it has been replaced by something later since.
    private void checkIsTrue(EventLine event) throws IOException {
        Path job = outbox.resolve(event.subject());
        String path = event.data().path("path").asText();
        switch (event.type()) {
            case "nocturne.sample.written.v1" -> assertThat(ContentHash.ofFile(job.resolve(path)))
                    .isEqualTo(event.data().path("sha256").asText());
            case "nocturne.checkpoint.written.v1" -> {
                if (Files.exists(job.resolve(path))) return;
                // Pruned, because two later ones are there.
                long step = event.data().path("step").asLong();
                assertThat(Files.readString(journal(event.subject()))).contains("\"step\":" + (step + 10));
            }
            case "nocturne.job.completed.v1" -> {
                checkManifest(job);
                assertThat(Files.readString(home.resolve("work/jobs").resolve(event.subject()).resolve("job.json")))
                        .contains("\"completed\"");
            }
            default -> assertThat(Files.readString(journal(event.subject()))).contains(event.text() + "\n");
        }
    }

    private Path journal(String job) {
        return home.resolve("work/jobs").resolve(job).resolve("events.jsonl");
    }

    private String expected(Path job, String path) {
        String name = job.getFileName().toString();
        return hashes.computeIfAbsent(name + "/" + path,
                _ -> ContentHash.ofBytes(PublishingProcess.content(name, path)));
    }

    private Map<String, List<EventLine>> journals() {
        Map<String, List<EventLine>> journals = new TreeMap<>();
        for (int job = 0; job < JOBS; job++) journals.put("job-" + job, Desk.lines(journal("job-" + job)));
        return journals;
    }
}
