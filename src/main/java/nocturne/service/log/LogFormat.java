package nocturne.service.log;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.OutputStreamAppender;
import java.util.Iterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Who reads the log.
public enum LogFormat {
    /// People: time, level, what happened.
    TEXT,
    /// Machines: one JSON object a line.
    JSON;

    /// From now on the log looks like this.
    public void use() {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) return;
        Iterator<Appender<ILoggingEvent>> appenders =
                context.getLogger(Logger.ROOT_LOGGER_NAME).iteratorForAppenders();
        while (appenders.hasNext()) {
            if (appenders.next() instanceof OutputStreamAppender<ILoggingEvent> appender
                    && appender.getEncoder() instanceof LineEncoder encoder) {
                encoder.use(this);
            }
        }
    }
}
