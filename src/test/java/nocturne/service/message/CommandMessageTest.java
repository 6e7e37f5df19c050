package nocturne.service.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import nocturne.job.JobId;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.service.CommandDesk.Command;
import org.junit.jupiter.api.Test;

final class CommandMessageTest {

    @Test
    void readsTheFourCommands() {
        JobId maya = new JobId("maya-7f3a");
        assertThat(parse("{\"version\":1,\"command\":\"cancel\",\"job\":\"maya-7f3a\"}"))
                .isEqualTo(new Command.Cancel(maya));
        assertThat(parse("{\"version\":1,\"command\":\"retry\",\"job\":\"maya-7f3a\"}"))
                .isEqualTo(new Command.Retry(maya));
        assertThat(parse("{\"version\":1,\"command\":\"priority\",\"job\":\"maya-7f3a\",\"priority\":-5}"))
                .isEqualTo(new Command.Prioritise(maya, -5));
        assertThat(parse("{\"version\":1,\"command\":\"drain\"}")).isInstanceOf(Command.Drain.class);
    }

    @Test
    void tellsWhatIsMissingWrongOrTooMuch() {
        assertThat(where("{\"version\":1}")).containsExactly("command");
        assertThat(where("{\"version\":1,\"command\":\"explode\"}")).containsExactly("command");
        assertThat(where("{\"version\":1,\"command\":7}")).containsExactly("command");
        assertThat(where("{\"version\":1,\"command\":\"cancel\"}")).containsExactly("job");
        assertThat(where("{\"version\":1,\"command\":\"cancel\",\"job\":\"../x\"}")).containsExactly("job");
        assertThat(where("{\"version\":1,\"command\":\"priority\",\"job\":\"a\"}")).containsExactly("priority");
        assertThat(where("{\"version\":1,\"command\":\"drain\",\"job\":\"a\"}")).containsExactly("job");
        assertThat(where("{\"version\":9,\"command\":\"drain\"}")).containsExactly("version");
    }

    @Property(tries = 1_000)
    void refusesRandomBytes(@ForAll byte[] message) {
        assertThat(catchThrowableOfType(UserMistake.class, () -> CommandMessage.parse(message))).isNotNull();
    }

    private static Command parse(String message) {
        return CommandMessage.parse(message.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> where(String message) {
        return catchThrowableOfType(UserMistake.class, () -> parse(message)).problems().stream().map(Problem::where)
                .toList();
    }
}
