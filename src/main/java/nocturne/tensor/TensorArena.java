package nocturne.tensor;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import nocturne.io.DType;

/// Stack memory for tensors: allocation moves a pointer up, closing a [Scope] moves it back.
///
/// Memory comes from the device in blocks that are kept until the arena is closed, so that after the first step of a
/// training run nothing is asked of the system any more. New tensors hold whatever was there before.
/// Not thread-safe: an arena belongs to the thread that runs the model.
public final class TensorArena implements AutoCloseable {
    /// Where an arena takes its blocks from.
    public interface Source {
        /// @param bytes at least this many, aligned to 64 bytes; the content may be anything
        MemorySegment allocate(long bytes);

        void release(MemorySegment block);
    }

    private static final long ALIGNMENT = 64;
    private static final long MIN_BLOCK_BYTES = 4L << 20;

    private final Source source;
    private final DType type;
    private final List<MemorySegment> blocks = new ArrayList<>();
    private int block = -1;
    private long used;
    private long usedInEarlierBlocks;
    private long peakBytes;
    private long reservedBytes;

    /// @param type of the device's activations and weights
    public TensorArena(Source source, DType type) {
        this.source = source;
        this.type = type;
    }

    /// A tensor of the device's type with undefined content that lives until the innermost open scope is closed.
    public Tensor allocate(Shape shape) {
        return allocate(type, shape);
    }

    public Tensor allocate(int... dims) {
        return allocate(Shape.of(dims));
    }

    /// The same of a type that does not depend on the device: sums, statistics and trained parameters are float32
    /// everywhere.
    public Tensor allocate(DType type, Shape shape) {
        return new Tensor(shape, type, take(type.bytes() * shape.elements()));
    }

    public Tensor allocate(DType type, int... dims) {
        return allocate(type, Shape.of(dims));
    }

    /// Of activations and weights.
    public DType type() {
        return type;
    }

    /// Takes so much of the device in one piece, for tensors to come: an arena that grows takes up to a quarter more
    /// than is needed.
    ///
    /// @param bytes what the tensors take; nothing happens where that is nothing
    public void reserve(long bytes) {
        if (bytes > 0) takeBlock((bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    }

    private void takeBlock(long bytes) {
        blocks.add(source.allocate(bytes));
        reservedBytes += bytes;
    }

    /// Everything allocated from now on is given back when the scope closes. Scopes nest strictly.
    public Scope scope() {
        return new Scope(block, used, usedInEarlierBlocks);
    }

    /// The most bytes that were in use at once.
    public long peakBytes() {
        return peakBytes;
    }

    /// The bytes taken from the device so far, until the arena is closed.
    public long reservedBytes() {
        return reservedBytes;
    }

    private MemorySegment take(long bytes) {
        long size = Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        while (block < 0 || used + size > blocks.get(block).byteSize()) {
            if (block >= 0) usedInEarlierBlocks += used;
            block++;
            used = 0;
            if (block == blocks.size()) {
                takeBlock(Math.max(size, Math.max(MIN_BLOCK_BYTES, reservedBytes / 4)));
            }
        }
        MemorySegment taken = blocks.get(block).asSlice(used, bytes);
        used += size;
        peakBytes = Math.max(peakBytes, usedInEarlierBlocks + used);
        return taken;
    }

    @Override
    public void close() {
        blocks.forEach(source::release);
        blocks.clear();
        block = -1;
        used = 0;
        usedInEarlierBlocks = 0;
        reservedBytes = 0;
    }

    /// A mark in the arena; closing it frees everything allocated after it was made.
    public final class Scope implements AutoCloseable {
        private final int markedBlock;
        private final long markedUsed;
        private final long markedEarlier;

        private Scope(int markedBlock, long markedUsed, long markedEarlier) {
            this.markedBlock = markedBlock;
            this.markedUsed = markedUsed;
            this.markedEarlier = markedEarlier;
        }

        @Override
        public void close() {
            block = markedBlock;
            used = markedUsed;
            usedInEarlierBlocks = markedEarlier;
        }
    }
}
