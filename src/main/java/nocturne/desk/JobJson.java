package nocturne.desk;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import nocturne.job.Job;
import nocturne.problem.Problem;
import org.jspecify.annotations.Nullable;

/// A job for programs: the fields that will stay, and no more.
final class JobJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private JobJson() {}

    static ObjectNode of(JobView view) {
        Job job = view.job();
        ObjectNode node = JsonNodeFactory.instance.objectNode()
                .put("id", job.id().text()).put("name", job.name()).put("origin", job.origin())
                .put("contentHash", job.contentHash()).put("created", job.created()).put("priority", job.priority())
                .put("state", job.state().word()).put("code", job.code()).put("message", job.message())
                .put("attempt", job.attempt()).put("failures", job.failures()).put("step", view.step())
                .put("steps", job.steps()).put("pictures", job.pictures()).put("device", job.device())
                .put("phase", view.phase()).put("etaSeconds", seconds(view.left()));
        var problems = node.putArray("problems");
        for (Problem problem : job.problems()) problems.add(JSON.valueToTree(problem));
        return node;
    }

    private static @Nullable Long seconds(@Nullable Duration time) {
        return time == null ? null : time.toSeconds();
    }
}
