package nocturne.cuda;

/// Which kernel was launched last, and how many since the host last waited, for messages: the card tells of an error
/// some time after the launch that made it.
final class LastLaunch {
    private String kernel = "";
    private int gridX;
    private int gridY;
    private int gridZ;
    private int blockX;
    private int blockY;
    private int blockZ;
    private int sharedBytes;
    private boolean isProduct;
    private long unconfirmed;

    void is(String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ, int sharedBytes) {
        this.kernel = kernel;
        this.gridX = gridX;
        this.gridY = gridY;
        this.gridZ = gridZ;
        this.blockX = blockX;
        this.blockY = blockY;
        this.blockZ = blockZ;
        this.sharedBytes = sharedBytes;
        isProduct = false;
        unconfirmed++;
    }

    /// A product of cuBLASLt, which launches what it likes.
    void isProduct(int rows, int columns, int depth) {
        gridX = rows;
        gridY = columns;
        gridZ = depth;
        isProduct = true;
        unconfirmed++;
    }

    /// All that was launched is done and went well.
    void done() {
        unconfirmed = 0;
    }

    /// For an error of the launch itself, or of one before it.
    String launching() {
        return "launching " + kernelAndShape() + (unconfirmed > 1
                ? " (or in one of the %d kernels launched just before it)".formatted(unconfirmed - 1) : "");
    }

    /// For an error of another call; empty where no kernel can be to blame.
    String suspects() {
        if (unconfirmed == 0) return "";
        String others = unconfirmed == 1 ? ""
                : "one of the %d kernels launched since the host last waited, the last of which was "
                        .formatted(unconfirmed);
        return " (something may have gone wrong in " + others + kernelAndShape() + ")";
    }

    private String kernelAndShape() {
        if (isProduct) return "cuBLASLt's product [%d, %d] of depth %d".formatted(gridX, gridY, gridZ);
        return "%s with grid %d x %d x %d, block %d x %d x %d, %d bytes of dynamic shared memory".formatted(kernel,
                gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes);
    }
}
