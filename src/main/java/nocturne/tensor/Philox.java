package nocturne.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.random.RandomGenerator;

/// Random numbers that are a pure function of seed, stream and position: nothing is remembered between draws.
///
/// A job that was killed and resumed, or that fills a tensor in other pieces, gets the same bits. Philox4x32-10
/// encrypts a 128-bit counter under a 64-bit key; here the key is the seed, the upper half of the counter is the
/// stream and the lower half counts blocks of four 32-bit words. The cipher is a bijection, so under one seed two
/// streams, or two blocks of one stream, never share a counter.
///
/// Every position names one word. [#bits], [#uniform] and [#below] read the word at their position, [#normal]
/// reads the pair of words that holds it; a stream should therefore serve one kind of draw. [#stream] gives each
/// purpose its own.
///
/// Logarithm, sine and cosine come from `StrictMath`, so that interpreter, compiler and machine do not matter.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
///
/// @param seed   the job's seed
/// @param stream which of the 2^64 sequences under this seed
public record Philox(long seed, long stream) {
    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    // Weyl sequence steps of the key schedule: golden ratio, and square root of 3 less 1.
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;

    private static final int WORDS = 4;
    private static final long WORD = 0xFFFFFFFFL;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    /// The sequence for one purpose at one place, such as `stream(seed, "noise", step, microBatch)`.
    ///
    /// Purpose and coordinates are hashed to 64 bits (FNV-1a, then the finaliser of SplitMix64 once a coordinate).
    /// Streams that differ in the last coordinate alone are always distinct; any other two coincide with
    /// probability 2^-64.
    public static Philox stream(long seed, String purpose, long... coordinates) {
        long hash = 0xCBF29CE484222325L;
        for (byte letter : purpose.getBytes(StandardCharsets.UTF_8)) hash = (hash ^ (letter & 0xFF)) * 0x100000001B3L;
        hash = mixed(hash + coordinates.length);
        for (long coordinate : coordinates) hash = mixed(hash + coordinate);
        return new Philox(seed, hash);
    }

    /// The 32-bit word at `position`; all 2^64 positions are valid.
    public int bits(long position) {
        int[] words = new int[WORDS];
        block(position >>> 2, stream, seed, words);
        return words[(int) position & 3];
    }

    /// A float in `[0, 1)`: the upper 24 bits of the word at `position`, so that every value is exact.
    public float uniform(long position) {
        return uniform(bits(position));
    }

    /// A standard normal number, by Box and Muller: an even position has the cosine, the next one the sine of the
    /// same pair of words. The largest magnitude possible is 6.7.
    public float normal(long position) {
        int[] words = new int[WORDS];
        block(position >>> 2, stream, seed, words);
        int pair = (int) position & 2;
        double radius = radius(words[pair]);
        double angle = angle(words[pair + 1]);
        return (float) (radius * ((position & 1) == 0 ? StrictMath.cos(angle) : StrictMath.sin(angle)));
    }

    /// A whole number in `[0, bound)`, every one equally likely.
    ///
    /// The upper half of `word * bound` is the result. The few words that would favour some results are rejected
    /// (probability below `bound / 2^32`); the retry reads the same position of a stream derived from this one, so
    /// the draw stays a function of the position. Source: Lemire, "Fast random integer generation in an interval",
    /// ACM TOMACS 29, 2019.
    ///
    /// @param bound greater than 0
    public int below(int bound, long position) {
        if (bound <= 0) throw new IllegalArgumentException("bound must be greater than 0, was " + bound);
        long rejected = (1L << 32) % bound;
        Philox source = this;
        while (true) {
            long product = (source.bits(position) & WORD) * bound;
            if ((product & WORD) >= rejected) return (int) (product >>> 32);
            source = new Philox(seed, mixed(source.stream + 1));
        }
    }

    /// Fills `out` with the uniform numbers at `firstPosition` and after.
    public void fillUniform(float[] out, long firstPosition) {
        fillUniform(MemorySegment.ofArray(out), 0, out.length, firstPosition);
    }

