package nocturne.desk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import nocturne.event.EventLine;
import nocturne.job.Job;
import nocturne.job.WorkFolder;
import nocturne.problem.Problem;

/// All about one job: what it is, what happened to it, and where its files are.
public final class JobStory {
    private static final ObjectMapper JSON = new ObjectMapper();
    /// So many that they would hide the others; the last of each kind is shown.
    private static final Set<String> FREQUENT = Set.of("job.progressed", "job.preparing", "job.measured");
    private static final Set<String> LISTED_BELOW = Set.of("checkpoint.written", "sample.written");

    private final WorkFolder work;
    private final Path outbox;
    private final JobView view;

    /// @param outbox where results appear
    public JobStory(WorkFolder work, Path outbox, JobView view) {
        this.work = work;
        this.outbox = outbox;
        this.view = view;
    }

    public void print(PrintWriter out) {
        Job job = view.job();
        out.printf("%s  %s%n", job.id(), state());
        field(out, "name", job.name());
        field(out, "from", job.origin() + ", " + job.created());
        if (job.steps() > 0) {
            field(out, "steps", view.step() + " of " + job.steps()
                    + (view.left() == null ? "" : ", " + Quantity.time(view.left()) + " left")
                    + (view.phase().isEmpty() ? "" : ", " + view.phase()));
            field(out, "pictures", String.valueOf(job.pictures()));
        }
        if (job.device() != null) {
            field(out, "device", job.device() + ", attempt " + job.attempt()
                    + (job.failures() == 0 ? "" : ", " + job.failures() + " counted as failed"));
        }
        if (job.priority() != 0) field(out, "priority", String.valueOf(job.priority()));
        if (!job.code().isEmpty()) field(out, "why", job.code() + ": " + job.message());
        for (Problem problem : job.problems()) field(out, "problem", problem.code() + " " + problem);
        field(out, "outbox", Files.isDirectory(results()) ? results().toString() : "nothing yet");
        field(out, "work", work.job(job.id()).toString());
        history(out);
        checkpoints(out);
    }

    /// The same for programs, with every event as it was published.
    public String json() {
        ObjectNode node = JobJson.of(view);
        node.put("outbox", results().toString()).put("work", work.job(view.job().id()).toString());
        var events = node.putArray("events");
        try {
            for (EventLine event : events()) events.add(JSON.readTree(event.text()));
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private String state() {
        return view.job().state().word() + (view.job().isTerminal() ? "" : ", not finished");
    }

    private void history(PrintWriter out) {
        List<EventLine> events = events();
        if (events.isEmpty()) return;
        out.printf("%nhistory (all of it: %s)%n", work.journal(view.job().id()));
        Map<String, EventLine> last = new HashMap<>();
        for (EventLine event : events) last.put(event.type(), event);
        for (EventLine event : events) {
            String type = EventStory.shortType(event.type());
            boolean overtaken = FREQUENT.contains(type) && last.get(event.type()) != event;
            if (overtaken || LISTED_BELOW.contains(type)) continue;
            out.printf("  %-24s  %s%n", Printable.of(event.time(), 24), EventStory.of(event));
        }
    }

    private void checkpoints(PrintWriter out) {
        List<EventLine> written = events().stream()
                .filter(event -> EventStory.shortType(event.type()).equals("checkpoint.written")).toList();
        if (written.isEmpty()) return;
        out.printf("%ncheckpoints%n");
        for (EventLine event : written) {
            String path = event.data().path("path").asText();
            out.printf("  step %-7d %-10s %s%s%n", event.data().path("step").asLong(),
                    Quantity.bytes(event.data().path("bytes").asLong()), Printable.of(path, 100),
                    isPublished(path) ? "" : "  (not in the outbox)");
        }
        long samples = events().stream()
                .filter(event -> EventStory.shortType(event.type()).equals("sample.written")).count();
        if (samples > 0) out.printf("%d samples%n", samples);
    }

    /// Whether a path from an event is a file in the job's outbox folder, and nowhere else.
    private boolean isPublished(String path) {
        try {
            Path file = results().resolve(path).normalize();
            return file.startsWith(results()) && Files.isRegularFile(file);
        } catch (InvalidPathException noPath) {
            return false;
        }
    }

    private List<EventLine> events() {
        return Journal.of(work.journal(view.job().id())).all();
    }

    private Path results() {
        return outbox.resolve(view.job().id().text());
    }

    private static void field(PrintWriter out, String name, String value) {
        out.printf("  %-9s %s%n", name, Printable.of(value, 400));
    }
}
