package nocturne.cpu;

import static nocturne.cpu.Lanes.COUNT;
import static nocturne.cpu.Lanes.FLOATS;
import static nocturne.cpu.Lanes.broadcast;
import static nocturne.cpu.Lanes.load;
import static nocturne.cpu.Lanes.store;
import static nocturne.cpu.Lanes.upTo;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import nocturne.tensor.Elementwise;
import nocturne.tensor.RowMap;
import nocturne.tensor.Tensor;

/// Operations that touch each number once, vectorised along the innermost axis.
final class CpuElementwise implements Elementwise {
    private static final FloatVector SQRT_2_OVER_PI = broadcast(0.7978845608f);
    private static final FloatVector CUBIC = broadcast(0.044715f);
    private static final FloatVector THREE_CUBIC = broadcast(3 * 0.044715f);
    private static final float SQRT_1_OVER_2 = 0.70710678f;

    private final Workers workers;

    CpuElementwise(Workers workers) {
        this.workers = workers;
    }

    @Override
    public void fill(Tensor target, float value) {
        if (value == 0) {
            target.data().fill((byte) 0);
            return;
        }
        for (long i = 0; i < target.elements(); i++) target.data().set(Lanes.FLOAT, 4 * i, value);
    }

    @Override
    public void copy(Tensor source, Tensor target) {
        MemorySegment.copy(source.data(), 0, target.data(), 0, 4 * source.elements());
    }

    @Override
    public void addScaled(Tensor x, float a, Tensor y) {
        MemorySegment from = x.data();
        MemorySegment to = y.data();
        int columns = y.columns();
        workers.rows(y.rows(), columns, (first, last) -> {
            long base = (long) first * columns;
            int length = (last - first) * columns;
            int i = 0;
            for (; i <= length - COUNT; i += COUNT) {
                store(load(from, base + i).fma(broadcast(a), load(to, base + i)), to, base + i);
            }
            if (i < length) {
                VectorMask<Float> mask = upTo(i, length);
                store(load(from, base + i, mask).fma(broadcast(a), load(to, base + i, mask)), to, base + i, mask);
            }
        });
    }

    @Override
    public void gatedResidual(Tensor x, Tensor y, Tensor modulation, int gatePart, RowMap map, Tensor out) {
        int columns = x.columns();
        int width = modulation.columns();
        workers.rows(x.rows(), columns, (first, last) -> {
            for (int r = first; r < last; r++) {
                long gate = (long) map.modulationRow(r / map.rows(), r % map.rows()) * width
                        + (long) gatePart * columns;
                gatedRow(x.data(), y.data(), modulation.data(), gate, (long) r * columns, columns, out.data());
            }
        });
    }

