package nocturne.cpu;

import static nocturne.cpu.Lanes.COUNT;
import static nocturne.cpu.Lanes.FLOAT;
import static nocturne.cpu.Lanes.FLOATS;
import static nocturne.cpu.Lanes.broadcast;
import static nocturne.cpu.Lanes.load;
import static nocturne.cpu.Lanes.store;
import static nocturne.cpu.Lanes.upTo;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import nocturne.tensor.Norms;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;

/// Normalisations, one row at a time.
final class CpuNorms implements Norms {
    /// Swaps the two members of each pair: lane 2i takes lane 2i + 1 and the other way round.
    private static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(FLOATS, lane -> lane ^ 1);

    private final Workers workers;

    CpuNorms(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void layerNormModulate(Tensor x, Tensor modulation, int shiftPart, int scalePart, RowMap map, float eps,
            Tensor y, Tensor statistics) {
        int columns = x.columns();
        int width = modulation.columns();
        workers.rows(x.rows(), 2 * columns, (first, last) -> {
            for (int r = first; r < last; r++) {
                long base = (long) map.modulationRow(r / map.rows(), r % map.rows()) * width;
                layerNormRow(x.data(), (long) r * columns, columns, modulation.data(),
                        base + (long) shiftPart * columns, base + (long) scalePart * columns, eps, y.data(),
                        statistics.data(), 2L * r);
            }
        });
    }

    private static void layerNormRow(MemorySegment x, long row, int columns, MemorySegment modulation, long shift,
            long scale, float eps, MemorySegment y, MemorySegment statistics, long at) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) sum = sum.add(load(x, row + c));
        VectorMask<Float> tail = upTo(c, columns);
        if (c < columns) sum = sum.add(load(x, row + c, tail));
        float mean = Lanes.sum(sum) / columns;
        FloatVector squares = FloatVector.zero(FLOATS);
        for (c = 0; c <= columns - COUNT; c += COUNT) {
            FloatVector d = load(x, row + c).sub(mean);
            squares = d.fma(d, squares);
        }
        if (c < columns) {
            FloatVector d = load(x, row + c, tail).sub(broadcast(mean), tail);
            squares = d.fma(d, squares);
        }
        float rstd = (float) (1 / Math.sqrt(Lanes.sum(squares) / columns + eps));
        for (c = 0; c <= columns - COUNT; c += COUNT) {
            FloatVector hat = load(x, row + c).sub(mean).mul(rstd);
            store(load(modulation, scale + c).add(1f).fma(hat, load(modulation, shift + c)), y, row + c);
        }
        if (c < columns) {
            FloatVector hat = load(x, row + c, tail).sub(mean).mul(rstd);
            store(load(modulation, scale + c, tail).add(1f).fma(hat, load(modulation, shift + c, tail)), y, row + c,
                    tail);
        }
        statistics.set(FLOAT, 4 * at, mean);
        statistics.set(FLOAT, 4 * at + 4, rstd);
    }

    @Override
    public void layerNormModulateBackward(Tensor dy, Tensor x, Tensor modulation, int shiftPart, int scalePart,
            RowMap map, Tensor statistics, Tensor dx, boolean accumulate, Tensor dModulation) {
        int columns = x.columns();
        int width = modulation.columns();
        ModulationGradient.reduce(workers, map, columns, 2, (r, modulationRow, partial, at) ->
                layerNormRowBackward(dy.data(), x.data(), (long) r * columns, columns, modulation.data(),
                        (long) modulationRow * width + (long) scalePart * columns,
                        statistics.data().get(FLOAT, 8L * r), statistics.data().get(FLOAT, 8L * r + 4), dx.data(),
                        accumulate, partial, at), dModulation, shiftPart, scalePart);
    }

    /// With `hat = (x - mean) rstd` and `g = dy (1 + scale)`: `dx = rstd (g - mean(g) - hat mean(g hat))`,
    /// `dshift = dy`, `dscale = dy hat`.
    private static void layerNormRowBackward(MemorySegment dy, MemorySegment x, long row, int columns,
            MemorySegment modulation, long scale, float mean, float rstd, MemorySegment dx, boolean accumulate,
            MemorySegment partial, long at) {
        FloatVector sumG = FloatVector.zero(FLOATS);
        FloatVector sumGHat = FloatVector.zero(FLOATS);
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) {
            FloatVector d = load(dy, row + c);
            FloatVector hat = load(x, row + c).sub(mean).mul(rstd);
            FloatVector g = load(modulation, scale + c).add(1f).mul(d);
            sumG = sumG.add(g);
            sumGHat = g.fma(hat, sumGHat);
            store(load(partial, at + c).add(d), partial, at + c);
            store(d.fma(hat, load(partial, at + columns + c)), partial, at + columns + c);
        }
        if (c < columns) {
            VectorMask<Float> tail = upTo(c, columns);
            FloatVector d = load(dy, row + c, tail);
            FloatVector hat = load(x, row + c, tail).sub(mean).mul(rstd);
            FloatVector g = load(modulation, scale + c, tail).add(1f).mul(d);
            sumG = sumG.add(g);
            sumGHat = g.fma(hat, sumGHat);
            store(load(partial, at + c, tail).add(d), partial, at + c, tail);
            store(d.fma(hat, load(partial, at + columns + c, tail)), partial, at + columns + c, tail);
        }
        float meanG = Lanes.sum(sumG) / columns;
        float meanGHat = Lanes.sum(sumGHat) / columns;
        if (accumulate) addLayerNormSlope(dy, x, row, columns, modulation, scale, mean, rstd, meanG, meanGHat, dx);
        else setLayerNormSlope(dy, x, row, columns, modulation, scale, mean, rstd, meanG, meanGHat, dx);
        if (c < columns) {
            layerNormSlopeTail(dy, x, row + c, columns - c, modulation, scale + c, mean, rstd, meanG, meanGHat, dx,
                    accumulate);
        }
    }

    // With the means over the row known: `dx = (g - mean(g) - hat mean(g hat)) rstd`. One loop a method, and none with
    // masks or vectors as arguments: the compiler would give up inlining them, and every vector would become an object.
    private static void setLayerNormSlope(MemorySegment dy, MemorySegment x, long row, int columns,
            MemorySegment modulation, long scale, float mean, float rstd, float meanG, float meanGHat,
            MemorySegment dx) {
        for (int c = 0; c <= columns - COUNT; c += COUNT) {
            FloatVector hat = load(x, row + c).sub(mean).mul(rstd);
            FloatVector g = load(modulation, scale + c).add(Lanes.ONE).mul(load(dy, row + c));
            store(g.sub(meanG).sub(hat.mul(meanGHat)).mul(rstd), dx, row + c);
        }
    }

    private static void addLayerNormSlope(MemorySegment dy, MemorySegment x, long row, int columns,
            MemorySegment modulation, long scale, float mean, float rstd, float meanG, float meanGHat,
            MemorySegment dx) {
        for (int c = 0; c <= columns - COUNT; c += COUNT) {
            FloatVector hat = load(x, row + c).sub(mean).mul(rstd);
            store(load(dx, row + c).sub(hat.mul(meanGHat).add(meanG).mul(rstd)), dx, row + c);
        }
        for (int c = 0; c <= columns - COUNT; c += COUNT) {
            FloatVector g = load(modulation, scale + c).add(Lanes.ONE).mul(load(dy, row + c));
            store(g.mul(rstd).add(load(dx, row + c)), dx, row + c);
        }
    }

    private static void layerNormSlopeTail(MemorySegment dy, MemorySegment x, long at, int count,
            MemorySegment modulation, long scale, float mean, float rstd, float meanG, float meanGHat,
            MemorySegment dx, boolean accumulate) {
        VectorMask<Float> tail = upTo(0, count);
        FloatVector hat = load(x, at, tail).sub(mean).mul(rstd);
        FloatVector g = load(modulation, scale, tail).add(Lanes.ONE).mul(load(dy, at, tail));
        FloatVector d = g.sub(meanG).sub(hat.mul(meanGHat)).mul(rstd);
        store(accumulate ? d.add(load(dx, at, tail)) : d, dx, at, tail);
    }

    @Override
    public void rmsNorm(Tensor x, Tensor weight, float eps, Tensor y) {
        int columns = x.columns();
        workers.rows(x.rows(), columns, (first, last) -> {
            for (int r = first; r < last; r++) {
                rmsRow(x.data(), (long) r * columns, columns, weight.data(), eps, y.data());
            }
        });
    }

    private static void rmsRow(MemorySegment x, long row, int columns, MemorySegment weight, float eps,
            MemorySegment y) {
        float rstd = reciprocalRms(x, row, columns, eps);
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) {
            store(load(x, row + c).mul(rstd).mul(load(weight, c)), y, row + c);
        }
        if (c < columns) {
            VectorMask<Float> m = upTo(c, columns);
            store(load(x, row + c, m).mul(rstd).mul(load(weight, c, m)), y, row + c, m);
        }
    }

    private static float reciprocalRms(MemorySegment x, long row, int columns, float eps) {
        FloatVector squares = FloatVector.zero(FLOATS);
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) {
            FloatVector v = load(x, row + c);
            squares = v.fma(v, squares);
        }
        if (c < columns) {
            FloatVector v = load(x, row + c, upTo(c, columns));
            squares = v.fma(v, squares);
        }
        return (float) (1 / Math.sqrt(Lanes.sum(squares) / columns + eps));
    }

    @Override
    public void rmsNormBackward(Tensor dy, Tensor x, Tensor weight, float eps, Tensor dx, boolean accumulate) {
        int columns = x.columns();
        workers.rows(x.rows(), 2 * columns, (first, last) -> {
            for (int r = first; r < last; r++) {
                rmsRowBackward(dy.data(), x.data(), (long) r * columns, columns, weight.data(), eps, dx.data(),
                        accumulate);
            }
        });
    }

    /// With `hat = x rstd` and `g = dy weight`: `dx = rstd (g - hat mean(g hat))`.
    private static void rmsRowBackward(MemorySegment dy, MemorySegment x, long row, int columns, MemorySegment weight,
            float eps, MemorySegment dx, boolean accumulate) {
        float rstd = reciprocalRms(x, row, columns, eps);
        FloatVector dot = FloatVector.zero(FLOATS);
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) {
            dot = load(dy, row + c).mul(load(weight, c)).fma(load(x, row + c), dot);
        }
        VectorMask<Float> tail = upTo(c, columns);
        if (c < columns) dot = load(dy, row + c, tail).mul(load(weight, c, tail)).fma(load(x, row + c, tail), dot);
        float pull = Lanes.sum(dot) * rstd * rstd / columns;
        for (c = 0; c <= columns - COUNT; c += COUNT) {
            FloatVector d = load(dy, row + c).mul(load(weight, c)).sub(load(x, row + c).mul(pull)).mul(rstd);
            store(accumulate ? d.add(load(dx, row + c)) : d, dx, row + c);
        }
        if (c < columns) {
            FloatVector d = load(dy, row + c, tail).mul(load(weight, c, tail))
                    .sub(load(x, row + c, tail).mul(pull)).mul(rstd);
            store(accumulate ? d.add(load(dx, row + c, tail)) : d, dx, row + c, tail);
        }
    }

    @Override
    public void headNormRotate(Tensor x, Tensor weight, Tensor cos, Tensor sin, int batch, int offset, float eps,
            Tensor out) {
        int columns = x.columns();
        int headDim = weight.columns();
        int rows = x.rows() / batch;
        int joint = out.rows() / batch;
        workers.rows(x.rows(), 2 * columns, (first, last) -> {
            for (int r = first; r < last; r++) {
                int position = offset + r % rows;
                long target = ((long) (r / rows) * joint + position) * columns;
                for (int h = 0; h < columns; h += headDim) {
                    rotateHead(x.data(), (long) r * columns + h, headDim, weight.data(), cos.data(), sin.data(),
                            (long) position * headDim, eps, out.data(), target + h);
                }
            }
        });
    }

    private static void rotateHead(MemorySegment x, long row, int headDim, MemorySegment weight, MemorySegment cos,
            MemorySegment sin, long angles, float eps, MemorySegment out, long target) {
        float rstd = reciprocalRms(x, row, headDim, eps);
        int c = 0;
        for (; c <= headDim - COUNT; c += COUNT) {
            FloatVector v = load(x, row + c).mul(rstd).mul(load(weight, c));
            store(v.rearrange(SWAP).fma(load(sin, angles + c), v.mul(load(cos, angles + c))), out, target + c);
        }
        if (c < headDim) {
            VectorMask<Float> m = upTo(c, headDim);
            FloatVector v = load(x, row + c, m).mul(rstd).mul(load(weight, c, m));
            store(v.rearrange(SWAP).fma(load(sin, angles + c, m), v.mul(load(cos, angles + c, m))), out, target + c, m);
        }
    }

    @Override
    public void headNormRotateBackward(Tensor dOut, Tensor x, Tensor weight, Tensor cos, Tensor sin, int batch,
            int offset, float eps, Tensor dx) {
        int columns = x.columns();
        int headDim = weight.columns();
        int rows = x.rows() / batch;
        int joint = dOut.rows() / batch;
        workers.rows(x.rows(), 3 * columns, (first, last) -> {
            for (int r = first; r < last; r++) {
                int position = offset + r % rows;
                long source = ((long) (r / rows) * joint + position) * columns;
                for (int h = 0; h < columns; h += headDim) {
                    long row = (long) r * columns + h;
                    rotateHeadBack(dOut.data(), source + h, headDim, cos.data(), sin.data(), (long) position * headDim,
                            dx.data(), row);
                    // In place: dx holds the gradient of the normalised row and receives that of the raw one.
                    rmsRowBackward(dx.data(), x.data(), row, headDim, weight.data(), eps, dx.data(), false);
                }
            }
        });
    }

    /// The transposed rotation: each pair turned back by its angle.
    private static void rotateHeadBack(MemorySegment dOut, long source, int headDim, MemorySegment cos,
            MemorySegment sin, long angles, MemorySegment dx, long row) {
        int c = 0;
        for (; c <= headDim - COUNT; c += COUNT) {
            FloatVector d = load(dOut, source + c);
            FloatVector turned = d.mul(load(sin, angles + c)).rearrange(SWAP);
            store(d.fma(load(cos, angles + c), turned), dx, row + c);
        }
        if (c < headDim) {
            VectorMask<Float> m = upTo(c, headDim);
            FloatVector d = load(dOut, source + c, m);
            FloatVector turned = d.mul(load(sin, angles + c, m)).rearrange(SWAP);
            store(d.fma(load(cos, angles + c, m), turned), dx, row + c, m);
        }
    }
}
