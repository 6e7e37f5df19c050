package nocturne.service.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.encoder.EncoderBase;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import nocturne.event.Scrubber;

/// Makes one line of each event, a stack trace included.
public final class LineEncoder extends EncoderBase<ILoggingEvent> {
    private static final int LONGEST_MESSAGE = 2_000;
    private static final int LONGEST_TRACE = 6_000;
    private static final int MOST_CAUSES = 5;
    private static final int MOST_FRAMES = 30;
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX").withZone(ZoneId.systemDefault());

    private volatile LogFormat format = LogFormat.TEXT;

    /// Made by logback, from its configuration file.
    public LineEncoder() {}

    void use(LogFormat wanted) {
        format = wanted;
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
        if (event.getLevel().isGreaterOrEqual(Level.WARN)) LastTrouble.note(time(event), message(event));
        String line = switch (format) {
            case TEXT -> text(event);
            case JSON -> json(event);
        };
        return (line + "\n").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public byte[] headerBytes() {
        return new byte[0];
    }

    @Override
    public byte[] footerBytes() {
        return new byte[0];
    }

    private static String text(ILoggingEvent event) {
        String trace = trace(event);
        return "%s %-5s %s%s".formatted(TIME.format(time(event)), event.getLevel(), message(event),
                trace.isEmpty() ? "" : " | " + trace);
    }

    private static String json(ILoggingEvent event) {
        ObjectNode line = JSON.createObjectNode();
        line.put("time", time(event).truncatedTo(ChronoUnit.MILLIS).toString())
                .put("level", event.getLevel().toString())
                .put("logger", event.getLoggerName())
                .put("message", message(event));
        String trace = trace(event);
        if (!trace.isEmpty()) line.put("trace", trace);
        try {
            return JSON.writeValueAsString(line);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static Instant time(ILoggingEvent event) {
        return Instant.ofEpochMilli(event.getTimeStamp());
    }

    private static String message(ILoggingEvent event) {
        // Scrubbed before it is cut, for half a secret is one, too.
        return OneLine.of(Scrubber.scrub(String.valueOf(event.getFormattedMessage())), LONGEST_MESSAGE);
    }

    private static String trace(ILoggingEvent event) {
        StringBuilder trace = new StringBuilder();
        IThrowableProxy failure = event.getThrowableProxy();
        for (int causes = 0; failure != null && causes < MOST_CAUSES; causes++, failure = failure.getCause()) {
            if (causes > 0) trace.append(" caused by ");
            trace.append(failure.getClassName()).append(": ").append(failure.getMessage());
            StackTraceElementProxy[] frames = failure.getStackTraceElementProxyArray();
            for (int i = 0; i < frames.length && i < MOST_FRAMES; i++) {
                trace.append(" < ").append(frames[i].getStackTraceElement());
            }
        }
        return OneLine.of(Scrubber.scrub(trace.toString()), LONGEST_TRACE);
    }
}