    private static void gatedRow(MemorySegment x, MemorySegment y, MemorySegment modulation, long gate, long row,
            int columns, MemorySegment out) {
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) {
            store(load(modulation, gate + c).fma(load(y, row + c), load(x, row + c)), out, row + c);
        }
        if (c < columns) {
            VectorMask<Float> m = upTo(c, columns);
            store(load(modulation, gate + c, m).fma(load(y, row + c, m), load(x, row + c, m)), out, row + c, m);
        }
    }

    @Override
    public void gatedResidualBackward(Tensor dOut, Tensor y, Tensor modulation, int gatePart, RowMap map, Tensor dy,
            Tensor dModulation) {
        int columns = dOut.columns();
        int width = modulation.columns();
        ModulationGradient.reduce(workers, map, columns, 1, (row, modulationRow, partial, at) -> {
            long gate = (long) modulationRow * width + (long) gatePart * columns;
            gatedRowBackward(dOut.data(), y.data(), modulation.data(), gate, (long) row * columns, columns, dy.data(),
                    partial, at);
        }, dModulation, gatePart);
    }

    private static void gatedRowBackward(MemorySegment dOut, MemorySegment y, MemorySegment modulation, long gate,
            long row, int columns, MemorySegment dy, MemorySegment partial, long at) {
        int c = 0;
        for (; c <= columns - COUNT; c += COUNT) {
            FloatVector g = load(dOut, row + c);
            store(g.fma(load(y, row + c), load(partial, at + c)), partial, at + c);
            store(g.mul(load(modulation, gate + c)), dy, row + c);
        }
        if (c < columns) {
            VectorMask<Float> m = upTo(c, columns);
            FloatVector g = load(dOut, row + c, m);
            store(g.fma(load(y, row + c, m), load(partial, at + c, m)), partial, at + c, m);
            store(g.mul(load(modulation, gate + c, m)), dy, row + c, m);
        }
    }

    @Override
    public void geluTanh(Tensor x, Tensor y) {
        MemorySegment from = x.data();
        MemorySegment to = y.data();
        int columns = x.columns();
        workers.rows(x.rows(), 8 * columns, (first, last) -> {
            long base = (long) first * columns;
            int length = (last - first) * columns;
            geluRun(from, to, base, length);
            int whole = FLOATS.loopBound(length);
            if (whole < length) geluTail(from, to, base + whole, length - whole);
        });
    }

    // Tails have methods of their own: with masks beside them, the compiler would give up inlining the loops.
    private static void geluRun(MemorySegment from, MemorySegment to, long base, int length) {
        for (int i = 0; i <= length - COUNT; i += COUNT) store(gelu(load(from, base + i)), to, base + i);
    }

    private static void geluTail(MemorySegment from, MemorySegment to, long at, int length) {
        VectorMask<Float> mask = upTo(0, length);
        store(gelu(load(from, at, mask)), to, at, mask);
    }

    private static FloatVector gelu(FloatVector x) {
        return x.mul(Lanes.HALF).mul(Lanes.tanh(inner(x)).add(Lanes.ONE));
    }

    /// `sqrt(2 / pi) (x + 0.044715 x^3)`.
    private static FloatVector inner(FloatVector x) {
        FloatVector square = x.mul(x);
        return square.fma(CUBIC, Lanes.ONE).mul(x).mul(SQRT_2_OVER_PI);
    }

    @Override
    public void geluTanhBackward(Tensor dy, Tensor x, Tensor dx) {
        MemorySegment gradient = dy.data();
        MemorySegment from = x.data();
        MemorySegment to = dx.data();
        int columns = x.columns();
        workers.rows(x.rows(), 8 * columns, (first, last) -> {
            long base = (long) first * columns;
            int length = (last - first) * columns;
            geluBackwardRun(gradient, from, to, base, length);
            int whole = FLOATS.loopBound(length);
            if (whole < length) geluBackwardTail(gradient, from, to, base + whole, length - whole);
        });
    }

    private static void geluBackwardRun(MemorySegment gradient, MemorySegment from, MemorySegment to, long base,
            int length) {
        for (int i = 0; i <= length - COUNT; i += COUNT) {
            store(geluSlope(load(from, base + i)).mul(load(gradient, base + i)), to, base + i);
        }
    }

    private static void geluBackwardTail(MemorySegment gradient, MemorySegment from, MemorySegment to, long at,
            int length) {
        VectorMask<Float> mask = upTo(0, length);
        store(geluSlope(load(from, at, mask)).mul(load(gradient, at, mask)), to, at, mask);
    }

    /// With `h = tanh(inner(x))`: `gelu'(x) = 0.5 (1 + h) + 0.5 x (1 - h^2) sqrt(2 / pi) (1 + 3 * 0.044715 x^2)`.
    private static FloatVector geluSlope(FloatVector x) {
        FloatVector h = Lanes.tanh(inner(x));
        FloatVector innerSlope = x.mul(x).fma(THREE_CUBIC, Lanes.ONE).mul(SQRT_2_OVER_PI);
        FloatVector bend = Lanes.ONE.sub(h.mul(h)).mul(x).mul(innerSlope);
        return h.add(Lanes.ONE).add(bend).mul(Lanes.HALF);
    }

    @Override
    public void silu(Tensor x, Tensor y) {
        MemorySegment from = x.data();
        MemorySegment to = y.data();
        int columns = x.columns();
        workers.rows(x.rows(), 8 * columns, (first, last) -> {
            long base = (long) first * columns;
            int length = (last - first) * columns;
            int i = 0;
            for (; i <= length - COUNT; i += COUNT) store(Lanes.silu(load(from, base + i)), to, base + i);
            if (i < length) {
                VectorMask<Float> mask = upTo(i, length);
                store(Lanes.silu(load(from, base + i, mask)), to, base + i, mask);
            }
        });
    }

    @Override
    public void geluErf(Tensor x, Tensor y) {
        MemorySegment from = x.data();
        MemorySegment to = y.data();
        int columns = x.columns();
        workers.rows(x.rows(), 8 * columns, (first, last) -> {
            long base = (long) first * columns;
            int length = (last - first) * columns;
            int i = 0;
            for (; i <= length - COUNT; i += COUNT) store(exactGelu(load(from, base + i)), to, base + i);
            if (i < length) {
                VectorMask<Float> mask = upTo(i, length);
                store(exactGelu(load(from, base + i, mask)), to, base + i, mask);
            }
        });
    }

    /// With the tail `q = 0.5 erfc(|x| / sqrt(2))`: `x - x q` above 0, `x q` below. Working with the small tail keeps
    /// its digits where 1 + erf would cancel.
    private static FloatVector exactGelu(FloatVector x) {
        FloatVector tail = x.mul(Lanes.halfErfc(x.abs().mul(SQRT_1_OVER_2)));
        return x.sub(tail).blend(tail, x.compare(VectorOperators.LT, 0f));
    }

    @Override
    public void swiGlu(Tensor gate, Tensor up, Tensor y) {
        MemorySegment gates = gate.data();
        MemorySegment ups = up.data();
        MemorySegment to = y.data();
        int columns = y.columns();
        workers.rows(y.rows(), 8 * columns, (first, last) -> {
            long base = (long) first * columns;
            int length = (last - first) * columns;
            int i = 0;
            for (; i <= length - COUNT; i += COUNT) {
                store(Lanes.silu(load(gates, base + i)).mul(load(ups, base + i)), to, base + i);
            }
            if (i < length) {
                VectorMask<Float> mask = upTo(i, length);
                store(Lanes.silu(load(gates, base + i, mask)).mul(load(ups, base + i, mask)), to, base + i, mask);
            }
        });
    }

    @Override
    public void rotateHalves(Tensor x, Tensor cos, Tensor sin, Tensor y) {
        int columns = x.columns();
        int half = cos.columns();
        workers.rows(x.rows(), 2 * columns, (first, last) -> {
            for (int r = first; r < last; r++) {
                for (int h = 0; h < columns; h += 2 * half) {
                    turnHead(x.data(), (long) r * columns + h, half, cos.data(), sin.data(), (long) r * half, y.data());
                }
            }
        });
    }

    private static void turnHead(MemorySegment x, long head, int half, MemorySegment cos, MemorySegment sin,
            long angles, MemorySegment y) {
        for (int c = 0; c < half; c += COUNT) {
            VectorMask<Float> m = upTo(c, half);
            FloatVector a = load(x, head + c, m);
            FloatVector b = load(x, head + half + c, m);
            FloatVector cosine = load(cos, angles + c, m);
            FloatVector sine = load(sin, angles + c, m);
            store(a.mul(cosine).sub(b.mul(sine)), y, head + c, m);
            store(b.mul(cosine).add(a.mul(sine)), y, head + half + c, m);
        }
    }

    @Override
    public void placeRows(Tensor part, int batch, int offset, Tensor joint) {
        long rowBytes = 4L * part.columns();
        long partBytes = part.rows() / batch * rowBytes;
        long jointBytes = joint.rows() / batch * rowBytes;
        for (int b = 0; b < batch; b++) {
            MemorySegment.copy(part.data(), b * partBytes, joint.data(), b * jointBytes + offset * rowBytes, partBytes);
        }
    }

    @Override
    public void takeRows(Tensor joint, int batch, int offset, Tensor part) {
        long rowBytes = 4L * part.columns();
        long partBytes = part.rows() / batch * rowBytes;
        long jointBytes = joint.rows() / batch * rowBytes;
        for (int b = 0; b < batch; b++) {
            MemorySegment.copy(joint.data(), b * jointBytes + offset * rowBytes, part.data(), b * partBytes, partBytes);
        }
    }
}
