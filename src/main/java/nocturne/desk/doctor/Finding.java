package nocturne.desk.doctor;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/// One thing the doctor has looked at.
///
/// @param level how it is
/// @param topic what was looked at, one word or two, such as `Kafka`
/// @param found what it is like
/// @param todo  what to do about it; empty where nothing need be done
public record Finding(Level level, String topic, String found, String todo) {

    /// How a thing is.
    public enum Level {
        OK,
        /// A job could run, but somebody may want to know.
        NOTE,
        /// No job could run, or none would be safe.
        PROBLEM;

        @JsonValue
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Finding ok(String topic, String found) {
        return new Finding(Level.OK, topic, found, "");
    }

    static Finding note(String topic, String found, String todo) {
        return new Finding(Level.NOTE, topic, found, todo);
    }

    static Finding problem(String topic, String found, String todo) {
        return new Finding(Level.PROBLEM, topic, found, todo);
    }
}
