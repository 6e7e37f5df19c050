package nocturne.report;

import static nocturne.report.Html.escaped;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import nocturne.dataset.findings.DatasetReport;
import nocturne.dataset.findings.DatasetReport.Bucket;
import nocturne.dataset.findings.DatasetReport.CaptionLengths;
import nocturne.dataset.findings.DatasetReport.Folder;
import nocturne.dataset.findings.Finding;
import nocturne.dataset.findings.RunLength;

/// `dataset.html`: what is in a run's dataset, and what a person may want to change about it.
///
/// Made like `report.html`: one file that stands alone, well-formed as XML, no script, loads nothing, and the same
/// report gives the same bytes.
public final class DatasetPage {
    /// What the page is called beside `report.html`.
    public static final String FILE = "dataset.html";

    /// Pictures on the page; all others are named. Each takes some 20 kB.
    private static final int MOST_THUMBNAILS = 60;
    private static final int MOST_OF_A_KIND = 100;
    private static final String TABLE_END = "</tbody>\n</table></div>\n";

    private final DatasetReport report;
    private final Function<String, Optional<byte[]>> thumbnails;
    private final StringBuilder page = new StringBuilder(1 << 16);
    private final Set<String> shown = new LinkedHashSet<>();

    private DatasetPage(DatasetReport report, Function<String, Optional<byte[]>> thumbnails) {
        this.report = report;
        this.thumbnails = thumbnails;
    }

    /// The whole page, to be stored as UTF-8.
    ///
    /// @param name       of the run
    /// @param program    our name and version
    /// @param thumbnails a small PNG of the picture with this name; asked for a few at most
    public static String of(String name, String program, DatasetReport report,
            Function<String, Optional<byte[]>> thumbnails) {
        return new DatasetPage(report, thumbnails).write(name, program);
    }

    private String write(String name, String program) {
        page.append(Html.head(name + ": dataset"));
        heading(name);
        findings();
        folders();
        buckets();
        captions();
        page.append("<footer>Made by ").append(escaped(program))
                .append(". The same for machines is in <code>dataset.json</code>.</footer>\n</body>\n</html>\n");
        return page.toString();
    }

    private void heading(String name) {
        RunLength length = report.length();
        page.append("<header>\n<h1>").append(escaped(name)).append("</h1>\n<p class=\"muted\">The dataset</p>\n")
                .append("<dl class=\"facts\">\n");
        fact("pictures", Integer.toString(report.pictures()));
        fact("steps of the run", Long.toString(length.steps()));
        fact("samples an epoch", Long.toString(length.samplesPerEpoch()));
        fact("samples a step", Long.toString(length.samplesPerStep()));
        fact("steps an epoch", decimal(length.stepsPerEpoch()));
        fact("epochs", decimal(length.epochs()));
        page.append("</dl>\n</header>\n<p class=\"muted\">The steps are the whole run and are not multiplied by")
                .append(" anything: in ").append(length.steps()).append(" steps of ").append(length.samplesPerStep())
                .append(" samples, each of the ").append(length.samplesPerEpoch()).append(" samples is seen ")
                .append(decimal(length.epochs())).append(" times.</p>\n");
    }

    private void fact(String name, String value) {
        page.append("<div><dt>").append(name).append("</dt><dd>").append(value).append("</dd></div>\n");
    }

    private void findings() {
        if (report.findings().isEmpty()) {
            page.append("<section class=\"recommended\">\n<h2>Findings</h2>\n<p>None.</p>\n</section>\n");
            return;
        }
        for (Finding.Kind kind : Finding.Kind.values()) {
            List<Finding> findings = report.findings(kind);
            if (!findings.isEmpty()) kind(kind, findings);
        }
    }

    private void kind(Finding.Kind kind, List<Finding> findings) {
        page.append("<h2>").append(escaped(kind.heading())).append(" <span class=\"muted\">")
                .append(findings.size()).append("</span></h2>\n<p>").append(escaped(kind.remedy())).append("</p>\n");
        boolean single = findings.stream().allMatch(finding -> finding.pictures().size() == 1);
        if (single) {
            page.append("<ul class=\"thumbs\">\n");
            findings.stream().limit(MOST_OF_A_KIND)
                    .forEach(finding -> picture(finding.pictures().getFirst(), finding.text()));
            page.append("</ul>\n");
        } else {
            findings.stream().limit(MOST_OF_A_KIND).forEach(this::group);
        }
        if (findings.size() > MOST_OF_A_KIND) {
            page.append("<p class=\"muted\">And ").append(findings.size() - MOST_OF_A_KIND)
                    .append(" more, in <code>dataset.json</code>.</p>\n");
        }
    }

