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

    /// All memory as one segment. Going through each tensor's own segment costs a liveness check and a bounds check at
    /// every access, and so many nodes that the compiler stops inlining and makes every vector an object. The shapes
    /// are checked before a kernel starts, as they are for BLAS, which is given bare addresses too.
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final VectorShuffle<Float> BY_8 = rotation(8);
    private static final VectorShuffle<Float> BY_4 = rotation(4);
    private static final VectorShuffle<Float> BY_2 = rotation(2);
    private static final VectorShuffle<Float> BY_1 = rotation(1);

    // A sum that grows in a loop must start from FloatVector.zero, not from a constant: a vector that may be an object
    // on one way into the loop is an object on every way round it.
    //
    // Constants as vectors: made from a scalar at each use, they would cost the compiler so much that it no longer
    // inlines the loops around them, and then every vector becomes an object.
    static final FloatVector ZERO = FloatVector.zero(FLOATS);
    static final FloatVector HALF = broadcast(0.5f);
    static final FloatVector ONE = broadcast(1f);
    static final FloatVector TWO = broadcast(2f);

    private static final FloatVector LOG2_E = broadcast(1.44269504f);
    // ln 2 in two parts, the first with few enough bits that n * LN2_HIGH is exact.
    private static final FloatVector MINUS_LN2_HIGH = broadcast(-0.693145752f);
    private static final FloatVector MINUS_LN2_LOW = broadcast(-1.42860677e-6f);
    private static final FloatVector ROUNDER = broadcast(12582912f);
    private static final FloatVector EXP_LEAST = broadcast(-87.3f);
    private static final FloatVector EXP_MOST = broadcast(88.0f);
    private static final FloatVector C3 = broadcast(1 / 6f);
    private static final FloatVector C4 = broadcast(1 / 24f);
    private static final FloatVector C5 = broadcast(1 / 120f);
    private static final FloatVector C6 = broadcast(1 / 720f);
    private static final FloatVector C7 = broadcast(1 / 5040f);

    private Lanes() {}

    private static VectorShuffle<Float> rotation(int by) {
        return VectorShuffle.fromOp(FLOATS, lane -> (lane + by) % COUNT);
    }

    /// @param index in floats, not bytes
    static FloatVector load(MemorySegment segment, long index) {
        return FloatVector.fromMemorySegment(FLOATS, MEMORY, segment.address() + index * 4, ORDER);
    }

    static FloatVector load(MemorySegment segment, long index, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(FLOATS, MEMORY, segment.address() + index * 4, ORDER, mask);
    }

    static void store(FloatVector vector, MemorySegment segment, long index) {
        vector.intoMemorySegment(MEMORY, segment.address() + index * 4, ORDER);
    }

    static void store(FloatVector vector, MemorySegment segment, long index, VectorMask<Float> mask) {
        vector.intoMemorySegment(MEMORY, segment.address() + index * 4, ORDER, mask);
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
        FloatVector clamped = x.max(EXP_LEAST).min(EXP_MOST);
        // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer with exact operations only.
        FloatVector n = clamped.mul(LOG2_E).add(ROUNDER).sub(ROUNDER);
        FloatVector r = n.fma(MINUS_LN2_HIGH, clamped);
        r = n.fma(MINUS_LN2_LOW, r);
        FloatVector p = C7.fma(r, C6).fma(r, C5).fma(r, C4).fma(r, C3).fma(r, HALF).fma(r, ONE).fma(r, ONE);
        IntVector exponent = (IntVector) n.convertShape(VectorOperators.F2I, INTS, 0);
        FloatVector power = exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
        return p.mul(power).blend(ZERO, x.compare(VectorOperators.LT, EXP_LEAST));
    }

    /// `tanh(x) = 1 - 2 / (e^2x + 1)`; where [#exp] saturates the result is 1 or -1 already.
    static FloatVector tanh(FloatVector x) {
        return ONE.sub(TWO.div(exp(x.mul(TWO)).add(ONE)));
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
        return x.div(exp(x.neg()).add(ONE));
    }

    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }
}
