package nocturne.cuda;

/// The tile of a result that one block of a tensor core kernel makes, see `kernels/tiles.cuh`.
///
/// @param threads of the block
/// @param abreast how many blocks a multiprocessor works on at once
record TileShape(int rows, int columns, int threads, int abreast) {
    /// `STAGES` in `kernels/tiles.cuh`.
    private static final int STAGES = 3;
    /// Of each row and column of the tile in each stage.
    private static final int STAGE_BYTES = 64;
    /// Of a large card, about.
    private static final int MULTIPROCESSORS = 128;

    int sharedBytes() {
        return STAGES * STAGE_BYTES * (rows + columns);
    }

    /// How many tiles a result has.
    int tiles(int resultRows, int resultColumns) {
        return Math.multiplyExact(Math.ceilDiv(resultRows, rows), Math.ceilDiv(resultColumns, columns));
    }

    /// How many blocks keep a card busy.
    int blocksThatFillACard() {
        return MULTIPROCESSORS * abreast;
    }
}
