package nocturne.desk;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import nocturne.job.Job;
import org.jspecify.annotations.Nullable;

/// Jobs as a table of plain text, for a terminal as for a pipe: columns are aligned by spaces, nothing is coloured.
public final class JobTable {
    private static final int LONGEST_REASON = 90;
    private static final List<String> HEADINGS = List.of("JOB", "STATE", "STEP", "LEFT", "DEVICE", "WHY");

    private JobTable() {}

    public static void print(List<JobView> jobs, PrintWriter out) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        for (JobView view : jobs) rows.add(row(view));
        int[] widths = new int[HEADINGS.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) widths[i] = Math.max(widths[i], row.get(i).length());
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
            }
            out.println(line.toString().stripTrailing());
        }
    }

    /// The same for programs.
    public static String json(List<JobView> jobs) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (JobView view : jobs) array.add(JobJson.of(view));
        return array.toPrettyString();
    }

    private static List<String> row(JobView view) {
        Job job = view.job();
        String state = view.phase().isEmpty() || view.phase().equals("training") ? job.state().word()
                : job.state().word() + ", " + Printable.of(view.phase(), 20);
        return List.of(job.id().text(), state, job.steps() == 0 ? "-" : view.step() + "/" + job.steps(),
                view.left() == null ? "-" : Quantity.time(view.left()), orDash(job.device()), why(job));
    }

    private static String why(Job job) {
        if (job.code().isEmpty()) return "-";
        return job.code() + (job.message().isEmpty() ? "" : ": " + Printable.of(job.message(), LONGEST_REASON));
    }

    private static String orDash(@Nullable String text) {
        return text == null ? "-" : Printable.of(text, 20);
    }
}
