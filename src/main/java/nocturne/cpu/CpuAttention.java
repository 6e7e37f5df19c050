package nocturne.cpu;

import static nocturne.cpu.Lanes.COUNT;
import static nocturne.cpu.Lanes.FLOAT;
import static nocturne.cpu.Lanes.FLOATS;
import static nocturne.cpu.Lanes.broadcast;
import static nocturne.cpu.Lanes.load;
import static nocturne.cpu.Lanes.store;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import nocturne.tensor.Attention;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// Attention in tiles of query rows against all keys of a sequence.
///
/// A tile's scores fit the cache; the products go to BLAS with the heads' stride, so no head is ever copied out.
/// The forward pass is cut by sequence, head and tile; the backward pass by sequence and key head, because every
/// tile adds to the same key and value gradients and their order must be fixed.
final class CpuAttention implements Attention {
    /// Scores of one tile, about. BLAS packs the keys anew for each tile, so larger tiles pack less; two tiles of this
    /// size still stay in a shared third-level cache.
    private static final int TILE_SCORES = 1 << 18;

    private final Workers workers;

    CpuAttention(Workers workers) {
        this.workers = workers;
    }

    private static int tileRows(int length) {
        return Math.clamp(TILE_SCORES / Math.max(1, length) / 16 * 16L, 16, 256);
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout, Tensor o,
            Tensor logSumExp) {
        int heads = layout.heads();
        int headDim = q.columns() / heads;
        int[] firstTile = new int[layout.sequences() + 1];
        for (int s = 0; s < layout.sequences(); s++) {
            int length = layout.bounds()[s + 1] - layout.bounds()[s];
            int tile = tileRows(length);
            firstTile[s + 1] = firstTile[s] + heads * ((length + tile - 1) / tile);
        }
        workers.run(firstTile[layout.sequences()], (piece, worker) -> {
            int s = sequenceOf(firstTile, piece);
            int start = layout.bounds()[s];
            int length = layout.bounds()[s + 1] - start;
            int tile = tileRows(length);
            int tiles = (length + tile - 1) / tile;
            int head = (piece - firstTile[s]) / tiles;
            int from = (piece - firstTile[s]) % tiles * tile;
            forwardTile(q, k, v, keyBias, layout, o, logSumExp, headDim, head, start, length, from,
                    Math.min(tile, length - from), workers.scratch(worker, (long) tile * stride(length) + tile));
        });
    }

    private static int sequenceOf(int[] firstTile, int piece) {
        int s = 0;
        while (piece >= firstTile[s + 1]) s++;
        return s;
    }

    private static void forwardTile(Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout, Tensor o,
            Tensor logSumExp, int headDim, int head, int start, int length, int from, int rows, MemorySegment scores) {
        int keyHead = head * layout.kvHeads() / layout.heads();
        int qStride = q.columns();
        int kStride = k.columns();
        float scale = (float) (1 / Math.sqrt(headDim));
        long queries = address(q, start + from, head * headDim);
        long keys = address(k, start, keyHead * headDim);
        int keyCount = layout.causal() ? from + rows : length;
        int stride = stride(length);
        Blas.product(false, true, rows, keyCount, headDim, scale, queries, qStride, keys, kStride, 0, scores.address(),
                stride);
        MemorySegment sums = scores.asSlice(4L * rows * stride);
        MemorySegment biases = bias(keyBias);
        for (int r = 0; r < rows; r++) {
            int visible = layout.causal() ? from + r + 1 : length;
            float max = exponentialRow(
                    scores, (long) r * stride, visible, stride(keyCount), biases, start, sums, r);
            float sum = sums.get(FLOAT, 4L * r);
            // Of infinity, the backward pass makes probabilities of zero.
            float lse = sum == 0 ? Float.POSITIVE_INFINITY : max + (float) StrictMath.log(sum);
            logSumExp.data().set(FLOAT, 4 * ((long) head * layout.rows() + start + from + r), lse);
        }
        Blas.product(false, false, rows, headDim, keyCount, 1, scores.address(), stride,
                address(v, start, keyHead * headDim), kStride, 0, address(o, start + from, head * headDim), qStride);
        // Dividing the output's few columns is cheaper than dividing every probability.
        for (int r = 0; r < rows; r++) {
            long at = (long) (start + from + r) * qStride + (long) head * headDim;
            float sum = sums.get(FLOAT, 4L * r);
            scaleRow(o.data(), at, headDim, sum == 0 ? 0 : 1 / sum);
        }
    }

