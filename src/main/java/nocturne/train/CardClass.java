package nocturne.train;

/// The sizes of cards that people have, and how fast one is taken to be.
///
/// The speeds are estimates, none is measured: 40 % of the dense bf16 peak of the card named, by its data sheet, for
/// gaming cards, 30 % for the L40S, which its power limits, and 26 % for the H100, which own kernels without its own
/// instructions do not fill; see docs/benchmarks.md. Weights come by PCIe 4.0 at 25 GB a second.
public enum CardClass {
    GB_16(16, "RTX 4080", 39),
    GB_24(24, "RTX 4090", 66),
    GB_32(32, "RTX 5090", 84),
    GB_48(48, "L40S", 109),
    GB_80(80, "H100", 257);

    private static final double TERA = 1e12;
    private static final double PCIE = 25e9;
    private static final double GIGABYTE = 1e9;
    /// An 80 GB card is one of 79.6 GB as well.
    private static final double NEARLY = 0.97;

    private final int gigabytes;
    private final String such;
    private final double teraflops;

    CardClass(int gigabytes, String such, double teraflops) {
        this.gigabytes = gigabytes;
        this.such = such;
        this.teraflops = teraflops;
    }

    /// The largest class that a card of so many bytes fills; the smallest for less.
    public static CardClass of(long bytes) {
        CardClass best = GB_16;
        for (CardClass each : values()) if (bytes >= NEARLY * each.gigabytes * GIGABYTE) best = each;
        return best;
    }

    /// What people call its memory.
    int gigabytes() {
        return gigabytes;
    }

    /// Seconds of a job, roughly.
    public double seconds(WorkNeed work) {
        return work.seconds(teraflops * TERA, PCIE);
    }

    /// For people: a card of the class.
    @Override
    public String toString() {
        return such;
    }
}
