package nocturne.report;

import static nocturne.report.Html.escaped;

import java.util.List;
import nocturne.report.LossHistory.ByNoise;

/// The part of the report that says how the run learned: what it was kept from memorising by, how the loss went at
/// each third of the noise, and what may be worth another try.
final class LearningNotes {
    /// Of the run, at its beginning and at its end: long enough for each third to be met.
    private static final double PART = 0.2;
    private static final double HUNDRED = 100;

    private LearningNotes() {}

    static String html(RunSummary run) {
        StringBuilder page = new StringBuilder();
        byNoise(run.losses(), page);
        tools(run.tools(), page);
        NextRun.hint(run.losses()).ifPresent(hint -> page.append("<h2>For the next run</h2>\n<p>")
                .append(escaped(hint)).append("</p>\n<p class=\"muted\">A hint from the shape of one curve, no more;")
                .append(" change one thing at a time.</p>\n"));
        return page.toString();
    }

    private static void byNoise(LossHistory losses, StringBuilder page) {
        ByNoise first = losses.byNoise(0, PART);
        ByNoise last = losses.byNoise(1 - PART, 1);
        if (List.of(first.high(), first.middle(), first.low(), last.high(), last.middle(), last.low()).stream()
                .allMatch(loss -> loss.isNaN())) return;
        page.append("""
                <h2>What was learned</h2>
                <div class="wide"><table>
                <thead><tr><th>noise</th><th>what is learned there</th><th class="number">first fifth</th>\
                <th class="number">last fifth</th><th class="number">change</th></tr></thead>
                <tbody>
                """);
        row("high", "composition: where things are", first.high(), last.high(), page);
        row("middling", "features: a face, a shape", first.middle(), last.middle(), page);
        row("low", "texture: skin, cloth, grain", first.low(), last.low(), page);
        page.append("</tbody>\n</table></div>\n<p class=\"muted\">Mean training loss by thirds of the noise level.")
                .append(" Only the change in a row means something: noisier pictures are easier or harder by")
                .append(" themselves.</p>\n");
    }

    private static void row(String noise, String what, double first, double last, StringBuilder page) {
        double change = HUNDRED * (last / first - 1);
        page.append("<tr><td>").append(noise).append("</td><td>").append(what).append("</td>");
        for (String cell : List.of(Numbers.loss(first), Numbers.loss(last), Numbers.percent(change))) {
            page.append("<td class=\"number\">").append(escaped(cell)).append("</td>");
        }
        page.append("</tr>\n");
    }

    private static void tools(List<RunSummary.Tool> tools, StringBuilder page) {
        if (tools.isEmpty()) return;
        page.append("<h2>Against memorising</h2>\n<ul>\n");
        for (RunSummary.Tool tool : tools) {
            page.append(tool.on() ? "<li><strong>" : "<li class=\"muted\"><strong>").append(escaped(tool.name()))
                    .append(tool.on() ? ":</strong> on, " : ":</strong> off, ").append(escaped(tool.how()))
                    .append("</li>\n");
        }
        page.append("</ul>\n");
    }
}
