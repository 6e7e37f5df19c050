package nocturne.service.slot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import nocturne.event.EventLine;
import nocturne.job.Job;
import nocturne.job.JobId;
import nocturne.problem.Backoff;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The small parts that slots are made of.
final class PartsTest {
    @TempDir
    private Path folder;

    @Test
    void hoursMayReachOverMidnight() {
        assertThat(isOpen("2026-11-21T21:59:59Z", "22:00-07:00")).isFalse();
        assertThat(isOpen("2026-11-21T22:00:00Z", "22:00-07:00")).isTrue();
        assertThat(isOpen("2026-11-22T06:59:59Z", "22:00-07:00")).isTrue();
        assertThat(isOpen("2026-11-22T07:00:00Z", "22:00-07:00")).isFalse();
        assertThat(isOpen("2026-11-22T12:30:00Z", "22:00-07:00", "12:00-13:00")).isTrue();
        assertThat(isOpen("2026-11-22T23:59:59Z", "20:00-24:00")).isTrue();
        assertThat(isOpen("2026-11-22T12:30:00Z")).as("no hours, no limit").isTrue();
    }

    private static boolean isOpen(String time, String... windows) {
        return Hours.of(List.of(windows), "UTC", () -> Instant.parse(time)).areOpen();
    }

    @Test
    void hoursThatMakeNoSenseAreAllNamed() {
        assertThatThrownBy(() -> Hours.of(List.of("night", "25:00-26:00"), "Mars/Olympus", Instant::now))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.problems()).hasSize(3));
    }

    @Promise(row = 43, fault = "a hundred failures in a row", with = "a clock of the test's own")
    @Test
    void pausesGrowUpToALimitAndDifferFromJobToJob() {
        long[] nanos = {Long.MAX_VALUE - 5};
        Rests<String> pauses =
                new Rests<>(new Backoff(Duration.ofSeconds(1), Duration.ofMinutes(5)), () -> nanos[0]);
        for (int failures = 1; failures < 100; failures++) {
            long most = Math.min(300_000, failures > 20 ? Long.MAX_VALUE : 1000L << (failures - 1));
            assertThat(pauses.length("maya", failures).toMillis()).isBetween(most / 2, most);
        }
        assertThat(pauses.length("maya", 7)).isNotEqualTo(pauses.length("otto", 7));
        pauses.failed("maya", 3);
        assertThat(pauses.rests("maya")).isTrue();
        assertThat(pauses.rests("otto")).isFalse();
        nanos[0] += Duration.ofSeconds(4).toNanos();            // over the end of the numbers, as nanoTime may
        assertThat(pauses.rests("maya")).isFalse();
    }

    @Test
    void devicesAreNamedOrFound() throws Exception {
        assertThat(Devices.of(List.of("auto"), DeviceHealth.UNKNOWN, false)).containsExactly("cpu");
        assertThat(Devices.of(List.of("auto"), gpus("", "too old", ""), false)).containsExactly("cuda:0", "cuda:2");
        assertThat(Devices.of(List.of("auto"), gpus("too old"), false)).containsExactly("cpu");
        assertThat(Devices.of(List.of("cuda:0", "cuda:1"), DeviceHealth.UNKNOWN, false))
                .containsExactly("cuda:0", "cuda:1");
        assertThatThrownBy(() -> Devices.of(List.of("cuda:0", "tpu:0", "cpu", "cpu", "../x"),
                DeviceHealth.UNKNOWN, false))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.problems()).hasSize(3));
    }

    /// GPUs of which each has this against it, or nothing.
    private static DeviceHealth gpus(String... inabilities) {
        Map<String, DeviceHealth.Reading> readings = new LinkedHashMap<>();
        for (int i = 0; i < inabilities.length; i++) {
            readings.put("cuda:" + i, new DeviceHealth.Reading("cuda:" + i, "a card", DeviceHealth.Recovery.NONE, 0,
                    List.of(), 0, Set.of(), inabilities[i]));
        }
        return () -> Optional.of(readings);
    }

    @Promise(row = 41, fault = "control characters, escapes and secrets on the trainer's standard error")
    @Test
    void lastWordsAreFitToBeShown() {
        BoundedLog log = new BoundedLog(folder.resolve("trainer.log"), 10_000);
        log.drain(new ByteArrayInputStream(("first\n\u001b[31mred\u001b[0m \u202etxt\ntoken=abc123 "
                + "https://maya:hunter2@example.org AKIA" + "ABCDEFGHIJKLMNOP\n").getBytes(StandardCharsets.UTF_8)));
        assertThat(log.lastWords(2)).isEqualTo(" [31mred [0m  txt\ntoken=*** https://maya:***@example.org ***");
        assertThat(folder.resolve("trainer.log")).content().startsWith("first\n");
    }

    @Test
    void theLogKeepsTheNewestWords() throws IOException {
        Path file = folder.resolve("trainer.log");
        for (int attempt = 1; attempt <= 20; attempt++) {
            BoundedLog log = new BoundedLog(file, 4000);
            log.title("--- attempt " + attempt);
            log.drain(new ByteArrayInputStream("x".repeat(500).getBytes(StandardCharsets.UTF_8)));
        }
        assertThat(file).content().contains("--- attempt 20").doesNotContain("--- attempt 1\n");
        assertThat(Files.size(file)).isLessThanOrEqualTo(2000);
        assertThat(Files.size(folder.resolve("trainer.log.old"))).isLessThanOrEqualTo(2000);
    }

    @Test
    void aLogThatCannotBeWrittenStopsNobody() {
        BoundedLog log = new BoundedLog(folder.resolve("missing/trainer.log"), 4000);
        log.title("--- attempt 1");
        log.drain(new ByteArrayInputStream("words".getBytes(StandardCharsets.UTF_8)));
        assertThat(log.lastWords(3)).isEqualTo("words");
    }

    @Test
    void theTrainersLogIsReadLineByLineAsItGrows() throws IOException {
        Path file = folder.resolve("events.jsonl");
        TrainerLog log = new TrainerLog(file);
        assertThat(log.news()).as("not there yet").isEmpty();
        String first = line(1);
        Files.writeString(file, first + "\n" + line(2).substring(0, 30));
        assertThat(log.news()).extracting(EventLine::sequence).containsExactly(1L);
        assertThat(log.news()).isEmpty();
        // The trainer died in the middle of a line; the next one cuts that off and goes on.
        Files.writeString(file, first + "\n");
        assertThat(log.news()).isEmpty();
        append(file, line(2) + "\nno event\n" + "x".repeat(3 << 20) + "\n" + line(3) + "\n");
        assertThat(log.news()).extracting(EventLine::sequence).containsExactly(2L, 3L);
        assertThat(log.last().map(EventLine::sequence)).isEqualTo(Optional.of(3L));
    }

    private static void append(Path file, String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.APPEND);
    }

    private static String line(long sequence) {
        return ("{\"specversion\":\"1.0\",\"id\":\"a/1/%d\",\"type\":\"nocturne.job.notice.v1\",\"subject\":\"a\","
                + "\"sequence\":\"%010d\",\"data\":{}}").formatted(sequence, sequence);
    }

    @Test
    void aBeatIsReadWholeOrNotAtAll() throws IOException {
        Path file = folder.resolve("heartbeat.json");
        assertThat(Beat.read(file)).isEmpty();
        Files.writeString(file, "{\"pid\":7,\"phase\":\"training\",\"step\":3,\"steps\":9,\"work\":4,\"beat\":5}"
                + " ".repeat(100) + "\n");
        assertThat(Beat.read(file)).contains(new Beat(7, "training", 3, 4, 5));
        for (String broken : List.of("", "{\"pid\":7,\"ph", "[]", "null", "x".repeat(10_000))) {
            Files.writeString(file, broken);
            assertThat(Beat.read(file)).as(broken).isEmpty();
        }
    }

    @Test
    void memoryThatMakesNoSenseIsRefusedAtTheStart() {
        try (SlotBench bench = new SlotBench(folder).with("trainer.memory", "plenty")) {
            assertThatThrownBy(bench::start).isInstanceOf(UserMistake.class).hasMessageContaining("48g");
        }
    }

    @Test
    void aTrainerGetsItsLimits() throws Exception {
        try (SlotBench bench = new SlotBench(folder).with("trainer.memory", "1g").with("trainer.nice", 3)
                .with("slots", "cpu:0,cpu:1").with("trainer.threads", 2)) {
            bench.start();
            var id = bench.add("maya", "steps 100000", "ms 20");
            bench.awaitStep(id, 1);
            long pid = bench.job(id).child().pid();
            assertThat(Files.readString(Path.of("/proc/" + pid + "/limits"))).containsPattern(
                    "Max data size +1073741824");
            assertThat(Files.readString(Path.of("/proc/" + pid + "/cmdline"))).contains("--threads\0002\000");
            String[] stat = stat(Long.toString(pid));
            assertThat(stat[2]).as("it leads a group of its own").isEqualTo(Long.toString(pid));
            assertThat(stat[16]).as("nice").isEqualTo(
                    Integer.toString(Math.min(19, Integer.parseInt(stat("self")[16]) + 3)));
            assertThat(Path.of("/proc/" + pid + "/oom_score_adj")).hasContent("500");
            assertThat(Files.readString(Path.of("/proc/" + pid + "/environ")))
                    .contains("CUDA_VISIBLE_DEVICES=\000");
        }
    }

    /// As a word of its own it would be an option, where it looks like one.
    @Promise(row = 34, fault = "names and models that look like options of the trainer")
    @Test
    void whatAStrangerCallsItIsNoWordOfTheTrainersOwn() {
        try (SlotBench bench = new SlotBench(folder).open()) {
            Trainers trainers = new Trainers(bench.settings().trainer(), bench.ledger().work(), folder,
                    List.of(folder.resolve("models"), Path.of("/srv/models")), 1, Map.of(), Processes.REAL);
            for (String name : List.of("--help", "-h", "--", "--out=/elsewhere", "@/etc/hostname", "=", "a b")) {
                Job job = Job.queued(new JobId("maya"), name, "bench:maya", "0".repeat(64), "bundle-0", name, 0,
                        Instant.EPOCH.toString(), 1, 1, null);
                assertThat(trainers.words(job, "cpu", null, folder.resolve("lock")))
                        .containsOnlyOnce("--name=" + name, "--model=" + name).doesNotContain(name)
                        .contains("--model-roots=" + folder.resolve("models") + File.pathSeparator + "/srv/models");
            }
        }
    }

    /// The fields of `/proc/<pid>/stat` behind the name.
    private static String[] stat(String pid) throws IOException {
        return Files.readString(Path.of("/proc/" + pid + "/stat")).split("\\) ", 2)[1].split(" ");
    }
}