    private static void scaleRow(MemorySegment data, long at, int count, float factor) {
        int whole = FLOATS.loopBound(count);
        FloatVector factors = broadcast(factor);
        for (int c = 0; c < whole; c += COUNT) store(load(data, at + c).mul(factors), data, at + c);
        for (int c = whole; c < count; c++) data.set(FLOAT, 4 * (at + c), data.get(FLOAT, 4 * (at + c)) * factor);
    }

    private static @Nullable MemorySegment bias(@Nullable Tensor keyBias) {
        return keyBias == null ? null : keyBias.data();
    }

    private static long address(Tensor tensor, int row, int column) {
        return tensor.data().address() + 4 * ((long) row * tensor.columns() + column);
    }

    /// Score rows lie this far apart: whole vectors, so that no loop over them needs a mask.
    private static int stride(int length) {
        return (length + COUNT - 1) / COUNT * COUNT;
    }

    /// Turns one row of scores into `exp(score - max)` in place and stores their sum at `sums[sumAt]`: 0 where no key
    /// is seen, and only there.
    ///
    /// @param visible keys this query may see; the values from there to `width` become 0
    /// @param width   a whole number of vectors
    /// @return the greatest score
    private static float exponentialRow(MemorySegment scores, long row, int visible, int width,
            @Nullable MemorySegment bias, long biasAt, MemorySegment sums, int sumAt) {
        if (bias != null) addBias(scores, row, visible, bias, biasAt);
        for (int c = visible; c < width; c++) scores.set(FLOAT, 4 * (row + c), Float.NEGATIVE_INFINITY);
        float max = greatest(scores, row, width);
        // Where nothing is seen, any shift will do that keeps infinity from meeting itself.
        float shift = max == Float.NEGATIVE_INFINITY ? 0 : max;
        sums.set(FLOAT, 4L * sumAt, exponentials(scores, row, width, shift));
        return max;
    }

    private static void addBias(MemorySegment scores, long row, int count, MemorySegment bias, long biasAt) {
        int whole = FLOATS.loopBound(count);
        for (int c = 0; c < whole; c += COUNT) {
            store(load(scores, row + c).add(load(bias, biasAt + c)), scores, row + c);
        }
        for (int c = whole; c < count; c++) {
            float biased = scores.get(FLOAT, 4 * (row + c)) + bias.get(FLOAT, 4 * (biasAt + c));
            scores.set(FLOAT, 4 * (row + c), biased);
        }
    }

    private static float greatest(MemorySegment scores, long row, int stride) {
        FloatVector most = load(scores, row);
        for (int c = COUNT; c < stride; c += COUNT) most = most.max(load(scores, row + c));
        // The greatest lane is exact in any order.
        return most.reduceLanes(VectorOperators.MAX);
    }

