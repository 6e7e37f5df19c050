package nocturne.dataset.findings;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import nocturne.dataset.findings.DatasetReport.Bucket;
import nocturne.dataset.findings.DatasetReport.CaptionLengths;
import nocturne.dataset.findings.DatasetReport.Folder;
import nocturne.dataset.findings.DatasetReport.Role;
import nocturne.dataset.findings.Finding.Kind;
import nocturne.dataset.findings.Finding.Likeness;
import org.junit.jupiter.api.Test;

/// What is written keeps to the schema that is shipped. The schema uses a handful of words, which are checked by hand.
class DatasetJsonTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void aReportWithEverythingKeepsToTheSchema() throws IOException {
        List<Finding> findings = new ArrayList<>();
        for (Kind kind : Kind.values()) findings.add(Finding.of(kind, "a/1.jpg", 0.123456, "text"));
        findings.add(new Finding(Kind.ALIKE, List.of("a/1.jpg", "a/2.jpg"), 3, "text",
                List.of(new Likeness("a/1.jpg", "a/2.jpg", 3, true))));
        List<Folder> folders = new ArrayList<>();
        for (Role role : Role.values()) folders.add(new Folder("a", role, 2, 10, 1, List.of(512, 1024), 40));
        DatasetReport report = new DatasetReport(2, 1, new RunLength(100, 1, 4, 40), folders,
                List.of(new Bucket(512, 512, 2, 40, 1.0 / 3)),
                new CaptionLengths(2, 0, 0, 10, 11, 12, OptionalInt.of(7)), findings);
        JsonNode json = JSON.readTree(DatasetJson.of(report));
        assertThat(violations(json, schema(), "$")).isEmpty();
        assertThat(json.at("/buckets/0/cropped").asDouble()).isEqualTo(0.3333);
        assertThat(json.at("/length/epochs").asInt()).isEqualTo(10);
        assertThat(json.at("/version").asInt()).isEqualTo(DatasetJson.VERSION);
    }

    @Test
    void anEmptyReportKeepsToTheSchema() throws IOException {
        DatasetReport report = new DatasetReport(0, 0, new RunLength(1, 1, 1, 0), List.of(), List.of(),
                new CaptionLengths(0, 0, 0, 0, 0, 0, OptionalInt.empty()), List.of());
        assertThat(violations(JSON.readTree(DatasetJson.of(report)), schema(), "$")).isEmpty();
    }

    @Test
    void theSchemaNoticesWhatIsWrong() throws IOException {
        JsonNode wrong = JSON.readTree("""
                {"format": "other", "version": 1, "pictures": "two", "lookedAt": 1, "length": {}, "folders": [{}],
                 "buckets": [], "captions": [], "findings": [{"kind": "odd"}], "more": 1}""");
        assertThat(violations(wrong, schema(), "$")).contains("$.format", "$.pictures", "$.length.steps is missing",
                "$.folders[0].name is missing", "$.captions", "$.findings[0].kind", "$.more is unknown");
    }

    private static JsonNode schema() throws IOException {
        try (InputStream in = DatasetJson.class.getResourceAsStream("dataset.schema.json")) {
            return JSON.readTree(Objects.requireNonNull(in));
        }
    }

    private static List<String> violations(JsonNode value, JsonNode schema, String at) {
        List<String> found = new ArrayList<>();
        if (schema.has("const") && !schema.get("const").equals(value)) found.add(at);
        if (schema.has("enum") && !contains(schema.get("enum"), value)) found.add(at);
        boolean fits = switch (schema.path("type").asText()) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "integer" -> value.isIntegralNumber();
            case "number" -> value.isNumber();
            case "boolean" -> value.isBoolean();
            default -> true;
        };
        if (!fits) found.add(at);
        for (JsonNode name : schema.path("required")) {
            if (!value.has(name.asText())) found.add(at + "." + name.asText() + " is missing");
        }
        for (var property : value.properties()) {
            JsonNode known = schema.path("properties").path(property.getKey());
            if (known.isMissingNode()) found.add(at + "." + property.getKey() + " is unknown");
            else found.addAll(violations(property.getValue(), known, at + "." + property.getKey()));
        }
        for (int i = 0; value.isArray() && i < value.size(); i++) {
            found.addAll(violations(value.get(i), schema.path("items"), "%s[%d]".formatted(at, i)));
        }
        return found;
    }

    private static boolean contains(JsonNode values, JsonNode value) {
        for (JsonNode candidate : values) if (candidate.equals(value)) return true;
        return false;
    }
}
