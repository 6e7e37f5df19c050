package nocturne.desk;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import nocturne.event.EventLine;

/// An event in one line of plain words.
public final class EventStory {
    private static final int LONGEST = 300;

    private EventStory() {}

    /// Such as `step 200 of 600, loss 0.4131, 12s left`. A type that is not known, as from a newer Nocturne, is shown
    /// as it is.
    public static String of(EventLine event) {
        JsonNode data = event.data();
        String words = switch (shortType(event.type())) {
            case "job.rejected" -> "refused: " + problems(data);
            case "job.queued" -> "accepted from %s: %s pictures, %s steps".formatted(
                    text(data, "origin"), text(data, "pictures"), text(data, "steps"));
            case "job.started" -> "started on " + text(data, "device");
            case "job.planned" -> planned(data);
            case "job.resumed" -> "goes on after step %s (%s)".formatted(text(data, "step"), text(data, "reason"));
            case "job.preparing" -> "prepares %s: %s of %s".formatted(
                    text(data, "what"), text(data, "done"), text(data, "total"));
            case "job.stepped", "job.progressed" -> progress(data);
            case "job.measured" -> "step %s: loss on held-out pictures %s".formatted(
                    text(data, "step"), number(data, "loss"));
            case "sample.written" -> "step %s: sample %s".formatted(text(data, "step"), text(data, "path"));
            case "checkpoint.written" -> "step %s: checkpoint %s (%s)".formatted(text(data, "step"),
                    text(data, "path"), Quantity.bytes(data.path("bytes").asLong()));
            case "checkpoint.rejected" -> "step %s: saved state %s is damaged and passed over (%s)".formatted(
                    text(data, "step"), text(data, "path"), text(data, "reason"));
            case "job.interrupted" -> "interrupted at step %s, will go on: %s".formatted(
                    text(data, "step"), coded(data));
            case "job.parked" -> "waits: " + coded(data);
            case "job.completed" -> "completed: %s, final loss %s".formatted(
                    text(data, "path"), number(data, "finalLoss"));
            case "job.failed" -> "failed: " + coded(data);
            case "job.cancelled" -> "cancelled: " + text(data, "reason");
            case "job.superseded" -> "taken over by " + text(data, "host");
            case "job.duplicate" -> "came again from %s; it is %s here".formatted(
                    text(data, "origin"), text(data, "state"));
            case "job.notice" -> (text(data, "severity").equals("warning") ? "warning: " : "notice: ")
                    + (text(data, "code").equals("NOTICE") ? text(data, "message") : coded(data));
            case "gpu.quarantined" -> "%s takes no more jobs: %s".formatted(text(data, "device"), coded(data));
            case "gpu.throttled" -> "%s runs slower: %s".formatted(text(data, "device"), text(data, "reason"));
            case "gpu.restored" -> text(data, "device") + " takes jobs again";
            case "host.started" -> "service %s started with %s".formatted(text(data, "version"), slots(data));
            case "host.draining" -> "service stops: " + text(data, "reason");
            default -> event.type() + " " + data;
        };
        return Printable.of(words, LONGEST);
    }

    private static String planned(JsonNode data) {
        long seconds = data.path("expectedSeconds").asLong();
        List<String> gaveUp = new ArrayList<>();
        data.path("gaveUp").forEach(each -> gaveUp.add(each.asText()));
        return "plan: %s; %s on disk%s%s".formatted(text(data, "memory"),
                Quantity.bytes(data.path("diskBytes").asLong()),
                seconds == 0 ? "" : "; about " + Quantity.time(Duration.ofSeconds(seconds)),
                gaveUp.isEmpty() ? "" : "; given up for memory: " + String.join(", ", gaveUp));
    }

    /// `job.queued` for `nocturne.job.queued.v1`; versions after the first keep theirs.
    public static String shortType(String type) {
        return type.replaceFirst("^nocturne\\.", "").replaceFirst("\\.v1$", "");
    }

    private static String progress(JsonNode data) {
        String words = "step %s of %s".formatted(text(data, "step"), text(data, "steps"));
        if (data.path("loss").isNumber()) words += ", loss " + number(data, "loss");
        JsonNode left = data.path("etaSeconds");
        if (!left.isNumber()) return words;
        words += ", " + Quantity.time(Duration.ofSeconds(left.asLong())) + " left";
        long steps = data.path("steps").asLong() - data.path("step").asLong();
        long each = data.path("microSteps").asLong(1);
        return each > 1 && steps > 0 ? words + " (%d steps x %d micro-steps)".formatted(steps, each) : words;
    }

    private static String coded(JsonNode data) {
        return text(data, "code") + ": " + text(data, "message");
    }

    private static String problems(JsonNode data) {
        List<String> list = new ArrayList<>();
        for (JsonNode problem : data.path("problems")) {
            String where = text(problem, "where");
            list.add((where.isEmpty() ? "" : where + ": ") + text(problem, "what"));
        }
        return String.join("; ", list);
    }

    private static String slots(JsonNode data) {
        List<String> list = new ArrayList<>();
        for (JsonNode slot : data.path("slots")) list.add(slot.asText());
        return list.isEmpty() ? "no device" : String.join(", ", list);
    }

    private static String text(JsonNode data, String field) {
        return data.path(field).asText();
    }

    private static String number(JsonNode data, String field) {
        JsonNode value = data.path(field);
        return value.isNumber() ? String.format(Locale.ROOT, "%.4f", value.asDouble()) : "unknown";
    }
}
