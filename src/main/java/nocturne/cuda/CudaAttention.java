package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import nocturne.io.DType;
import nocturne.tensor.Attention;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Attention by the kernels of `kernels/attention*.cu`.
///
/// Tensors of bf16 go to tensor cores where the heads allow it ([#tilesFor]); all others, and float32, are computed in
/// plain float. The gradients need `delta = rowsum(dO O)`, which is made first, in scratch memory.
final class CudaAttention implements Attention, AutoCloseable {
    // Threads and rows of blocks as `kernels/attention.cu` and `kernels/attention_backward.cu` have them.
    private static final int THREADS = 128;
    private static final int FORWARD_QUERIES = 128;
    private static final int FORWARD_KEYS = 64;
    private static final int BACKWARD_ROWS = 64;
    private static final int BACKWARD_STATISTICS_BYTES = 128 * Float.BYTES;

    /// Rows of a block and of all tiles in `kernels/attention_plain.cu`; as many threads squared.
    private static final int PLAIN_TILE = 16;
    private static final int PLAIN_SCORES = PLAIN_TILE * (PLAIN_TILE + 1);
    private static final int MOST_SHARED_BYTES = 99 << 10;

    private static final int DELTA_THREADS = 256;
    private static final int WARP = 32;

    /// Elements that one asynchronous copy moves: a head's width must be a multiple, and its address one of the bytes.
    private static final int PACK = 8;
    private static final int PACK_BYTES = 16;

    private static final StorageKernel PLAIN_FORWARD = StorageKernel.named("attention_plain_forward");
    private static final StorageKernel PLAIN_BACKWARD_KEYS = StorageKernel.named("attention_plain_backward_keys");
    private static final StorageKernel PLAIN_BACKWARD_QUERIES = StorageKernel.named("attention_plain_backward_queries");
    private static final StorageKernel DELTA = StorageKernel.named("attention_delta");

    /// The kernels whose tiles have `columns` columns.
    private record Tiles(int columns, String forward, String backwardKeys, String backwardQueries) {
        static Tiles of(int columns) {
            return new Tiles(columns, "attention_forward_" + columns, "attention_backward_keys_" + columns,
                    "attention_backward_queries_" + columns);
        }

        /// Shared memory for tiles of so many rows in all.
        int bytes(int rows) {
            return rows * (columns + PACK) * DType.BF16.bytes();
        }
    }

    /// Narrowest first.
    private static final Tiles[] TILES = {Tiles.of(32), Tiles.of(64), Tiles.of(128)};

    private final Device device;
    private final Scratch scratch;
    private final SequenceBounds bounds;
    private final Arguments arguments = new Arguments();

    CudaAttention(Device device, Scratch scratch) {
        this.device = device;
        this.scratch = scratch;
        bounds = new SequenceBounds(device);
    }

    /// A query that sees no key gets zeros and a log-sum-exp of infinity.
    ///
    /// @throws IllegalArgumentException where heads are wider than shared memory has room for: 520 numbers
    @Override
    public void forward(Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout, Tensor o,
            Tensor logSumExp) {
        String plain = PLAIN_FORWARD.on(q, k, v, o);
        int headDim = q.columns() / layout.heads();
        arguments.start().pointer(q).pointer(k).pointer(v).pointer(keyBias).pointer(bounds.onDevice(layout.bounds()))
                .pointer(o).pointer(logSumExp);
        shape(layout, headDim).integer(layout.causal() ? 1 : 0);
        Tiles tiles = tilesFor(headDim, q, k, v, o);
        if (tiles == null) {
            launchPlain(plain, layout, layout.heads(), plainBytes(headDim, 3, 1));
        } else {
            launch(tiles.forward, layout, layout.heads(), FORWARD_QUERIES,
                    tiles.bytes(FORWARD_QUERIES + 2 * FORWARD_KEYS));
        }
    }

