package nocturne.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventLogTest {
    private static final InstantSource NOON = InstantSource.fixed(Instant.parse("2026-11-21T12:00:00.250Z"));
    private static final String JOB = "maya-7f3a";
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;
    Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("events.jsonl");
    }

    @Test
    void aLineIsACloudEventWithItsKeysInAFixedOrder() throws IOException {
        try (EventLog log = open()) {
            String line = log.append(new Event.Stepped(7, 500, 0.5, 1e-3, 1.25, 0.0625, 4,
                    new Event.LossByNoise(0.75, 0.5, Double.NaN)));
            assertThat(line).isEqualTo("{\"specversion\":\"1.0\",\"id\":\"maya-7f3a/1/1\",\"source\":\"/hosts/studio\","
                    + "\"type\":\"nocturne.job.stepped.v1\",\"subject\":\"maya-7f3a\","
                    + "\"time\":\"2026-11-21T12:00:00.250Z\","
                    + "\"datacontenttype\":\"application/json\",\"sequence\":\"0000000001\","
                    + "\"partitionkey\":\"maya-7f3a\",\"data\":{\"step\":7,\"steps\":500,\"loss\":0.5,"
                    + "\"learningRate\":0.001,\"gradientNorm\":1.25,\"secondsPerStep\":0.0625,\"microSteps\":4,"
                    + "\"lossByNoise\":{\"high\":0.75,\"middle\":0.5,\"low\":null}}}");
        }
        assertThat(Files.readString(file)).endsWith("}}\n").hasLineCount(1);
    }

    @Test
    void everyKindOfEventHasItsOwnTypeAndAllItsFields() throws IOException {
        List<Event> all = everyKind();
        assertThat(all.stream().map(Object::getClass)).as("this test knows every kind")
                .containsExactlyInAnyOrder(Event.class.getPermittedSubclasses());
        assertThat(all.stream().map(Event::type)).doesNotHaveDuplicates()
                .allMatch(type -> type.startsWith("nocturne."));
        for (Event event : all) {
            List<String> components = Arrays.stream(event.getClass().getRecordComponents())
                    .map(component -> component.getName()).toList();
            assertThat(event.data().fieldNames()).toIterable().as(event.type()).containsExactlyElementsOf(components);
        }
    }

    @Test
    void whatIsNotFiniteBecomesNull() {
        JsonNode data = new Event.Stepped(1, 2, Double.NaN, 1, Double.POSITIVE_INFINITY, 1, 1,
                Event.LossByNoise.UNKNOWN).data();
        assertThat(data.get("loss").isNull()).isTrue();
        assertThat(data.get("gradientNorm").isNull()).isTrue();
    }

    /// The log is cut at every seventh byte, as a crash could have left it. Whatever was whole is kept, the rest is
    /// gone, and the numbers go on without a gap.
    @Test
    void aTornLastLineIsCutOffNoticedAndTheSequenceContinues() throws IOException {
        try (EventLog log = open()) {
            for (Event event : everyKind()) log.append(event);
        }
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length <= whole.length; length += 7) {
            Path torn = Files.write(folder.resolve("torn-" + length), Arrays.copyOf(whole, length));
            int wholeLines = (int) new String(whole, 0, length, StandardCharsets.US_ASCII).chars()
                    .filter(c -> c == '\n').count();
            boolean isTorn = length > 0 && whole[length - 1] != '\n';
            try (EventLog log = EventLog.open(torn, JOB, "/hosts/studio", NOON)) {
                log.append(new Event.Resumed(100, "restart"));
            }
            List<JsonNode> events = events(torn);
            assertThat(events).as("cut at byte %d", length).hasSize(wholeLines + (isTorn ? 2 : 1));
            for (int i = 0; i < events.size(); i++) {
                assertThat(events.get(i).get("sequence").asText()).isEqualTo("%010d".formatted(i + 1));
            }
            assertThat(Arrays.copyOf(Files.readAllBytes(torn), keptBytes(whole, length)))
                    .isEqualTo(Arrays.copyOf(whole, keptBytes(whole, length)));
            if (isTorn) assertThat(events.get(wholeLines).at("/data/code").asText()).isEqualTo("EVENTS_REPAIRED");
            Files.delete(torn);
        }
    }

    /// After a power cut a file system may have kept the length of a file and lost its last page.
    @Test
    void zerosAtTheEndAreCutOffLikeHalfALine() throws IOException {
        try (EventLog log = open()) {
            log.append(new Event.Started("maya", 500, 20, "cpu"));
        }
        Files.write(file, new byte[4096], StandardOpenOption.APPEND);
        try (EventLog log = open()) {
            log.append(new Event.Resumed(0, "restart"));
        }
        assertThat(events(file)).extracting(event -> event.get("type").asText())
                .containsExactly("nocturne.job.started.v1", "nocturne.job.notice.v1", "nocturne.job.resumed.v1");
    }

    @Test
    void aBrokenLineInTheMiddleIsKept() throws IOException {
        try (EventLog log = open()) {
            log.append(new Event.Started("maya", 500, 20, "cpu"));
        }
        Files.writeString(file, "scribble\n", StandardOpenOption.APPEND);
        String good = Files.readString(file).lines().findFirst().orElseThrow().replace("0000000001", "0000000002");
        Files.writeString(file, good + "\n", StandardOpenOption.APPEND);
        String before = Files.readString(file);
        try (EventLog log = open()) {
            assertThat(log.sequence()).isEqualTo(2);
        }
        assertThat(Files.readString(file)).isEqualTo(before);
    }

    @Test
    void aVeryLongLogIsReadFromItsEnd() throws IOException {
        try (EventLog log = open()) {
            for (int i = 0; i < 700; i++) {
                log.append(new Event.NoticeGiven("LONG", "x".repeat(i == 699 ? 100_000 : 100)));
            }
        }
        try (EventLog log = open()) {
            assertThat(log.sequence()).isEqualTo(700);
            assertThat(log.attempt()).isEqualTo(2);
        }
    }

    @Test
    void eachOpeningIsAnAttemptOfItsOwn() throws IOException {
        for (int attempt = 1; attempt <= 3; attempt++) {
            try (EventLog log = open()) {
                log.append(new Event.Resumed(0, "restart"));
            }
        }
        assertThat(events(file)).extracting(event -> event.get("id").asText())
                .containsExactly("maya-7f3a/1/1", "maya-7f3a/2/2", "maya-7f3a/3/3");
    }

    @Test
    @Promise(row = 41, fault = "line ends, escape sequences and direction marks in a journal's text")
    void textFromUsersStaysOnItsLineAndIsAscii() throws IOException {
        String odd = "line\r\nbreak \u2028 \u001b[2J \u202e 红";
        try (EventLog log = open()) {
            log.append(new Event.NoticeGiven("ODD", odd));
        }
        assertThat(Files.readString(file)).hasLineCount(1).matches("[ -~]+\n");
        assertThat(events(file).getFirst().at("/data/message").asText()).isEqualTo(odd);
    }

    @Test
    void aFileThatIsNoEventLogIsLeftAlone() throws IOException {
        Files.writeString(file, "my diary\nday 1\n");
        assertThatThrownBy(this::open).isInstanceOf(UserMistake.class).hasMessageContaining("not an event log");
        assertThat(Files.readString(file)).isEqualTo("my diary\nday 1\n");
        Files.writeString(file, "my diary");
        assertThatThrownBy(this::open).isInstanceOf(UserMistake.class);
        assertThat(Files.readString(file)).isEqualTo("my diary");
    }

    @Test
    void anotherJobsLogIsLeftAlone() throws IOException {
        try (EventLog log = EventLog.open(file, "other-1", "/hosts/studio", NOON)) {
            log.append(new Event.Started("other", 500, 20, "cpu"));
        }
        String before = Files.readString(file);
        assertThatThrownBy(this::open).isInstanceOf(UserMistake.class).hasMessageContaining("other-1");
        assertThat(Files.readString(file)).isEqualTo(before);
    }

    @Test
    void twoRunsCannotWriteOneLog() {
        try (EventLog _ = open()) {
            assertThatThrownBy(this::open).isInstanceOf(UserMistake.class).hasMessageContaining("another run");
        }
    }

    @Test
    void aMissingFolderIsAnAnswerAndNotACrash() {
        assertThatThrownBy(() -> EventLog.open(folder.resolve("no/events.jsonl"), JOB, "/hosts/studio", NOON))
                .isInstanceOf(SickMachine.class).hasMessageContaining("events.jsonl");
    }

    /// `/dev/full` answers every write with "no space left on device".
    @Test
    void aFullDiskIsReported() {
        Path full = Path.of("/dev/full");
        assumeThat(full).exists();
        try (EventLog log = EventLog.open(full, JOB, "/hosts/studio", NOON)) {
            assertThatThrownBy(() -> log.append(new Event.Started("maya", 500, 20, "cpu")))
                    .isInstanceOf(SickMachine.class).hasMessageContaining("event 1");
            assertThat(log.sequence()).as("the number was not used up").isZero();
        }
    }

    /// A job's journal takes over what its trainer wrote; after a restart it must know how far it had come.
    @Test
    void whatIsTakenOverKeepsItsTimeAndSaysHowFarTheTrainersLogWasRead() throws IOException {
        EventLine trainers = EventLine.parse("{\"id\":\"x/1/7\","
                + "\"type\":\"nocturne.sample.written.v1\",\"subject\":\"x\","
                + "\"time\":\"2026-11-21T11:00:00Z\",\"sequence\":\"0000000007\",\"data\":{\"step\":3}}").orElseThrow();
        try (EventLog journal = open()) {
            journal.append(new Event.Queued("maya", "inbox:maya.zip", "ab", 500, 20), 0, 0);
            journal.takeOver(trainers, 2);
        }
        try (EventLog journal = open()) {
            assertThat(journal.trainerSequence()).isEqualTo(7);
            assertThat(journal.sequence()).isEqualTo(2);
        }
        assertThat(events(file).getLast().toString()).contains("\"id\":\"maya-7f3a/2/2\"",
                "\"time\":\"2026-11-21T11:00:00Z\"", "\"type\":\"nocturne.sample.written.v1\"",
                "\"data\":{\"step\":3}");
    }

    private EventLog open() {
        return EventLog.open(file, JOB, "/hosts/studio", NOON);
    }

    private static List<Event> everyKind() {
        List<Problem> problems = List.of(new Problem("DATASET_EMPTY", "maya", "empty"));
        return List.of(new Event.Rejected("maya", problems), new Event.Queued("maya", "inbox:maya.zip", "ab", 500, 20),
                new Event.Started("maya", 500, 20, "cpu"),
                new Event.Planned("all 60 blocks stay on the device", 20_000_000_000L, 30_000_000_000L, 7200,
                        List.of("768 pixels")),
                new Event.Resumed(100, "restart"), new Event.Preparing("latents", 3, 20),
                new Event.Stepped(7, 500, 0.5, 1e-3, 1.25, 0.0625, 1, Event.LossByNoise.UNKNOWN),
                new Event.Progressed(7, 500, 0.5, 0.0625, 31, 0, 1, Event.LossByNoise.UNKNOWN),
                new Event.HeldOutMeasured(100, 0.5),
                new Event.SampleWritten(100, 0, "samples/a.png", "ab".repeat(32)),
                new Event.CheckpointWritten(100, "maya_000000100.safetensors", 1000, "cd".repeat(32), 0.5, Double.NaN),
                new Event.CheckpointRejected(100, ".state/step-000000100.safetensors", "damaged"),
                new Event.Interrupted(100, "CRASHED", "exit code 139"), new Event.Parked("DISK_FULL", "no room"),
                new Event.Completed(500, "maya.safetensors", "ef".repeat(32), 0.4, "report.html"),
                new Event.Failed("DATASET_EMPTY", "no pictures", problems), new Event.Cancelled("by command"),
                new Event.Superseded("studio-2", 2), new Event.Duplicate("inbox:maya.zip", "running"),
                new Event.NoticeGiven("ROTATED", "0007.jpg was turned upright"),
                new Event.DeviceQuarantined("cuda:0", "XID_79", "fell off the bus"),
                new Event.DeviceThrottled("cuda:0", "thermal"), new Event.DeviceRestored("cuda:0"),
                new Event.HostStarted("0.1.0", List.of("cpu")), new Event.HostDraining("SIGTERM"));
    }

    private static int keptBytes(byte[] whole, int length) {
        int end = length;
        while (end > 0 && whole[end - 1] != '\n') end--;
        return end;
    }

    private static List<JsonNode> events(Path file) throws IOException {
        List<JsonNode> events = new ArrayList<>();
        for (String line : Files.readAllLines(file)) events.add(JSON.readTree(line));
        return events;
    }
}
