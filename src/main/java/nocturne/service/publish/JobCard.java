package nocturne.service.publish;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import nocturne.event.Scrubber;
import nocturne.job.Job;
import nocturne.problem.Problem;

/// What is written in the outbox for people and programs to read.
final class JobCard {
    private static final int SCHEMA = 1;
    private static final String REPORT = "report.html";
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private JobCard() {}

    /// `job.json`: how the job is. When it says `completed`, everything else is there.
    ///
    /// @param hasReport whether the report can be opened
    static String of(Job job, boolean hasReport) {
        ObjectNode card = JSON.createObjectNode();
        card.put("schema", SCHEMA).put("job", job.id().text()).put("name", job.name())
                .put("state", job.state().word()).put("code", job.code()).put("message", job.message());
        if (!job.problems().isEmpty()) card.set("problems", list(job.problems()));
        card.put("step", job.step()).put("steps", job.steps()).put("pictures", job.pictures())
                .put("attempt", job.attempt());
        if (job.device() != null) card.put("device", job.device());
        card.put("origin", job.origin()).put("created", job.created());
        if (job.announced() != null) card.put("changed", job.announced().time());
        if (hasReport) card.put("report", REPORT);
        return text(card);
    }

    /// `refused.json`: everything that is wrong with a bundle.
    static String refusal(Job job) {
        ObjectNode card = JSON.createObjectNode();
        card.put("schema", SCHEMA).put("job", job.id().text()).put("name", job.name()).put("origin", job.origin())
                .put("message", job.message());
        card.set("problems", list(job.problems()));
        return text(card);
    }

    /// `manifest.json`: what belongs to the result.
    static String manifest(Job job, List<Entry> files) {
        ObjectNode manifest = JSON.createObjectNode();
        manifest.put("schema", SCHEMA).put("job", job.id().text());
        ArrayNode list = manifest.putArray("files");
        for (Entry file : files) {
            list.addObject().put("path", file.path()).put("bytes", file.bytes()).put("sha256", file.sha256());
        }
        return text(manifest);
    }

    /// @param path relative to the folder, with `/`
    record Entry(String path, long bytes, String sha256) {}

    private static ArrayNode list(List<Problem> problems) {
        ArrayNode list = JSON.createArrayNode();
        for (Problem problem : problems) {
            list.addObject().put("code", problem.code()).put("where", problem.where()).put("what", problem.what());
        }
        return list;
    }

    private static String text(ObjectNode node) {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(Scrubber.scrub(node)) + "\n";
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
