package nocturne.service.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import nocturne.job.JobId;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Of several services on one inbox, the one that has the job carries out the command.
final class OwnCommandsTest {
    @TempDir
    private Path inbox = Path.of("");

    private long nanos;
    private OwnCommands own;

    @BeforeEach
    void open() {
        own = new OwnCommands(inbox, new JobId("ours")::equals, () -> nanos);
    }

    @Test
    void aCommandAboutAnothersJobIsLeftToItUntilNobodyWantsIt() throws IOException {
        command("{\"version\":1,\"command\":\"cancel\",\"job\":\"theirs\"}");
        assertThat(own.isOurs("x.command.json")).isFalse();
        nanos += TimeUnit.SECONDS.toNanos(4);
        assertThat(own.isOurs("x.command.json")).isFalse();
        nanos += TimeUnit.SECONDS.toNanos(2);
        assertThat(own.isOurs("x.command.json")).as("to say that there is no such job").isTrue();
    }

    @Test
    void whatConcernsUsOrMakesNoSenseIsOursAtOnce() throws IOException {
        for (String text : new String[] {"{\"version\":1,\"command\":\"retry\",\"job\":\"ours\"}",
            "{\"version\":1,\"command\":\"drain\"}", "{\"version\":1,\"command\":\"dance\"}", "[]"}) {
            command(text);
            assertThat(own.isOurs("x.command.json")).as(text).isTrue();
        }
    }

    private void command(String text) throws IOException {
        Files.writeString(inbox.resolve("x.command.json"), text);
    }
}
