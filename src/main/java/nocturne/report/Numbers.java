package nocturne.report;

import java.time.Duration;
import java.util.Locale;

/// Numbers as a person reads them, the same in every country.
final class Numbers {
    private Numbers() {}

    static String loss(double loss) {
        return Double.isFinite(loss) ? String.format(Locale.ROOT, "%.4f", loss) : "–";
    }

    /// With its sign: `+3.1 %`.
    static String percent(double percent) {
        return Double.isFinite(percent) ? String.format(Locale.ROOT, "%+.1f %%", percent) : "–";
    }

    static String bytes(long bytes) {
        if (bytes < 1000) return bytes + " B";
        String[] units = {"kB", "MB", "GB", "TB"};
        double size = bytes / 1000.0;
        int unit = 0;
        // 999.5 would be printed as 1000.
        while (size >= 999.5 && unit < units.length - 1) {
            size /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, size < 9.95 ? "%.1f %s" : "%.0f %s", size, units[unit]);
    }

    static String duration(Duration duration) {
        long seconds = Math.max(0, duration.toSeconds());
        if (seconds < 60) return seconds + " s";
        if (seconds < 3600) return seconds / 60 + " min " + seconds % 60 + " s";
        return seconds / 3600 + " h " + seconds / 60 % 60 + " min";
    }

    /// Without a fraction where there is none: `16`, `0.5`.
    static String plain(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15 ? Long.toString((long) value)
                : Double.toString(value);
    }
}
