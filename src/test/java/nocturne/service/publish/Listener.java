package nocturne.service.publish;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import nocturne.event.EventLine;

/// A target in this process that can be away, refuse, and remember everything it was told.
final class Listener implements Target {
    volatile boolean away;
    volatile String refuses = "nothing";
    volatile Duration giveUp = Duration.ofDays(3);
    private final List<EventLine> heard = new ArrayList<>();

    @Override
    public String name() {
        return "listener";
    }

    @Override
    public String description() {
        return "a listener";
    }

    @Override
    public Optional<Duration> giveUp() {
        return Optional.of(giveUp);
    }

    @Override
    public void tell(Journal journal, Journal.Line line) throws Away, NotTaken {
        if (away) throw new Away("nobody at home");
        if (line.line().type().contains(refuses)) throw new NotTaken("do not like it");
        synchronized (heard) {
            heard.add(line.line());
        }
    }

    List<EventLine> heard() {
        synchronized (heard) {
            return List.copyOf(heard);
        }
    }

    /// As a reader sees it that drops what it has seen before: of each subject, in the order of arrival.
    static Map<String, List<EventLine>> withoutRepeats(List<EventLine> heard) {
        Map<String, EventLine> byId = new LinkedHashMap<>();
        for (EventLine line : heard) {
            EventLine before = byId.putIfAbsent(line.id(), line);
            if (before != null) assertThat(line.text()).as("the same event again").isEqualTo(before.text());
        }
        Map<String, List<EventLine>> bySubject = new LinkedHashMap<>();
        byId.values().forEach(line -> bySubject.computeIfAbsent(line.subject(), _ -> new ArrayList<>()).add(line));
        return bySubject;
    }

    /// That each journal arrived: complete, without a gap, in order, the same bytes.
    static void assertComplete(List<EventLine> heard, Map<String, List<EventLine>> journals) {
        Map<String, List<EventLine>> received = withoutRepeats(heard);
        journals.forEach((subject, journal) -> assertThat(received.getOrDefault(subject, List.of())).as(subject)
                .extracting(EventLine::text).containsExactlyElementsOf(
                        journal.stream().map(EventLine::text).toList()));
        journals.forEach((subject, journal) -> {
            for (int i = 0; i < journal.size(); i++) assertThat(journal.get(i).sequence()).isEqualTo(i + 1);
        });
    }
}
