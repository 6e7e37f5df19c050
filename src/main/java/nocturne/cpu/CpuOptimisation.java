package nocturne.cpu;

import static nocturne.cpu.Lanes.COUNT;
import static nocturne.cpu.Lanes.FLOAT;
import static nocturne.cpu.Lanes.broadcast;
import static nocturne.cpu.Lanes.load;
import static nocturne.cpu.Lanes.store;
import static nocturne.cpu.Lanes.upTo;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import nocturne.tensor.Loss;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.Optimisation;
import nocturne.tensor.Tensor;

/// Loss and optimiser updates.
final class CpuOptimisation implements Optimisation {
    private static final int RUN = 1 << 14;

    private final Workers workers;

    CpuOptimisation(Workers workers) {
        this.workers = workers;
    }

    @Override
    public double loss(Loss kind, Tensor prediction, Tensor target, float[] sampleWeights, float gradientScale,
            Tensor gradient) {
        int batch = sampleWeights.length;
        long perSample = prediction.elements() / batch;
        MemorySegment p = prediction.data();
        MemorySegment t = target.data();
        MemorySegment g = gradient.data();
        double loss = 0;
        for (int b = 0; b < batch; b++) {
            float weight = gradientScale * sampleWeights[b] / (perSample * batch);
            long from = b * perSample;
            double sum = switch (kind) {
                case SQUARED -> squared(p, t, g, from, from + perSample, weight);
                case ABSOLUTE -> absolute(p, t, g, from, from + perSample, weight);
                case PSEUDO_HUBER -> pseudoHuber(p, t, g, from, from + perSample, weight);
            };
            loss += sampleWeights[b] * (sum / perSample);
        }
        return loss / batch;
    }

    private static double squared(
            MemorySegment p, MemorySegment t, MemorySegment g, long from, long to, float weight) {
        double sum = 0;
        float slope = 2 * weight;
        for (long i = from; i < to; i++) {
            float difference = p.get(FLOAT, 4 * i) - t.get(FLOAT, 4 * i);
            sum += (double) difference * difference;
            g.set(FLOAT, 4 * i, slope * difference);
        }
        return sum;
    }

    private static double absolute(
            MemorySegment p, MemorySegment t, MemorySegment g, long from, long to, float weight) {
        double sum = 0;
        for (long i = from; i < to; i++) {
            float difference = p.get(FLOAT, 4 * i) - t.get(FLOAT, 4 * i);
            sum += Math.abs(difference);
            // The sign of 0 is 0; of what is not a number it is that.
            g.set(FLOAT, 4 * i, weight * Math.signum(difference));
        }
        return sum;
    }

    private static double pseudoHuber(
            MemorySegment p, MemorySegment t, MemorySegment g, long from, long to, float weight) {
        double sum = 0;
        for (long i = from; i < to; i++) {
            float difference = p.get(FLOAT, 4 * i) - t.get(FLOAT, 4 * i);
            double square = (double) difference * difference;
            double root = Math.sqrt(square + Loss.HUBER_WIDTH * Loss.HUBER_WIDTH);
            // Not root - width, which would cancel where the difference is small.
            sum += square / (root + Loss.HUBER_WIDTH);
            g.set(FLOAT, 4 * i, weight * (float) (difference / root));
        }
        return sum;
    }

    @Override
    public double sumOfSquares(Tensor x) {
        MemorySegment data = x.data();
        long elements = x.elements();
        int pieces = (int) ((elements + RUN - 1) / RUN);
        double[] sums = new double[pieces];
        workers.run(pieces, (piece, worker) -> {
            long from = (long) piece * RUN;
            sums[piece] = squares(data, from, (int) Math.min(RUN, elements - from));
        });
        double total = 0;
        for (double sum : sums) total += sum;
        return total;
    }

