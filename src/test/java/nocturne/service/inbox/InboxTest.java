package nocturne.service.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import nocturne.promise.Promise;
import nocturne.service.ServiceProcess;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The real routes in the real service, with an intake that only notes what it was given.
final class InboxTest {
    private static final boolean LONG = Boolean.getBoolean("nocturne.long");
    private static final long SEED = Long.getLong("seed", System.nanoTime());

    @TempDir
    private Path folder = Path.of("");

    @Test
    @DisabledOnOs(OS.WINDOWS)
    @Promise(row = 17, fault = "a writer that pauses for longer than settle, temporary names, a copy that dies")
    void takesWhatIsWholeAndAnswersWhatIsNot() throws Exception {
        try (ServiceProcess service = service("a").with("nocturne.upload-timeout", "4s").start().awaitReady()) {
            Path inbox = service.inbox();
            byte[] zip = Zips.with("slow");
            try (OutputStream slow = Files.newOutputStream(inbox.resolve("slow.zip"))) {
                for (int half = 0; half < 2; half++) {
                    slow.write(zip, half * (zip.length / 2), half == 0 ? zip.length / 2 : zip.length - zip.length / 2);
                    slow.flush();
                    if (half == 0) Thread.sleep(Duration.ofMillis(1500));
                }
            }
            for (String name : List.of(".t.zip.AbC123", "t.zip.part", "t.zip.filepart", "t.zip.crdownload", "~t.zip",
                    ".t.zip", "t.zip.tmp")) {
                Files.write(inbox.resolve(name), Zips.with(name));
            }
            Files.write(inbox.resolve("dead.zip"), Arrays.copyOf(Zips.with("dead"), 40));
            Files.write(inbox.resolve("bad.zip"), Zips.with("bad"));
            Files.write(inbox.resolve("bug.zip"), Zips.with("bug"));
            Files.write(inbox.resolve("UPPER.ZIP"), Zips.with("upper"));
            Files.createDirectory(inbox.resolve("maya"));
            // The last two lie beside folders of our own, which are no bundles.
            for (String name : List.of("maya", "rejected", ".claimed")) Files.createFile(inbox.resolve(name + ".done"));

            patiently().untilAsserted(() -> assertThat(firstWords()).containsExactlyInAnyOrder(
                    "taken slow", "refused dead", "refused bad", "refused bug", "taken UPPER", "taken maya"));
            patiently().untilAsserted(() -> assertThat(names(inbox.resolve("rejected")))
                    .containsExactly("bad.zip", "bug.zip", "dead.zip"));
            assertThat(Zips.notes(notes())).contains("refused dead UPLOAD_INCOMPLETE");
            assertThat(names(inbox)).containsExactly(".claimed", ".claimed.done", ".t.zip", ".t.zip.AbC123",
                    "rejected", "rejected.done", "t.zip.crdownload", "t.zip.filepart", "t.zip.part", "t.zip.tmp",
                    "~t.zip");
            assertThat(service.terminate()).isZero();
            assertThat(names(inbox.resolve(".claimed"))).isEmpty();
        }
    }

    @Test
    void whileTheMachineIsSickFilesGoBackAndAreTakenLater() throws IOException {
        Files.createFile(notes().resolve("sick"));
        try (ServiceProcess service = service("a").start().awaitReady()) {
            Files.write(service.inbox().resolve("maya.zip"), Zips.with("maya"));
            patiently().until(() -> service.lines().stream().anyMatch(line -> line.contains("the disk is full")));
            patiently().until(() -> Files.exists(service.inbox().resolve("maya.zip")));
            Files.delete(notes().resolve("sick"));
            patiently().untilAsserted(() -> assertThat(firstWords()).containsExactly("taken maya"));
        }
    }

    @Test
    @Promise(row = 19, fault = "three services on one inbox, killed and restarted at random moments")
    void everyFileIsTakenOnce() throws Exception {
        int count = LONG ? 500 : 120;
        int kills = LONG ? 20 : 4;
        SplittableRandom random = new SplittableRandom(SEED);
        System.out.println("seed " + SEED);
        List<ServiceProcess> services = new ArrayList<>();
        try {
            for (String host : List.of("a", "b", "c")) services.add(service(host).start());
            for (ServiceProcess service : services) service.awaitReady();
            Path inbox = services.getFirst().inbox();
            TreeSet<String> expected = new TreeSet<>();
            int killed = 0;
            for (int i = 0; i < count; i++) {
                Files.write(inbox.resolve("bundle%04d.zip".formatted(i)), Zips.with("content " + i));
                expected.add("taken bundle%04d".formatted(i));
                if (killed < kills && i >= (killed + 1) * count / (kills + 1)) {
                    Thread.sleep(random.nextLong(200, 900));
                    ServiceProcess victim = services.get(random.nextInt(services.size()));
                    victim.kill();
                    victim.start();
                    killed++;
                }
            }
            patiently().untilAsserted(() -> assertThat(new TreeSet<>(firstWords())).isEqualTo(expected));
            // What was taken just before a kill may come again to the same service, whose ledger knows it.
            List<String> takenBySomeone = new ArrayList<>();
            for (String host : List.of("a", "b", "c")) takenBySomeone.addAll(new TreeSet<>(lines(host)));
            assertThat(takenBySomeone).as("taken by two services").doesNotHaveDuplicates();
            patiently().untilAsserted(() -> assertThat(names(inbox)).containsExactly(".claimed", "rejected"));
        } finally {
            services.forEach(ServiceProcess::close);
        }
    }

    @Test
    void aThousandBundlesAtOnceAreAllTakenWithAFlatMemory() throws Exception {
        int count = LONG ? 1_000 : 300;
        try (ServiceProcess service = service("a").withJava("-Xmx64m").start().awaitReady()) {
            Path prepared = Files.createDirectory(folder.resolve("prepared"));
            for (int i = 0; i < count; i++) Files.write(prepared.resolve(i + ".zip"), Zips.with("content " + i));
            for (int i = 0; i < count; i++) {
                Files.move(prepared.resolve(i + ".zip"), service.inbox().resolve(i + ".zip"));
            }
            patiently().untilAsserted(() -> assertThat(lines("a")).hasSize(count).doesNotHaveDuplicates());
            patiently().untilAsserted(() -> assertThat(names(service.inbox())).containsExactly(".claimed", "rejected"));
            assertThat(service.process().isAlive()).isTrue();
        }
    }

    private ServiceProcess service(String host) throws IOException {
        Path own = Files.createDirectories(folder.resolve(host));
        return ServiceProcess.in(own).with("nocturne.inbox", folder.resolve("inbox")).with("nocturne.host", host)
                .onlyNotingIn(notes());
    }

    private Path notes() throws IOException {
        return Files.createDirectories(folder.resolve("notes"));
    }

    private List<String> lines(String host) throws IOException {
        Path file = notes().resolve(host + ".txt");
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    private List<String> firstWords() throws IOException {
        return Zips.notes(notes()).stream().map(line -> line.substring(0, line.lastIndexOf(' '))).toList();
    }

    private static List<String> names(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static ConditionFactory patiently() {
        return await().atMost(Duration.ofSeconds(90));
    }
}
