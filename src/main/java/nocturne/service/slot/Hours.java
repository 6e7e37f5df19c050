package nocturne.service.slot;

import java.time.DateTimeException;
import java.time.InstantSource;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// The times of the day in which jobs may run, by the wall clock, which is what people mean by them.
final class Hours {
    private static final Pattern SHAPE = Pattern.compile("(\\d\\d:\\d\\d) *- *(\\d\\d:\\d\\d)");

    private final List<Window> windows;
    private final ZoneId zone;
    private final InstantSource clock;

    /// From one time of the day up to another, which may be on the next day.
    private record Window(LocalTime from, LocalTime to) {
        boolean contains(LocalTime time) {
            return from.isBefore(to)
                    ? !time.isBefore(from) && time.isBefore(to)
                    : !time.isBefore(from) || time.isBefore(to);
        }
    }

    private Hours(List<Window> windows, ZoneId zone, InstantSource clock) {
        this.windows = windows;
        this.zone = zone;
        this.clock = clock;
    }

    /// @param windows such as `22:00-07:00`; none means always
    /// @param zone    such as `Europe/Berlin`; empty for this machine's
    /// @throws UserMistake `CONFIG_INVALID`
    static Hours of(List<String> windows, String zone, InstantSource clock) {
        List<Problem> problems = new ArrayList<>();
        List<Window> parsed = new ArrayList<>();
        for (String window : windows) {
            try {
                parsed.add(window(window));
            } catch (DateTimeException unreadable) {
                problems.add(new Problem("CONFIG_INVALID", "nocturne.windows",
                        "\"" + window + "\" is no time of the day; write it like 22:00-07:00"));
            }
        }
        ZoneId place = ZoneId.systemDefault();
        try {
            if (!zone.isEmpty()) place = ZoneId.of(zone);
        } catch (DateTimeException unknown) {
            problems.add(new Problem("CONFIG_INVALID", "nocturne.zone",
                    "\"" + zone + "\" is no time zone; write it like Europe/Berlin, or leave it out"));
        }
        if (!problems.isEmpty()) throw new UserMistake("The hours of the service cannot be understood.", problems);
        return new Hours(List.copyOf(parsed), place, clock);
    }

    private static Window window(String text) {
        Matcher shape = SHAPE.matcher(text);
        if (!shape.matches()) throw new DateTimeException(text);
        return new Window(time(shape.group(1)), time(shape.group(2)));
    }

    /// 24:00 is the midnight at the end of the day.
    private static LocalTime time(String text) {
        return text.equals("24:00") ? LocalTime.MIN : LocalTime.parse(text, DateTimeFormatter.ISO_LOCAL_TIME);
    }

    /// Whether jobs may run now.
    boolean areOpen() {
        LocalTime now = LocalTime.ofInstant(clock.instant(), zone);
        return windows.isEmpty() || windows.stream().anyMatch(window -> window.contains(now));
    }
}
