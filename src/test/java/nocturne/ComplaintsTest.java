package nocturne;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;

/// Complaints quote what users wrote, on a terminal.
class ComplaintsTest {
    @Test
    @Promise(row = 41, fault = "escape sequences and direction marks in what a complaint quotes")
    void whatIsQuotedCommandsNoTerminal() {
        String hostile = "a\u001b]0;title\u0007b\u202etxt.exe\u009b2J\rDone!";
        UserMistake mistake = new UserMistake("recipe.yaml has 2 problems", List.of(
                new Problem("X", hostile, "is wrong"), new Problem("X", "line 3", hostile)));
        for (RuntimeException failure : List.of(mistake, new SickMachine("Y", hostile, null))) {
            StringWriter said = new StringWriter();
            new Complaints(new PrintWriter(said, true)).about(failure, false);
            assertThat(said.toString()).contains("title", "Done!")
                    .doesNotContain("\u001b", "\u0007", "\u202e", "\u009b", "\r");
        }
    }
}
