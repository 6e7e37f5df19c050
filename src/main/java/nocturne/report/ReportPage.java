package nocturne.report;

import static nocturne.report.Html.escaped;

import java.util.List;
import java.util.Optional;
import nocturne.report.RunSummary.Checkpoint;
import nocturne.report.RunSummary.Recommendation;

/// `report.html`: what came out of the night, which file to take, and how to use it.
///
/// One file that stands alone: pictures and style are inside, there is no script, and its own security policy
/// forbids it to load anything. It is well-formed XML as well as HTML, which lets a test prove that no text from a
/// user can break out of its place. The same summary gives the same bytes.
public final class ReportPage {
    private final RunSummary run;
    private final Optional<Recommendation> recommended;
    private final StringBuilder page = new StringBuilder(1 << 16);

    private ReportPage(RunSummary run) {
        this.run = run;
        this.recommended = run.recommendation();
    }

    /// The whole page, to be stored as UTF-8.
    public static String of(RunSummary run) {
        return new ReportPage(run).write();
    }

    private String write() {
        page.append(Html.head(run.jobName()));
        heading();
        recommendation();
        notices();
        page.append(ProbeNotes.html(run));
        samples();
        curve();
        page.append(LearningNotes.html(run));
        checkpoints();
        page.append(UsageNotes.html(run, recommended));
        recipe();
        page.append("<footer>Made by ").append(escaped(run.program()))
                .append(". This page is complete in itself: keep it beside the files it describes.</footer>\n");
        page.append("</body>\n</html>\n");
        return page.toString();
    }

    private void heading() {
        page.append("<header>\n<h1>").append(escaped(run.jobName())).append("</h1>\n");
        String what = run.adapter().kind() + " for " + run.baseModel();
        page.append("<p class=\"muted\">").append(escaped(what)).append("</p>\n<dl class=\"facts\">\n");
        if (!run.trigger().isEmpty()) fact("trigger word", run.trigger());
        fact("rank, alpha", run.adapter().rank() + ", " + Numbers.plain(run.adapter().alpha()));
        fact("layers changed", Integer.toString(run.adapter().targets()));
        fact("pictures", Integer.toString(run.pictures()));
        if (!run.checkpoints().isEmpty()) fact("steps", Long.toString(run.checkpoints().getLast().step()));
        fact("time", Numbers.duration(run.trainingTime()));
        fact("device", run.device());
        if (!run.finished().isEmpty()) fact("finished", run.finished());
        page.append("</dl>\n</header>\n<p class=\"muted\">What was found in the pictures and captions is in <a href=\"")
                .append(DatasetPage.FILE).append("\">").append(DatasetPage.FILE).append("</a>.</p>\n");
    }

    private void fact(String name, String value) {
        page.append("<div><dt>").append(escaped(name)).append("</dt><dd>").append(escaped(value))
                .append("</dd></div>\n");
    }

    private void recommendation() {
        page.append("<section class=\"recommended\">\n<h2>Recommended checkpoint</h2>\n");
        recommended.ifPresentOrElse(
                best -> page.append("<p class=\"file\">").append(escaped(best.checkpoint().file()))
                        .append(" <span class=\"muted\">(step ").append(best.checkpoint().step())
                        .append(")</span></p>\n<p>").append(escaped(best.reason())).append("</p>\n"),
                () -> page.append("<p>None: the run ended before its first checkpoint.</p>\n"));
        page.append("</section>\n");
    }

    private void notices() {
        if (run.notices().isEmpty()) return;
        page.append("<h2>Notices</h2>\n");
        // What needs attention first; otherwise as it came.
        page.append("<ul>\n");
        for (boolean warning : List.of(true, false)) {
            for (RunSummary.Remark remark : run.notices()) {
                if (remark.warning() != warning) continue;
                page.append(warning ? "<li class=\"warning\"><strong>Warning:</strong> " : "<li>")
                        .append(escaped(remark.text())).append("</li>\n");
            }
        }
        page.append("</ul>\n");
    }

    private void list(String tag, List<String> items) {
        page.append('<').append(tag).append(">\n");
        for (String item : items) page.append("<li>").append(escaped(item)).append("</li>\n");
        page.append("</").append(tag).append(">\n");
    }

    private void samples() {
        byte[] sheet = run.contactSheet();
        page.append("<h2>Samples</h2>\n");
        if (sheet == null) {
            page.append("<p class=\"muted\">No samples were drawn: the recipe asks for none.</p>\n");
            return;
        }
        page.append("<figure>").append(Html.picture(sheet, "Samples: a row for each prompt, a column for each step"))
                .append("</figure>\n");
        if (run.prompts().isEmpty()) return;
        page.append("<details>\n<summary>The prompts in full</summary>\n");
        list("ol", run.prompts());
        page.append("</details>\n");
    }

    private void curve() {
        byte[] curve = run.lossCurve();
        if (curve == null) return;
        page.append("<h2>Loss</h2>\n<figure>")
                .append(Html.picture(curve, "Training loss, held-out loss and learning rate over the steps"))
                .append("</figure>\n<p class=\"muted\">The loss of a single step depends mostly on the noise level")
                .append(" it drew; look at the smoothed line. Training loss that falls while held-out loss rises means")
                .append(" the pictures are being memorised. The numbers are in <code>loss.csv</code>.</p>\n");
    }

    private void checkpoints() {
        page.append("<h2>Checkpoints</h2>\n");
        if (run.checkpoints().isEmpty()) {
            page.append("<p class=\"muted\">None was written.</p>\n");
            return;
        }
        page.append("""
                <div class="wide"><table>
                <thead><tr><th class="number">step</th><th class="number">training loss</th>\
                <th class="number">held-out loss</th><th class="number">size</th><th>file, SHA-256</th></tr></thead>
                <tbody>
                """);
        for (Checkpoint checkpoint : run.checkpoints()) row(checkpoint);
        page.append("</tbody>\n</table></div>\n");
        if (run.checkpoints().stream().anyMatch(run::isLikely)) {
            page.append("<p class=\"muted\">◆ from half to 70 % of the run, where the best checkpoint usually is:")
                    .append(" try these first.</p>\n");
        }
    }

    private void row(Checkpoint checkpoint) {
        boolean best = recommended.isPresent() && recommended.get().checkpoint().equals(checkpoint);
        boolean likely = run.isLikely(checkpoint);
        page.append(best ? "<tr class=\"best\">" : likely ? "<tr class=\"likely\">" : "<tr>");
        number((likely ? "◆ " : "") + checkpoint.step());
        number(Numbers.loss(checkpoint.trainingLoss()));
        number(Numbers.loss(checkpoint.heldOutLoss()));
        number(Numbers.bytes(checkpoint.bytes()));
        page.append("<td>").append(escaped(checkpoint.file())).append("<br/><span class=\"hash\">")
                .append(escaped(checkpoint.sha256())).append("</span></td></tr>\n");
    }

    private void number(String value) {
        page.append("<td class=\"number\">").append(escaped(value)).append("</td>");
    }

    private void recipe() {
        page.append("<h2>The resolved recipe</h2>\n<pre><code>").append(escaped(run.recipe().stripTrailing()))
                .append("</code></pre>\n");
    }
}