    /// Fills `count` floats of `out`, from element `offset` on, with the uniform numbers at `firstPosition` and after.
    public void fillUniform(MemorySegment out, long offset, long count, long firstPosition) {
        requireRoom(out, offset, count);
        int[] words = new int[WORDS];
        for (long i = 0; i < count; i++) {
            long position = firstPosition + i;
            if (i == 0 || (position & 3) == 0) block(position >>> 2, stream, seed, words);
            out.set(FLOAT, (offset + i) * Float.BYTES, uniform(words[(int) position & 3]));
        }
    }

    /// Fills `out` with the normal numbers at `firstPosition` and after.
    public void fillNormal(float[] out, long firstPosition) {
        fillNormal(MemorySegment.ofArray(out), 0, out.length, firstPosition);
    }

    /// Fills `count` floats of `out`, from element `offset` on, with the normal numbers at `firstPosition` and after.
    public void fillNormal(MemorySegment out, long offset, long count, long firstPosition) {
        requireRoom(out, offset, count);
        int[] words = new int[WORDS];
        double radius = 0;
        double angle = 0;
        for (long i = 0; i < count; i++) {
            long position = firstPosition + i;
            if (i == 0 || (position & 3) == 0) block(position >>> 2, stream, seed, words);
            if (i == 0 || (position & 1) == 0) {
                int pair = (int) position & 2;
                radius = radius(words[pair]);
                angle = angle(words[pair + 1]);
            }
            double side = (position & 1) == 0 ? StrictMath.cos(angle) : StrictMath.sin(angle);
            out.set(FLOAT, (offset + i) * Float.BYTES, (float) (radius * side));
        }
    }

    /// A view for code that wants a generator, such as a shuffle: it reads two words a `nextLong`, from `start` on.
    ///
    /// It counts its draws, so it is not safe for use by several threads and does not survive a resume; make a new one
    /// from a stream that names the place.
    public RandomGenerator asGenerator(long start) {
        return new Sequence(this, start);
    }

    /// One block of the cipher, as published: counter words from least to most significant, likewise the key's.
    static void block(long counterLow, long counterHigh, long key, int[] words) {
        int c0 = (int) counterLow;
        int c1 = (int) (counterLow >>> 32);
        int c2 = (int) counterHigh;
        int c3 = (int) (counterHigh >>> 32);
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * (c0 & WORD);
            long product1 = MULTIPLIER_1 * (c2 & WORD);
            c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
            c1 = (int) product1;
            c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
            c3 = (int) product0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
    }

    private static float uniform(int word) {
        return (word >>> 8) * 0x1p-24f;
    }

    /// Never the logarithm of 0: the word is read as a number in `(0, 1]`.
    private static double radius(int word) {
        return StrictMath.sqrt(-2 * StrictMath.log(((word & WORD) + 1) * 0x1p-32));
    }

    private static double angle(int word) {
        return 2 * Math.PI * ((word & WORD) * 0x1p-32);
    }

    /// SplitMix64: a bijection in which every input bit moves about half of the output bits.
    private static long mixed(long value) {
        value += 0x9E3779B97F4A7C15L;
        value = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        value = (value ^ (value >>> 27)) * 0x94D049BB133111EBL;
        return value ^ (value >>> 31);
    }

    private static void requireRoom(MemorySegment out, long offset, long count) {
        Objects.checkFromIndexSize(offset, count, out.byteSize() / Float.BYTES);
    }

    private static final class Sequence implements RandomGenerator {
        private final Philox words;
        private long position;

        Sequence(Philox words, long start) {
            this.words = words;
            this.position = start;
        }

        @Override
        public long nextLong() {
            long high = words.bits(position++);
            return high << 32 | words.bits(position++) & WORD;
        }

        /// The default one may differ between Java releases; this one is [Philox#normal]'s formula in double.
        @Override
        public double nextGaussian() {
            long pair = nextLong();
            return radius((int) (pair >>> 32)) * StrictMath.cos(angle((int) pair));
        }
    }
}
