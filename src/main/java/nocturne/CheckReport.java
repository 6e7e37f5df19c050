package nocturne;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import nocturne.dataset.findings.DatasetReport;
import nocturne.dataset.findings.RunLength;
import nocturne.desk.Printable;
import nocturne.memory.MemoryTable;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.recipe.Notice;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.Recipe;
import nocturne.train.CardClass;
import nocturne.train.Forecast;
import nocturne.train.WorkNeed;
import org.jspecify.annotations.Nullable;

/// What `check` says of a bundle that would be accepted.
///
/// @param called what the bundle is called
/// @param card   the class that the time is estimated for; null for the processor, for which none is
/// @param asked  the card's memory, in the words of the command line
record CheckReport(Forecast forecast, String called, @Nullable CardClass card, @Nullable String asked) {
    private static final int VERSION = 1;
    private static final double HUNDRED = 100;

    void print(PrintWriter out) {
        Recipe recipe = forecast.found().resolved().recipe();
        String trigger = recipe.triggerWord();
        out.printf("%s: accepted; %s, trigger %s, %s%n", Printable.of(called), recipe.useCase().spelling(),
                trigger == null ? "none" : Printable.of(trigger), Printable.of(recipe.model().nameOrPath()));
        pictures(out);
        for (Notice notice : forecast.notices()) {
            out.printf("%s [%s] %s%n", notice.isWarning() ? "warning" : "notice ", notice.code(),
                    Printable.of(notice.toString()));
        }
        out.printf("%nmemory%s: %s%n", asked == null ? " (processor)" : " (card with " + asked + ")",
                forecast.memory());
        MemoryTable.of(forecast.memory()).forEach(row -> out.println("  " + row));
        out.println();
        out.println("disk");
        disk(out, "an adapter's file", forecast.disk().adapter());
        disk(out, "checkpoints, at most", forecast.disk().checkpoints());
        disk(out, "state for a resume, at most", forecast.disk().state());
        disk(out, "cache of pictures and words", forecast.disk().cache());
        disk(out, "cache of weights", forecast.disk().weights());
        disk(out, "together", forecast.disk().bytes());
        out.println();
        out.printf("time: %s%n", time());
        drawing(out);
    }

    private void drawing(PrintWriter out) {
        WorkNeed work = forecast.work();
        if (work.sampling() <= 0) return;
        ProbeRecipe probe = forecast.found().resolved().recipe().probe();
        out.printf(Locale.ROOT, "drawing: %.0f %% of the arithmetic is for pictures%s%n",
                HUNDRED * work.sampling() / (work.sampling() + work.microSteps() * work.microStep()),
                probe == null ? "" : "; %d of them are the probe's, at the end".formatted(probe.shots().size()));
    }

    private void pictures(PrintWriter out) {
        DatasetReport pictures = forecast.pictures();
        RunLength length = pictures.length();
        out.printf("%d pictures, %d samples an epoch; %d steps of %d = %.1f epochs%n", pictures.pictures(),
                length.samplesPerEpoch(), length.steps(), length.samplesPerStep(), length.epochs());
    }

    private static void disk(PrintWriter out, String name, long bytes) {
        if (bytes > 0) out.printf("  %-28s %12s%n", name, MemoryTable.size(bytes));
    }

    private String time() {
        if (forecast.seconds().isPresent()) {
            double seconds = forecast.seconds().getAsDouble();
            return "about %s, if steps are as fast as those of earlier jobs here%s".formatted(
                    hours(seconds), doneAt(seconds));
        }
        CardClass of = card;
        if (of == null) return "not known; no job has run on this processor yet";
        double seconds = of.seconds(forecast.work());
        return "about %s on a card such as the %s, estimated from data sheets and not measured%s".formatted(
                hours(seconds), of, doneAt(seconds));
    }

    private static String doneAt(double seconds) {
        return LocalDateTime.now(ZoneId.systemDefault()).plusSeconds(Math.round(seconds))
                .format(DateTimeFormatter.ofPattern("'; started now, it is done on' EEEE 'at' HH:mm", Locale.ROOT));
    }

    private static String hours(double seconds) {
        Duration time = Duration.ofSeconds(Math.round(seconds));
        return time.toHours() >= 2 ? String.format(Locale.ROOT, "%.1f hours", seconds / Duration.ofHours(1).toSeconds())
                : Math.max(1, time.toMinutes()) + " minutes";
    }

    /// Of a bundle that would not be taken.
    static String refusal(UserMistake mistake) {
        ObjectNode report = JsonNodeFactory.instance.objectNode().put("version", VERSION).put("verdict", "refused")
                .put("message", mistake.getMessage());
        ArrayNode problems = report.putArray("problems");
        for (Problem problem : mistake.problems()) {
            problems.addObject().put("code", problem.code()).put("where", problem.where()).put("text", problem.what());
        }
        return report.toString();
    }

    String json() {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        Recipe recipe = forecast.found().resolved().recipe();
        ObjectNode report = nodes.objectNode().put("version", VERSION).put("verdict", "accepted")
                .put("name", recipe.name()).put("trigger", recipe.triggerWord())
                .put("useCase", recipe.useCase().spelling()).put("model", recipe.model().nameOrPath());
        RunLength length = forecast.pictures().length();
        report.set("pictures", nodes.objectNode().put("count", forecast.pictures().pictures())
                .put("samplesPerEpoch", length.samplesPerEpoch()).put("steps", length.steps())
                .put("samplesPerStep", length.samplesPerStep()).put("epochs", length.epochs()));
        ArrayNode notices = report.putArray("notices");
        for (Notice notice : forecast.notices()) {
            notices.addObject().put("code", notice.code()).put("severity", notice.severity().word())
                    .put("where", notice.where()).put("text", notice.text());
        }
        ObjectNode memory = report.putObject("memory").put("plan", forecast.memory().toString());
        ArrayNode parts = memory.putArray("parts");
        MemoryTable.of(forecast.memory())
                .forEach(row -> parts.addObject().put("name", row.name()).put("bytes", row.bytes()));
        report.putObject("disk").put("adapter", forecast.disk().adapter())
                .put("checkpoints", forecast.disk().checkpoints()).put("state", forecast.disk().state())
                .put("cache", forecast.disk().cache()).put("weights", forecast.disk().weights())
                .put("bytes", forecast.disk().bytes());
        ObjectNode work = report.putObject("work").put("operations",
                forecast.work().microSteps() * forecast.work().microStep() + forecast.work().sampling());
        forecast.seconds().ifPresent(seconds -> work.put("expectedSeconds", (long) Math.ceil(seconds)));
        if (card != null) work.put("estimatedSeconds", (long) Math.ceil(card.seconds(forecast.work())));
        return report.toString();
    }
}
