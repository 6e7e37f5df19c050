package nocturne.service.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// One event, one line, whatever is in it.
final class LineEncoderTest {
    private static final int LONGEST_LINE = 16_000;
    private static final String HOSTILE = "maya\r\n2026-11-21T00:00:00Z INFO all is well"
            + " \u001b[2J\u001b]0;owned\u0007 \u202egpj.exe"
            + " \u2028\u2029\u0085\u0000\u200b\ud800 \u2066";

    @ParameterizedTest
    @EnumSource(LogFormat.class)
    @Promise(row = 41, fault = "line ends, escape sequences, direction marks and a megabyte in one message")
    void hostileTextStaysInOneBoundedLineThatCommandsNothing(LogFormat format) throws IOException {
        for (String text : new String[] {HOSTILE, HOSTILE.repeat(20_000), "\u0000".repeat(1 << 20)}) {
            String line = encoded(format, text, new IllegalStateException(text, new IOException(text)));
            assertThat(line).hasLineCount(1).endsWith("\n").hasSizeLessThan(LONGEST_LINE * 6);
            String content = line.substring(0, line.length() - 1);
            assertThat(content.chars().filter(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT
                    || c == 0x2028 || c == 0x2029).count()).as("characters that command").isZero();
            if (format == LogFormat.JSON) {
                JsonNode json = new ObjectMapper().readTree(content);
                assertThat(json.path("level").asText()).isEqualTo("WARN");
                String beginning = text.startsWith("maya") ? "maya\\r\\n2026" : "\\u0000";
                assertThat(json.path("message").asText()).startsWith(beginning);
            }
        }
    }

    @Property(tries = 500)
    @Promise(row = 41, fault = "any text at all")
    void anyTextIsOneLine(@ForAll String text) {
        for (LogFormat format : LogFormat.values()) {
            assertThat(encoded(format, text, null).lines()).hasSize(1);
        }
    }

    @Test
    void aTraceStandsBehindItsMessage() {
        assertThat(encoded(LogFormat.TEXT, "stopping X", new IllegalStateException("closed")))
                .contains("WARN  stopping X | java.lang.IllegalStateException: closed < ");
    }

    @Test
    void plainWordsOfAnyLanguageStayAsTheyAre() {
        assertThat(encoded(LogFormat.TEXT, "Mäuse 猫 🐈", null)).endsWith("WARN  Mäuse 猫 🐈\n");
    }

    @Test
    void theLastTroubleIsKeptForTheStatus() {
        encoded(LogFormat.TEXT, "the disk is full", null);
        assertThat(LastTrouble.said()).map(LastTrouble::message).contains("the disk is full");
    }

    private static String encoded(LogFormat format, String text, Throwable failure) {
        LineEncoder encoder = new LineEncoder();
        encoder.use(format);
        LoggerContext context = new LoggerContext();
        LoggingEvent event = new LoggingEvent("", context.getLogger("nocturne.x"), Level.WARN, "{}", failure,
                new Object[] {text});
        return new String(encoder.encode(event), UTF_8);
    }
}
