package nocturne.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Vectors of the machine's width: loads, stores, sums in a fixed order, and the functions the model needs.
///
/// `reduceLanes(ADD)` and `lanewise(EXP)` are absent on purpose: their results may differ between the interpreter and
/// the compiler, and then a resumed run would not end in the same bits.
final class Lanes {
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    static final int COUNT = FLOATS.length();
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final VectorShuffle<Float> BY_8 = rotation(8);
    private static final VectorShuffle<Float> BY_4 = rotation(4);
    private static final VectorShuffle<Float> BY_2 = rotation(2);
    private static final VectorShuffle<Float> BY_1 = rotation(1);

    private static final float LOG2_E = 1.44269504f;
    // ln 2 in two parts, the first with few enough bits that n * LN2_HIGH is exact.
    private static final float LN2_HIGH = 0.693145752f;
    private static final float LN2_LOW = 1.42860677e-6f;

    private Lanes() {}

    private static VectorShuffle<Float> rotation(int by) {
        return VectorShuffle.fromOp(FLOATS, lane -> (lane + by) % COUNT);
    }

    /// @param index in floats, not bytes
    static FloatVector load(MemorySegment segment, long index) {
        return FloatVector.fromMemorySegment(FLOATS, segment, index * 4, ORDER);
    }

    static FloatVector load(MemorySegment segment, long index, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(FLOATS, segment, index * 4, ORDER, mask);
    }

    static void store(FloatVector vector, MemorySegment segment, long index) {
        vector.intoMemorySegment(segment, index * 4, ORDER);
    }

    static void store(FloatVector vector, MemorySegment segment, long index, VectorMask<Float> mask) {
        vector.intoMemorySegment(segment, index * 4, ORDER, mask);
    }

    /// The lanes below `limit - index`.
    static VectorMask<Float> upTo(int index, int limit) {
        return FLOATS.indexInRange(index, limit);
    }

    /// The sum of all lanes, by halves: always the same order of additions.
    static float sum(FloatVector v) {
        FloatVector s = v;
        if (COUNT >= 16) s = s.add(s.rearrange(BY_8));
        if (COUNT >= 8) s = s.add(s.rearrange(BY_4));
        if (COUNT >= 4) s = s.add(s.rearrange(BY_2));
        if (COUNT >= 2) s = s.add(s.rearrange(BY_1));
        return s.lane(0);
    }

    /// `e^x`, within 2 units in the last place; 0 below -87.3 and 2^127.x-ish saturation above 88.
    ///
    /// Cody-Waite reduction `x = n ln 2 + r`, then the polynomial for `e^r`, |r| <= ln 2 / 2 (coefficients 1/k!).
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.max(-87.3f).min(88.0f);
        // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer with exact operations only.
        FloatVector n = clamped.mul(LOG2_E).add(12582912f).sub(12582912f);
        FloatVector r = n.fma(broadcast(-LN2_HIGH), clamped);
        r = n.fma(broadcast(-LN2_LOW), r);
        FloatVector p = broadcast(1 / 5040f);
        p = p.fma(r, broadcast(1 / 720f));
        p = p.fma(r, broadcast(1 / 120f));
        p = p.fma(r, broadcast(1 / 24f));
        p = p.fma(r, broadcast(1 / 6f));
        p = p.fma(r, broadcast(0.5f));
        p = p.fma(r, broadcast(1f));
        p = p.fma(r, broadcast(1f));
        IntVector exponent = (IntVector) n.convertShape(VectorOperators.F2I, INTS, 0);
        FloatVector power = exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return p.mul(power).blend(0f, x.compare(VectorOperators.LT, -87.3f));
    }

    /// `tanh(x) = 1 - 2 / (e^2x + 1)`.
    static FloatVector tanh(FloatVector x) {
        FloatVector e = exp(x.max(-20f).min(20f).mul(2f));
        return broadcast(1f).sub(broadcast(2f).div(e.add(1f)));
    }

    /// `0.5 erfc(x)` for `x >= 0`, within 1.5e-7.
    ///
    /// Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26.
    static FloatVector halfErfc(FloatVector x) {
        FloatVector t = broadcast(1f).div(x.mul(0.3275911f).add(1f));
        FloatVector p = broadcast(1.061405429f);
        p = p.fma(t, broadcast(-1.453152027f));
        p = p.fma(t, broadcast(1.421413741f));
        p = p.fma(t, broadcast(-0.284496736f));
        p = p.fma(t, broadcast(0.254829592f));
        return p.mul(t).mul(exp(x.mul(x).neg())).mul(0.5f);
    }

    /// `x / (1 + e^-x)`.
    static FloatVector silu(FloatVector x) {
        return x.div(exp(x.neg()).add(1f));
    }

    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }
}
