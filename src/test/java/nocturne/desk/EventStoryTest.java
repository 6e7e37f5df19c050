package nocturne.desk;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.stream.Stream;
import nocturne.event.Event;
import nocturne.event.EventLine;
import nocturne.ledger.Ledger;
import nocturne.problem.Problem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every event there is can be told in words.
final class EventStoryTest {

    /// One of each kind, its fields filled with something that can be recognised.
    static Stream<Event> everyEvent() {
        return Stream.of(Event.class.getPermittedSubclasses()).map(EventStoryTest::sample);
    }

    private static Event sample(Class<?> type) {
        try {
            RecordComponent[] parts = type.getRecordComponents();
            Object[] values = Stream.of(parts).map(EventStoryTest::value).toArray();
            var constructor = type.getDeclaredConstructor(
                    Stream.of(parts).map(RecordComponent::getType).toArray(Class<?>[]::new));
            return (Event) constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(String.valueOf(e.getMessage()), e);
        }
    }

    private static Object value(RecordComponent part) {
        Class<?> type = part.getType();
        if (type == String.class) return "the-" + part.getName();
        if (type == long.class) return 41L;
        if (type == int.class) return 42;
        if (type == double.class) return 0.25;
        if (type == List.class && part.getName().equals("problems")) {
            return List.of(new Problem("CODE_X", "line 3", "too large"));
        }
        if (type == List.class) return List.of("cuda:0", "cuda:1");
        if (type == Event.LossByNoise.class) return new Event.LossByNoise(0.5, 0.25, 0.125);
        throw new AssertionError("teach this test about " + type);
    }

    @ParameterizedTest
    @MethodSource("everyEvent")
    void hasASentenceOfItsOwn(Event event) {
        String story = EventStory.of(line(event.type(), event.data()));
        assertThat(story).doesNotContain("nocturne.", "{", "}").hasSizeBetween(8, 200);
    }

    /// The code of a rule stands in front: it is what `i_know` in a recipe takes.
    @Test
    void aWarningIsCalledOne() {
        Event warning = new Event.NoticeGiven("S1-63", "few checkpoints", "warning");
        assertThat(EventStory.of(line(warning.type(), warning.data()))).isEqualTo("warning: S1-63: few checkpoints");
        Event notice = new Event.NoticeGiven("NOTICE", "all is well");
        assertThat(EventStory.of(line(notice.type(), notice.data()))).isEqualTo("notice: all is well");
    }

    @Test
    @Ledger("S1-77")
    void theTimeThatIsLeftNamesWhatItIsSpentOn() {
        Event progress =
                new Event.Progressed(100, 600, 0.5, 8, 4000, 0, 4, new Event.LossByNoise(0.5, 0.25, 0.125));
        assertThat(EventStory.of(line(progress.type(), progress.data())))
                .startsWith("step 100 of 600, loss 0.5000").endsWith("left (500 steps x 4 micro-steps)");
    }

    /// Whoever reads the sentence of a failure sees all of its reason.
    @Test
    void aRefusalNamesItsProblems() {
        Event refused = new Event.Rejected("maya", List.of(new Problem("A", "recipe.yaml line 14", "0 is too small"),
                new Problem("B", "", "is empty")));
        assertThat(EventStory.of(line(refused.type(), refused.data())))
                .isEqualTo("refused: recipe.yaml line 14: 0 is too small; is empty");
    }

    @Test
    void aTypeOfALaterVersionIsShownAsItIs() {
        ObjectNode data = JsonNodeFactory.instance.objectNode().put("mood", "fine");
        assertThat(EventStory.of(line("nocturne.job.dreaming.v2", data)))
                .isEqualTo("nocturne.job.dreaming.v2 {\"mood\":\"fine\"}");
    }

    private static EventLine line(String type, ObjectNode data) {
        return new EventLine("", "a/1/1", type, "a", 1, "2026-11-21T00:00:00Z", 0, data);
    }
}