    private static float exponentials(MemorySegment scores, long row, int stride, float shift) {
        FloatVector shifts = broadcast(shift);
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int c = 0; c < stride; c += COUNT) {
            FloatVector weight = Lanes.exp(load(scores, row + c).sub(shifts));
            store(weight, scores, row + c);
            sum = sum.add(weight);
        }
        return Lanes.sum(sum);
    }

    @Override
    public void backward(Tensor dO, Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout, Tensor o,
            Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv) {
        if (layout.causal()) throw new IllegalArgumentException("causal attention has no backward pass");
        int headDim = q.columns() / layout.heads();
        int group = layout.heads() / layout.kvHeads();
        workers.run(layout.sequences() * layout.kvHeads(), (piece, worker) -> {
            int s = piece / layout.kvHeads();
            int keyHead = piece % layout.kvHeads();
            int start = layout.bounds()[s];
            int length = layout.bounds()[s + 1] - start;
            int tile = tileRows(length);
            MemorySegment scratch = workers.scratch(worker, 2L * tile * stride(length));
            boolean first = true;
            for (int head = keyHead * group; head < (keyHead + 1) * group; head++) {
                for (int from = 0; from < length; from += tile) {
                    backwardTile(dO, q, k, v, keyBias, layout, o, logSumExp, dq, dk, dv, headDim, head, keyHead, start,
                            length, from, Math.min(tile, length - from), first ? 0 : 1, scratch);
                    first = false;
                }
            }
        });
    }

    /// With P the probabilities and `delta = rowsum(dO * O)`: `dV += P^T dO`, `dS = P * (dO V^T - delta) / sqrt(d)`,
    /// `dQ = dS K`, `dK += dS^T Q`. Source: arXiv:2307.08691, algorithm 2.
    private static void backwardTile(Tensor dO, Tensor q, Tensor k, Tensor v, @Nullable Tensor keyBias, Layout layout,
            Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int headDim, int head, int keyHead, int start,
            int length, int from, int rows, float beta, MemorySegment scratch) {
        int qStride = q.columns();
        int kStride = k.columns();
        float scale = (float) (1 / Math.sqrt(headDim));
        int qColumn = head * headDim;
        int kColumn = keyHead * headDim;
        int stride = stride(length);
        MemorySegment scores = scratch;
        MemorySegment slopes = scratch.asSlice(4L * rows * stride);
        long queries = address(q, start + from, qColumn);
        long keys = address(k, start, kColumn);
        long outer = address(dO, start + from, qColumn);
        Blas.product(false, true, rows, length, headDim, scale, queries, qStride, keys, kStride, 0, scores.address(),
                stride);
        Blas.product(false, true, rows, length, headDim, 1, outer, qStride, address(v, start, kColumn), kStride, 0,
                slopes.address(), stride);
        MemorySegment biases = bias(keyBias);
        for (int r = 0; r < rows; r++) {
            long at = (long) (start + from + r) * qStride + qColumn;
            float lse = logSumExp.data().get(FLOAT, 4 * ((long) head * layout.rows() + start + from + r));
            float delta = dot(dO.data(), o.data(), at, headDim);
            long row = (long) r * stride;
            if (biases != null) addBias(scores, row, length, biases, start);
            slopeRow(scores, slopes, row, stride, lse, delta, scale);
        }
        Blas.product(true, false, length, headDim, rows, 1, scores.address(), stride, outer, qStride, beta,
                address(dv, start, kColumn), kStride);
        Blas.product(false, false, rows, headDim, length, 1, slopes.address(), stride, keys, kStride, 0,
                address(dq, start + from, qColumn), qStride);
        Blas.product(true, false, length, headDim, rows, 1, slopes.address(), stride, queries, qStride, beta,
                address(dk, start, kColumn), kStride);
    }

    private static float dot(MemorySegment a, MemorySegment b, long at, int count) {
        int whole = FLOATS.loopBound(count);
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int c = 0; c < whole; c += COUNT) sum = load(a, at + c).fma(load(b, at + c), sum);
        float total = Lanes.sum(sum);
        for (int c = whole; c < count; c++) {
            total = Math.fma(a.get(FLOAT, 4 * (at + c)), b.get(FLOAT, 4 * (at + c)), total);
        }
        return total;
    }

    /// Scores become probabilities and `dO V^T` becomes `dS`, both in place. What stands behind the row's end is
    /// computed with and never read.
    private static void slopeRow(MemorySegment scores, MemorySegment slopes, long row, int stride, float lse,
            float delta, float scale) {
        for (int c = 0; c < stride; c += COUNT) {
            store(Lanes.exp(load(scores, row + c).sub(lse)), scores, row + c);
        }
        for (int c = 0; c < stride; c += COUNT) {
            store(load(slopes, row + c).sub(delta).mul(load(scores, row + c)).mul(scale), slopes, row + c);
        }
    }
}