    /// A query that sees no key has no influence.
    @Override
    public void backward(Tensor dO, Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout, Tensor o,
            Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv) {
        if (layout.causal()) throw new IllegalArgumentException("causal attention has no backward pass");
        int headDim = q.columns() / layout.heads();
        String plainKeys = PLAIN_BACKWARD_KEYS.on(q, k, v, dk);
        String plainQueries = PLAIN_BACKWARD_QUERIES.on(dO, q, dv, dq);
        MemorySegment delta = delta(dO, o, layout, headDim);
        Tiles tiles = areAligned(dO, dq, dk, dv) ? tilesFor(headDim, q, k, v, o) : null;
        MemorySegment sequences = bounds.onDevice(layout.bounds());

        arguments.start().pointer(dO).pointer(q).pointer(k).pointer(v).pointer(keyBias).pointer(sequences)
                .pointer(logSumExp).pointer(delta).pointer(dk).pointer(dv);
        shape(layout, headDim);
        if (tiles == null) {
            launchPlain(plainKeys, layout, layout.kvHeads(), plainBytes(headDim, 6, 2));
        } else {
            launch(tiles.backwardKeys, layout, layout.kvHeads(), BACKWARD_ROWS,
                    tiles.bytes(4 * BACKWARD_ROWS) + BACKWARD_STATISTICS_BYTES);
        }

        arguments.start().pointer(dO).pointer(q).pointer(k).pointer(v).pointer(keyBias).pointer(sequences)
                .pointer(logSumExp).pointer(delta).pointer(dq);
        shape(layout, headDim);
        if (tiles == null) {
            launchPlain(plainQueries, layout, layout.heads(), plainBytes(headDim, 5, 1));
        } else {
            launch(tiles.backwardQueries, layout, layout.heads(), BACKWARD_ROWS, tiles.bytes(4 * BACKWARD_ROWS));
        }
    }

    /// `delta[h, r] = sum_c dO[r, h, c] O[r, h, c]`.
    private MemorySegment delta(Tensor dO, Tensor o, Layout layout, int headDim) {
        long count = (long) layout.rows() * layout.heads();
        MemorySegment delta = scratch.floats(count);
        arguments.start().pointer(dO).pointer(o).pointer(delta).integer(layout.rows()).integer(layout.heads())
                .integer(headDim);
        device.launch(DELTA.on(dO, o), Blocks.covering(count, DELTA_THREADS / WARP), DELTA_THREADS, arguments);
        return delta;
    }

    /// What all kernels take last: rows, heads, key heads, width of a head, scale.
    private Arguments shape(Layout layout, int headDim) {
        return arguments.integer(layout.rows()).integer(layout.heads()).integer(layout.kvHeads()).integer(headDim)
                .number((float) (1 / Math.sqrt(headDim)));
    }

    /// The narrowest tiles that hold a head; null where only the plain kernels can.
    private static @Nullable Tiles tilesFor(int headDim, Tensor q, Tensor k, Tensor v, Tensor o) {
        if (q.type() != DType.BF16 || headDim % PACK != 0 || !areAligned(q, k, v, o)) return null;
        for (Tiles tiles : TILES) if (headDim <= tiles.columns) return tiles;
        return null;
    }

    private static boolean areAligned(Tensor a, Tensor b, Tensor c, Tensor d) {
        long addresses = a.data().address() | b.data().address() | c.data().address() | d.data().address();
        return addresses % PACK_BYTES == 0;
    }

    /// @param rows that a block owns
    private void launch(String kernel, Layout layout, int heads, int rows, int sharedBytes) {
        int longest = longest(layout.bounds());
        if (longest == 0) return;
        device.launch(kernel, Blocks.covering(longest, rows), heads, layout.sequences(), THREADS, 1, 1, sharedBytes,
                arguments);
    }

    private void launchPlain(String kernel, Layout layout, int heads, int sharedBytes) {
        int longest = longest(layout.bounds());
        if (longest == 0) return;
        device.launch(kernel, Blocks.covering(longest, PLAIN_TILE), heads, layout.sequences(), PLAIN_TILE, PLAIN_TILE,
                1, sharedBytes, arguments);
    }

    /// Shared memory of a plain kernel with so many tiles of rows and of scores.
    private static int plainBytes(int headDim, int rowTiles, int scoreTiles) {
        // The pitch of rows is odd.
        int bytes = Float.BYTES * (rowTiles * PLAIN_TILE * (headDim | 1) + scoreTiles * PLAIN_SCORES);
        if (bytes > MOST_SHARED_BYTES) {
            throw new IllegalArgumentException("attention heads of " + headDim + " numbers do not fit shared memory");
        }
        return bytes;
    }

    private static int longest(int[] bounds) {
        int longest = 0;
        for (int s = 1; s < bounds.length; s++) longest = Math.max(longest, bounds[s] - bounds[s - 1]);
        return longest;
    }

    @Override
    public void close() {
        bounds.close();
    }
}
