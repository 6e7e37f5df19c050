package nocturne.desk.demo;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import nocturne.desk.EventStory;
import nocturne.event.EventLine;

/// What has been heard: tells each event in a line, knows which jobs have come to their end, and keeps count.
final class Story {
    private static final Set<String> ENDINGS = Set.of("job.completed", "job.failed", "job.cancelled", "job.rejected",
            "job.superseded");

    private final Stage stage;
    /// By job: how often which type was heard.
    private final Map<String, Map<String, Integer>> counts = new LinkedHashMap<>();
    /// By job: the samples of a step, told in one line when something else comes.
    private final Map<String, Integer> samples = new TreeMap<>();
    /// By job: what was told last.
    private final Map<String, String> latest = new TreeMap<>();
    /// By the name a bundle was given, and by where it came from: the job it became.
    private final Map<String, String> jobs = new TreeMap<>();
    /// By job: how it ended.
    private final Map<String, String> endings = new TreeMap<>();

    Story(Stage stage) {
        this.stage = stage;
    }

    void hear(EventLine event) {
        String type = EventStory.shortType(event.type());
        String job = event.subject();
        counts.computeIfAbsent(job, _ -> new TreeMap<>()).merge(type, 1, Integer::sum);
        for (String field : new String[] {"name", "origin"}) {
            String text = event.data().path(field).asText();
            if (!text.isEmpty()) jobs.put(text, job);
        }
        if (ENDINGS.contains(type)) endings.put(job, type);
        if (type.equals("job.queued")) endings.remove(job);
        if (type.equals("sample.written")) {
            samples.merge(job, 1, Integer::sum);
            return;
        }
        Integer drawn = samples.remove(job);
        if (drawn != null) stage.tell(job, drawn + (drawn == 1 ? " sample drawn" : " samples drawn"));
        boolean isMiddle = type.equals("job.preparing")
                && event.data().path("done").asLong() < event.data().path("total").asLong();
        String words = EventStory.of(event);
        // The last progress of an attempt may say what the one before it said.
        boolean isNews = !words.equals(latest.put(job, words));
        if (isNews && !isMiddle && !type.startsWith("host.")) stage.tell(job, words);
    }

    /// The job that a bundle became.
    ///
    /// @param sign its name or the beginning of its origin
    Optional<String> job(String sign) {
        String known = jobs.get(sign);
        if (known != null) return Optional.of(known);
        return jobs.entrySet().stream().filter(entry -> entry.getKey().startsWith(sign)).map(Map.Entry::getValue)
                .findFirst();
    }

    /// Empty while it goes on.
    Optional<String> ending(String job) {
        return Optional.ofNullable(endings.get(job));
    }

    /// By subject (a job or the host) and type.
    Map<String, Map<String, Integer>> counts() {
        return counts;
    }
}
