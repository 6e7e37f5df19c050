package nocturne.bundle;

import java.time.Duration;

/// What a bundle may cost to unpack or copy.
///
/// @param entries    most files and folders
/// @param entryBytes most bytes of one file, unpacked
/// @param totalBytes most bytes altogether, unpacked
/// @param ratio      most unpacked bytes per packed byte, of a file above 1 MiB; pictures rarely reach 2
/// @param time       how long it may take
public record BundleLimits(int entries, long entryBytes, long totalBytes, int ratio, Duration time) {
    /// 8 GiB take a minute or two from a disk; ten minutes are for a slow one.
    public static final BundleLimits STANDARD =
            new BundleLimits(10_000, 256L << 20, 8L << 30, 200, Duration.ofMinutes(10));

    public BundleLimits {
        if (entries < 1 || entryBytes < 1 || totalBytes < 1 || ratio < 1 || !time.isPositive()) {
            throw new IllegalArgumentException("limits must be at least 1");
        }
    }
}
