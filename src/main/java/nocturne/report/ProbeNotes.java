package nocturne.report;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The part of the report about the probe: one sheet on which the recommended checkpoint shows what it can do.
final class ProbeNotes {
    /// From here on pictures that were not meant change about as those that were.
    private static final double DRIFTS = 0.5;

    private ProbeNotes() {}

    static String html(RunSummary run) {
        RunSummary.Probe probe = run.probe();
        if (probe == null) return "";
        StringBuilder page = new StringBuilder("<h2>What it can do</h2>\n");
        byte[] sheet = probe.sheet();
        if (sheet != null) {
            page.append("<figure>").append(Html.picture(sheet, "The recommended checkpoint at several guidance scales"
                    + " and strengths, with other seeds and prompts, and without the trigger word"))
                    .append("</figure>\n");
        }
        page.append("<p class=\"muted\">The recommended checkpoint, guidance (CFG) against strength. A sound one")
                .append(" keeps its likeness over the whole grid; pick the cell you like and use its two numbers.")
                .append(" The single pictures are in <code>samples/grid/</code>.</p>\n");
        if (probe.drawn() < probe.wanted()) {
            page.append("<p>%d of %d pictures were drawn.</p>%n".formatted(probe.drawn(), probe.wanted()));
        }
        return page.append(drift(probe.drift())).toString();
    }

    private static String drift(RunSummary.@Nullable Drift drift) {
        if (drift == null || drift.with() <= 0) return "";
        String measured = String.format(Locale.ROOT, "<p>Without the trigger word the picture moves %.1f from that of"
                + " the untrained model, with it %.1f (root mean square of the RGB values' differences, 0 to 255).",
                drift.without(), drift.with());
        if (drift.without() < DRIFTS * drift.with()) return measured + " The LoRA leaves the rest alone.</p>\n";
        return measured + "</p>\n<p class=\"warning\"><strong>It affects pictures that it was not asked for.</strong>"
                + " Where that is not wanted, try a lower rank (network.linear), timestep_type: sigmoid, more weight"
                + " decay, or regularisation pictures (is_reg).</p>\n";
    }
}