    private static double squares(MemorySegment data, long from, int count) {
        // Four partial sums in a fixed order: fast without vectors, and exact enough in double.
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int i = 0;
        for (; i + 3 < count; i += 4) {
            double a = data.get(FLOAT, 4 * (from + i));
            double b = data.get(FLOAT, 4 * (from + i + 1));
            double c = data.get(FLOAT, 4 * (from + i + 2));
            double d = data.get(FLOAT, 4 * (from + i + 3));
            s0 += a * a;
            s1 += b * b;
            s2 += c * c;
            s3 += d * d;
        }
        for (; i < count; i++) {
            double a = data.get(FLOAT, 4 * (from + i));
            s0 += a * a;
        }
        return (s0 + s1) + (s2 + s3);
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step,
            float gradientFactor) {
        // StrictMath: the same bits interpreted, compiled and on every processor.
        float decay = (float) (1 - settings.learningRate() * settings.weightDecay());
        float stepSize = (float) (settings.learningRate() / (1 - StrictMath.pow(settings.beta1(), step)));
        float correction = (float) Math.sqrt(1 - StrictMath.pow(settings.beta2(), step));
        float beta1 = (float) settings.beta1();
        float beta2 = (float) settings.beta2();
        float eps = (float) settings.eps();
        long elements = parameter.elements();
        int pieces = (int) ((elements + RUN - 1) / RUN);
        workers.run(pieces, (piece, worker) -> {
            long from = (long) piece * RUN;
            int count = (int) Math.min(RUN, elements - from);
            adamRun(parameter.data(), gradient.data(), m.data(), v.data(), from, count, decay, stepSize, correction,
                    beta1, (float) (1 - settings.beta1()), beta2, (float) (1 - settings.beta2()), eps, gradientFactor);
        });
    }

    private static void adamRun(MemorySegment p, MemorySegment g, MemorySegment m, MemorySegment v, long from,
            int count, float decay, float stepSize, float correction, float beta1, float rest1, float beta2,
            float rest2, float eps, float factor) {
        int i = 0;
        for (; i <= count - COUNT; i += COUNT) {
            long at = from + i;
            FloatVector gradient = load(g, at).mul(factor);
            FloatVector first = load(m, at).mul(beta1).add(gradient.mul(rest1));
            FloatVector second = load(v, at).mul(beta2).add(gradient.mul(gradient).mul(rest2));
            FloatVector denominator = second.sqrt().div(correction).add(eps);
            FloatVector moved = load(p, at).mul(decay).sub(first.div(denominator).mul(stepSize));
            store(first, m, at);
            store(second, v, at);
            store(moved, p, at);
        }
        if (i < count) {
            adamTail(p, g, m, v, from + i, count - i, decay, stepSize, correction, beta1, rest1, beta2, rest2, eps,
                    factor);
        }
    }

    /// The last few of a run. In a method of its own, because with masks in it the compiler would not inline the loop.
    private static void adamTail(MemorySegment p, MemorySegment g, MemorySegment m, MemorySegment v, long at,
            int count, float decay, float stepSize, float correction, float beta1, float rest1, float beta2,
            float rest2, float eps, float factor) {
        VectorMask<Float> mask = upTo(0, count);
        FloatVector gradient = load(g, at, mask).mul(factor);
        FloatVector first = load(m, at, mask).mul(beta1).add(gradient.mul(rest1));
        FloatVector second = load(v, at, mask).mul(beta2).add(gradient.mul(gradient).mul(rest2));
        FloatVector denominator = second.sqrt().div(correction).add(eps);
        FloatVector moved = load(p, at, mask).mul(decay).sub(first.div(denominator).mul(stepSize));
        store(first, m, at, mask);
        store(second, v, at, mask);
        store(moved, p, at, mask);
    }

    @Override
    public void adamW8(Tensor parameter, Tensor gradient, Moments8 moments, AdamW settings, int step,
            float gradientFactor) {
        CpuAdamW8 update = new CpuAdamW8(parameter, gradient, moments, settings, step, gradientFactor);
        int blocks = MomentCodes.blocks(parameter.elements());
        int perPiece = RUN / MomentCodes.BLOCK;
        workers.run((blocks + perPiece - 1) / perPiece, (piece, worker) ->
                update.blocks(piece * perPiece, Math.min(blocks, (piece + 1) * perPiece)));
    }

    @Override
    public void moveTowards(Tensor average, Tensor value, float weight) {
        MemorySegment a = average.data();
        MemorySegment p = value.data();
        long elements = average.elements();
        int pieces = (int) ((elements + RUN - 1) / RUN);
        workers.run(pieces, (piece, worker) -> {
            long from = (long) piece * RUN;
            int count = (int) Math.min(RUN, elements - from);
            for (int i = 0; i < count; i += COUNT) {
                VectorMask<Float> mask = upTo(i, count);
                FloatVector old = load(a, from + i, mask);
                FloatVector gap = old.sub(load(p, from + i, mask));
                store(gap.fma(broadcast(-weight), old), a, from + i, mask);
            }
        });
    }

}
