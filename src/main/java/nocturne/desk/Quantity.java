package nocturne.desk;

import java.time.Duration;
import java.util.Locale;

/// Numbers as people read them.
public final class Quantity {
    private Quantity() {}

    /// Such as `1.4 MB`; steps of 1000, as disks are sold.
    public static String bytes(long bytes) {
        if (bytes < 1000) return bytes + " B";
        double value = bytes;
        String[] units = {"kB", "MB", "GB", "TB", "PB"};
        int unit = -1;
        do {
            value /= 1000;
            unit++;
        } while (value >= 999.5 && unit < units.length - 1);
        return String.format(Locale.ROOT, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    }

    /// The two largest units, such as `2h 05m`, `3m 12s`, `8s`.
    public static String time(Duration time) {
        long seconds = Math.max(0, time.toSeconds());
        if (seconds < 60) return seconds + "s";
        if (seconds < 3600) return "%dm %02ds".formatted(seconds / 60, seconds % 60);
        if (seconds < 86_400) return "%dh %02dm".formatted(seconds / 3600, seconds / 60 % 60);
        return "%dd %02dh".formatted(seconds / 86_400, seconds / 3600 % 24);
    }
}
