package nocturne.bundle;

/// What a zip may cost to unpack.
///
/// @param entries    most files and folders
/// @param entryBytes most bytes of one file, unpacked
/// @param totalBytes most bytes altogether, unpacked
/// @param ratio      most unpacked bytes per packed byte, of a file above 1 MiB; pictures rarely reach 2
public record BundleLimits(int entries, long entryBytes, long totalBytes, int ratio) {
    public static final BundleLimits STANDARD = new BundleLimits(10_000, 256L << 20, 8L << 30, 200);

    public BundleLimits {
        if (entries < 1 || entryBytes < 1 || totalBytes < 1 || ratio < 1) {
            throw new IllegalArgumentException("limits must be at least 1");
        }
    }
}
