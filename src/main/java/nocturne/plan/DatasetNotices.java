package nocturne.plan;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import nocturne.dataset.findings.DatasetReport;
import nocturne.dataset.findings.Finding;
import nocturne.recipe.Notice;
import nocturne.recipe.Severity;

/// A dataset's findings as notices: one for each kind, with a few examples; all of them stand in the report.
final class DatasetNotices {
    private static final int MOST_EXAMPLES = 5;
    private static final String WHERE = "datasets";

    private DatasetNotices() {}

    /// Every id that `i_know` may name.
    static Stream<String> ids() {
        return Stream.of(Finding.Kind.values()).filter(kind -> !kind.isToldElsewhere()).map(Finding.Kind::id);
    }

    /// @param known    ids that the recipe's `i_know` names
    /// @param captions whether captions are trained
    static List<Notice> of(DatasetReport report, Set<String> known, boolean captions) {
        List<Notice> notices = new ArrayList<>();
        for (Finding.Kind kind : Finding.Kind.values()) {
            List<Finding> findings = report.findings(kind);
            if (findings.isEmpty() || kind.isToldElsewhere() || kind.isAboutCaptions() && !captions) continue;
            notices.add(notice(kind, findings, known.contains(kind.id())));
        }
        return notices;
    }

    /// The one place where a finding becomes a notice.
    private static Notice notice(Finding.Kind kind, List<Finding> findings, boolean known) {
        Set<String> pictures = new LinkedHashSet<>();
        findings.forEach(finding -> pictures.addAll(finding.pictures()));
        boolean grouped = kind == Finding.Kind.CAPTION_CUT
                || findings.stream().anyMatch(finding -> finding.pictures().size() > 1);
        List<String> examples = findings.stream().limit(MOST_EXAMPLES).map(DatasetNotices::names).toList();
        String rest = findings.size() > MOST_EXAMPLES ? ", and more" : "";
        Severity severity = known ? Severity.NOTICE : Severity.WARNING;
        return new Notice(kind.id(), severity, WHERE, "%s: %d picture%s (%s%s). %s".formatted(
                kind.heading(), pictures.size(), pictures.size() == 1 ? "" : "s",
                String.join(grouped ? "; " : ", ", examples), rest, known ? "Known, says i_know." : kind.remedy()));
    }

    private static String names(Finding finding) {
        List<String> names = finding.pictures();
        String shown = String.join(", ", names.subList(0, Math.min(MOST_EXAMPLES, names.size())));
        if (finding.kind() == Finding.Kind.CAPTION_CUT) return shown + ", " + finding.text();
        return names.size() > MOST_EXAMPLES ? shown + " ..." : shown;
    }
}
