package nocturne.service.storm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import nocturne.event.EventLine;
import nocturne.io.ContentHash;
import nocturne.job.JobState;

/// What lies on the disk, read as a stranger would: without the ledger's own code.
record Aftermath(Path folder, Path outbox, Path work) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// How many of these bundles have not come to their end.
    long inFlight(Collection<String> names) {
        Map<String, List<String>> states = states();
        return names.stream().filter(name -> !hasEnded(states.getOrDefault(name, List.of()))).count();
    }

    boolean ended(Collection<String> names) {
        return inFlight(names) == 0;
    }

    private static boolean hasEnded(List<String> states) {
        return !states.isEmpty() && states.stream().allMatch(state -> JobState.valueOf(
                state.toUpperCase(Locale.ROOT)).isTerminal());
    }

    /// States of the jobs of each bundle; usually one.
    private Map<String, List<String>> states() {
        Map<String, List<String>> states = new HashMap<>();
        for (JsonNode job : jobs()) {
            states.computeIfAbsent(job.path("name").asText(), _ -> new ArrayList<>()).add(job.path("state").asText());
        }
        return states;
    }

    private List<JsonNode> jobs() {
        List<JsonNode> jobs = new ArrayList<>();
        for (Path job : children(work.resolve("jobs"))) {
            try {
                jobs.add(JSON.readTree(job.resolve("job.json").toFile()));
            } catch (IOException e) {
                throw new AssertionError("a job that cannot be read: " + job, e);
            }
        }
        return jobs;
    }

    void assertOneJobEach(Map<String, JobState> expected) {
        Map<String, List<String>> wanted = new TreeMap<>();
        expected.forEach((name, state) -> wanted.put(name, List.of(state.word())));
        assertThat(new TreeMap<>(states())).isEqualTo(wanted);
    }

    /// Every completed job's manifest names its files as they are, and the adapter is the one the event told of.
    void assertResultsVerify() throws IOException {
        for (JsonNode job : jobs()) {
            Path result = outbox.resolve(job.path("id").asText());
            JsonNode told = JSON.readTree(result.resolve("job.json").toFile());
            assertThat(told.path("state").asText()).as("%s", result).isEqualTo(job.path("state").asText());
            if (job.path("state").asText().equals("refused")) assertThat(result.resolve("refused.json")).exists();
            if (!job.path("state").asText().equals("completed")) continue;
            Map<String, String> hashes = new HashMap<>();
            for (JsonNode file : JSON.readTree(result.resolve("manifest.json").toFile()).path("files")) {
                Path published = result.resolve(file.path("path").asText());
                assertThat(ContentHash.ofFile(published)).as("%s", published).isEqualTo(file.path("sha256").asText());
                hashes.put(file.path("path").asText(), file.path("sha256").asText());
            }
            JsonNode completed = journal(job.path("id").asText()).getLast().data();
            assertThat(hashes).containsEntry(completed.path("path").asText(), completed.path("sha256").asText());
        }
    }

    void assertNothingIsLeftOver(Path inbox) throws IOException {
        assertThat(children(work.resolve("incoming"))).as("half imported").isEmpty();
        assertThat(children(work.resolve("pending"))).as("promised and not imported").isEmpty();
        assertThat(children(work.resolve("unreadable"))).as("unreadable jobs").isEmpty();
        assertThat(children(inbox).stream().filter(Files::isRegularFile)).as("left in the inbox").isEmpty();
        if (Files.isDirectory(inbox.resolve(".claimed"))) {
            assertThat(children(inbox.resolve(".claimed")).stream().filter(file -> file.toString().endsWith(".zip")))
                    .as("claimed and forgotten").isEmpty();
        }
        String ours = folder.toString();
        assertThat(ProcessHandle.allProcesses().filter(process -> process.info().commandLine().orElse("")
                .contains(ours)))
                .as("processes left behind").isEmpty();
    }

    /// What Kafka holds is each journal, complete, without a gap and in order, once repeats are dropped.
    void assertPublished(List<EventLine> published) {
        Map<String, EventLine> byId = new LinkedHashMap<>();
        for (EventLine line : published) {
            EventLine before = byId.putIfAbsent(line.id(), line);
            if (before != null) assertThat(line.text()).as("the same event again").isEqualTo(before.text());
        }
        Map<String, List<String>> bySubject = new HashMap<>();
        byId.values().forEach(line ->
                bySubject.computeIfAbsent(line.subject(), _ -> new ArrayList<>()).add(line.text()));
        for (JsonNode job : jobs()) {
            String id = job.path("id").asText();
            List<EventLine> journal = journal(id);
            assertThat(bySubject.get(id)).as(id).containsExactlyElementsOf(
                    journal.stream().map(EventLine::text).toList());
            for (int i = 0; i < journal.size(); i++) assertThat(journal.get(i).sequence()).as(id).isEqualTo(i + 1);
            assertThat(journal.stream().filter(line -> isTheEnd(line.type()))).as("ends of %s", id).hasSize(1);
        }
    }

    private static boolean isTheEnd(String type) {
        return type.matches("nocturne\\.job\\.(completed|failed|cancelled|rejected|superseded)\\.v1");
    }

    private List<EventLine> journal(String id) {
        try (Stream<String> lines = Files.lines(work.resolve("jobs").resolve(id).resolve("events.jsonl"))) {
            return lines.map(line -> EventLine.parse(line).orElseThrow()).toList();
        } catch (IOException e) {
            throw new AssertionError("a journal that cannot be read: " + id, e);
        }
    }

    private static List<Path> children(Path folder) {
        if (Files.notExists(folder)) return List.of();
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted().toList();
        } catch (IOException e) {
            throw new AssertionError(folder.toString(), e);
        }
    }
}
