package nocturne.cuda;

/// How many blocks a launch needs.
final class Blocks {
    private Blocks() {}

    /// @param count how many things there are
    /// @param each  how many a block does
    /// @return at least 1
    static int covering(long count, long each) {
        return Math.toIntExact(Math.max(1, Math.ceilDiv(count, each)));
    }
}
