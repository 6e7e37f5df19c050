package nocturne.plan;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import nocturne.dataset.findings.DatasetReport;
import nocturne.dataset.findings.Finding;
import nocturne.recipe.Notice;
import nocturne.recipe.Severity;

/// A dataset's findings as notices: one for each kind, with a few examples; all of them stand in the report.
final class DatasetNotices {
    private static final int MOST_EXAMPLES = 5;
    private static final String WHERE = "datasets";

    private DatasetNotices() {}

    /// @param known ids that the recipe's `i_know` names
    static List<Notice> of(DatasetReport report, Set<String> known) {
        List<Notice> notices = new ArrayList<>();
        for (Finding.Kind kind : Finding.Kind.values()) {
            List<Finding> findings = report.findings(kind);
            if (findings.isEmpty() || kind.isToldElsewhere()) continue;
            notices.add(notice(kind, findings, known.contains(kind.ledger())));
        }
        return notices;
    }

    /// The one place where a finding becomes a notice.
    private static Notice notice(Finding.Kind kind, List<Finding> findings, boolean known) {
        Set<String> pictures = new LinkedHashSet<>();
        findings.forEach(finding -> pictures.addAll(finding.pictures()));
        boolean grouped = findings.stream().anyMatch(finding -> finding.pictures().size() > 1);
        List<String> examples = findings.stream().limit(MOST_EXAMPLES).map(DatasetNotices::names).toList();
        String rest = findings.size() > MOST_EXAMPLES ? ", and more" : "";
        Severity severity = known ? Severity.NOTICE : Severity.WARNING;
        return new Notice(kind.ledger(), severity, WHERE, "%s: %d picture%s (%s%s). %s".formatted(
                kind.heading(), pictures.size(), pictures.size() == 1 ? "" : "s",
                String.join(grouped ? "; " : ", ", examples), rest, kind.remedy()));
    }

    private static String names(Finding finding) {
        List<String> names = finding.pictures();
        String shown = String.join(", ", names.subList(0, Math.min(MOST_EXAMPLES, names.size())));
        return names.size() > MOST_EXAMPLES ? shown + " ..." : shown;
    }
}
