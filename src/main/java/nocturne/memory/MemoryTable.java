package nocturne.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A plan's numbers, a line each, for people.
public final class MemoryTable {
    private static final double GIB = 1L << 30;
    private static final double MIB = 1L << 20;

    private MemoryTable() {}

    /// What a part takes.
    ///
    /// @param name  for people and as a key, such as `optimiser`
    /// @param bytes above 0
    public record Row(String name, long bytes) {
        @Override
        public String toString() {
            return "%-28s %12s".formatted(name, size(bytes));
        }
    }

    /// The parts of what stands, without those that take nothing.
    public static List<Row> parts(Standing standing) {
        List<Row> rows = new ArrayList<>();
        add(rows, "weights in codes", standing.coded());
        add(rows, "other weights", standing.plain());
        add(rows, "weights that come and go", standing.ring());
        add(rows, "recovery adapter", standing.recovery());
        add(rows, "adapter", standing.adapter());
        add(rows, "gradients", standing.gradients());
        add(rows, "optimiser", standing.optimizer());
        add(rows, "average", standing.average());
        add(rows, "autoencoder", standing.autoencoder());
        add(rows, "not used", standing.slack());
        return rows;
    }

    /// Everything that is there at the peak, then what each phase needs.
    public static List<Row> of(MemoryPlan plan) {
        List<Row> rows = new ArrayList<>(parts(plan.standing()));
        add(rows, "activations", plan.workBytes());
        add(rows, "scratch", plan.scratchBytes());
        for (Phase.Need need : plan.needs()) add(rows, "while " + doing(need.phase()), need.bytes());
        add(rows, "from loading on", plan.runBytes());
        add(rows, "at the peak", plan.peakBytes());
        add(rows, "on the host, pinned", plan.host().pinned());
        add(rows, "on the host, tables", plan.host().tables());
        return rows;
    }

    private static String doing(Phase phase) {
        return switch (phase) {
            case CACHING -> "encoding";
            case LOADING -> "loading";
            case TRAINING -> "training";
            case HELD_OUT -> "measuring";
            case SAMPLING -> "sampling";
        };
    }

    private static void add(List<Row> rows, String name, long bytes) {
        if (bytes > 0) rows.add(new Row(name, bytes));
    }

    /// `13.62 GiB`, or `4.1 MiB` for less than one.
    public static String size(long bytes) {
        return bytes >= GIB ? String.format(Locale.ROOT, "%.2f GiB", bytes / GIB)
                : String.format(Locale.ROOT, "%.1f MiB", bytes / MIB);
    }
}
