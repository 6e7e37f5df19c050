package nocturne.dataset.findings;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import nocturne.dataset.findings.DatasetReport.Bucket;
import nocturne.dataset.findings.DatasetReport.CaptionLengths;
import nocturne.dataset.findings.DatasetReport.Folder;

/// `dataset.json`: a [DatasetReport] for machines. `dataset.schema.json` beside this class says what stands in it; a
/// number that changes its meaning gets a new [#VERSION], a new number does not.
public final class DatasetJson {
    public static final int VERSION = 1;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double ROUNDING = 10_000;

    private DatasetJson() {}

    public static String of(DatasetReport report) {
        ObjectNode root = JSON.createObjectNode();
        root.put("format", "nocturne.dataset").put("version", VERSION);
        root.put("pictures", report.pictures()).put("lookedAt", report.lookedAt());
        length(root.putObject("length"), report.length());
        ArrayNode folders = root.putArray("folders");
        for (Folder folder : report.folders()) folder(folders.addObject(), folder);
        ArrayNode buckets = root.putArray("buckets");
        for (Bucket bucket : report.buckets()) {
            buckets.addObject().put("width", bucket.width()).put("height", bucket.height())
                    .put("pictures", bucket.pictures()).put("visits", bucket.visits())
                    .put("cropped", rounded(bucket.cropped()));
        }
        captions(root.putObject("captions"), report.captions());
        ArrayNode findings = root.putArray("findings");
        for (Finding finding : report.findings()) finding(findings.addObject(), finding);
        return root.toPrettyString() + "\n";
    }

    private static void length(ObjectNode node, RunLength length) {
        node.put("steps", length.steps()).put("batchSize", length.batchSize())
                .put("accumulation", length.accumulation()).put("samplesPerEpoch", length.samplesPerEpoch())
                .put("stepsPerEpoch", rounded(length.stepsPerEpoch())).put("epochs", rounded(length.epochs()));
    }

    private static void folder(ObjectNode node, Folder folder) {
        node.put("name", folder.name()).put("role", word(folder.role())).put("pictures", folder.pictures())
                .put("repeats", folder.repeats()).put("copies", folder.copies());
        ArrayNode resolutions = node.putArray("resolutions");
        folder.resolutions().forEach(resolutions::add);
        node.put("visits", folder.visits());
    }

    private static void captions(ObjectNode node, CaptionLengths captions) {
        node.put("written", captions.written()).put("missing", captions.missing()).put("empty", captions.empty());
        node.put("shortest", captions.shortest()).put("median", captions.median()).put("longest", captions.longest());
        captions.longestTokens().ifPresent(tokens -> node.put("longestTokens", tokens));
    }

    private static void finding(ObjectNode node, Finding finding) {
        node.put("kind", word(finding.kind())).put("rule", finding.kind().id());
        ArrayNode pictures = node.putArray("pictures");
        finding.pictures().forEach(pictures::add);
        if (Double.isFinite(finding.value())) node.put("value", rounded(finding.value()));
        node.put("text", finding.text());
        if (finding.likeness().isEmpty()) return;
        ArrayNode alike = node.putArray("alike");
        for (Finding.Likeness pair : finding.likeness()) {
            alike.addObject().put("first", pair.first()).put("second", pair.second()).put("bits", pair.bits())
                    .put("mirrored", pair.mirrored());
        }
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static double rounded(double value) {
        return Math.round(value * ROUNDING) / ROUNDING;
    }
}