    private void group(Finding finding) {
        page.append("<div class=\"finding\">\n<p>").append(escaped(finding.text())).append("</p>\n")
                .append("<ul class=\"thumbs\">\n");
        finding.pictures().stream().limit(MOST_OF_A_KIND).forEach(name -> picture(name, ""));
        page.append("</ul>\n");
        if (!finding.likeness().isEmpty()) {
            page.append("<p class=\"muted\">").append(finding.likeness().stream().limit(MOST_OF_A_KIND)
                    .map(DatasetPage::pair).collect(Collectors.joining("; "))).append("</p>\n");
        }
        page.append("</div>\n");
    }

    private static String pair(Finding.Likeness pair) {
        return escaped("%s and %s: %s%s".formatted(pair.first(), pair.second(),
                pair.bits() == 1 ? "1 bit" : pair.bits() + " bits", pair.mirrored() ? ", mirrored" : ""));
    }

    private void picture(String name, String text) {
        page.append("<li>");
        if (shown.contains(name) || shown.size() < MOST_THUMBNAILS) {
            shown.add(name);
            thumbnails.apply(name).ifPresent(png -> page.append(Html.picture(png, "")));
        }
        page.append(escaped(name));
        if (!text.isEmpty()) page.append("<br/><span class=\"muted\">").append(escaped(text)).append("</span>");
        page.append("</li>\n");
    }

    private void folders() {
        page.append("<h2>Folders</h2>\n");
        table(List.of("folder", "for", "resolution"), List.of("pictures", "repeats", "copies", "samples an epoch"));
        for (Folder folder : report.folders()) {
            page.append("<tr>");
            cell(folder.name());
            cell(folder.role().name().toLowerCase(Locale.ROOT).replace('_', ' '));
            cell(folder.resolutions().stream().map(String::valueOf).collect(Collectors.joining(", ")));
            number(folder.pictures());
            number(folder.repeats());
            number(folder.copies());
            number(folder.visits());
            page.append("</tr>\n");
        }
        page.append(TABLE_END);
    }

    private void buckets() {
        page.append("<h2>Sizes</h2>\n");
        table(List.of("trained at", ""), List.of("pictures", "samples an epoch", "cropped"));
        int most = report.buckets().stream().mapToInt(Bucket::pictures).max().orElse(1);
        for (Bucket bucket : report.buckets()) {
            page.append("<tr>");
            cell(bucket.width() + " x " + bucket.height());
            page.append("<td><span class=\"bar\" style=\"width: ").append(decimal(12.0 * bucket.pictures() / most))
                    .append("rem\"></span></td>");
            number(bucket.pictures());
            number(bucket.visits());
            number(decimal(100 * bucket.cropped()) + " %");
            page.append("</tr>\n");
        }
        page.append(TABLE_END);
    }

    private void captions() {
        CaptionLengths captions = report.captions();
        page.append("<h2>Captions</h2>\n");
        table(List.of(), List.of("written", "without file", "empty", "shortest", "median", "longest",
                "longest in tokens"));
        page.append("<tr>");
        number(captions.written());
        number(captions.missing());
        number(captions.empty());
        number(captions.shortest());
        number(captions.median());
        number(captions.longest());
        number(captions.longestTokens().isPresent() ? captions.longestTokens().getAsInt() : "–");
        page.append("</tr>\n").append(TABLE_END)
                .append("<p class=\"muted\">Lengths in characters; from 50 to 200 work best.</p>\n");
    }

    private void table(List<String> texts, List<String> numbers) {
        page.append("<div class=\"wide\"><table>\n<thead><tr>");
        for (String text : texts) page.append("<th>").append(text).append("</th>");
        for (String number : numbers) page.append("<th class=\"number\">").append(number).append("</th>");
        page.append("</tr></thead>\n<tbody>\n");
    }

    private void cell(String text) {
        page.append("<td>").append(escaped(text)).append("</td>");
    }

    private void number(Object number) {
        page.append("<td class=\"number\">").append(number).append("</td>");
    }

    private static String decimal(double number) {
        return String.format(Locale.ROOT, "%.1f", number);
    }
}
