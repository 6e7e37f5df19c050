// Random numbers that are a function of seed, stream and position: nocturne.tensor.Philox on the device.
// called by nocturne.cuda.CudaNoise, tested by NoiseTwinTest

#include "device.cuh"

// One block of the cipher Philox4x32-10: four words from a counter of four words, least significant first, and a key.
// source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011
DEVICE uint4 philox(uint4 counter, uint2 key) {
    constexpr int ROUNDS = 10;
    constexpr uint32_t MULTIPLIER_0 = 0xd2511f53u;
    constexpr uint32_t MULTIPLIER_1 = 0xcd9e8d57u;
    // Steps of the key: golden ratio, and square root of 3 less 1.
    constexpr uint32_t WEYL_0 = 0x9e3779b9u;
    constexpr uint32_t WEYL_1 = 0xbb67ae85u;
    for (int round = 0; round < ROUNDS; round++) {
        counter = make_uint4(__umulhi(MULTIPLIER_1, counter.z) ^ counter.y ^ key.x, MULTIPLIER_1 * counter.z,
                             __umulhi(MULTIPLIER_0, counter.x) ^ counter.w ^ key.y, MULTIPLIER_0 * counter.x);
        key.x += WEYL_0;
        key.y += WEYL_1;
    }
    return counter;
}

// The sine and cosine of an angle in [0, 2 pi], within 2 units in the last place: the angle less the nearest multiple
// of pi / 2, then Taylor's series, whose next terms are below 2^-58. CUDA's own functions are prepared for angles that
// are so large that finding their place on the circle takes memory.
DEVICE void sine_and_cosine(double angle, double& sine, double& cosine) {
    constexpr double TWO_OVER_PI = 0.6366197723675814;
    constexpr double HALF_PI = 1.5707963267948966;
    constexpr double HALF_PI_REST = 6.123233995736766e-17;
    constexpr int TERMS = 8;
    const double quarter = rint(angle * TWO_OVER_PI);
    const double rest = fma(-quarter, HALF_PI_REST, fma(-quarter, HALF_PI, angle));
    // The series as 1 - x / (2 * 3) (1 - x / (4 * 5) (...)) and 1 - x / (1 * 2) (1 - x / (3 * 4) (...)), x = rest^2.
    const double square = rest * rest;
    double s = 1.0;
    double c = 1.0;
#pragma unroll
    for (int k = 2 * TERMS; k > 0; k -= 2) {
        s = fma(-square * (1.0 / (k * (k + 1))), s, 1.0);
        c = fma(-square * (1.0 / ((k - 1) * k)), c, 1.0);
    }
    s *= rest;
    const int quadrant = static_cast<int>(quarter) % 4;
    const bool across = quadrant % 2 != 0;
    sine = across ? c : s;
    cosine = across ? s : c;
    if (quadrant == 2 || quadrant == 3) sine = -sine;
    if (quadrant == 1 || quadrant == 2) cosine = -cosine;
}

constexpr double TWO_TO_MINUS_32 = 1.0 / 4294967296.0;
constexpr double TWO_PI = 6.283185307179586;

// Two standard normal numbers from two words, by Box and Muller. The first word is read as a number in (0, 1], the
// second as one in [0, 1).
DEVICE void normal_pair(uint32_t for_radius, uint32_t for_angle, float& even, float& odd) {
    const double radius = sqrt(-2.0 * log((for_radius + 1.0) * TWO_TO_MINUS_32));
    double sine;
    double cosine;
    sine_and_cosine(TWO_PI * (for_angle * TWO_TO_MINUS_32), sine, cosine);
    even = static_cast<float>(radius * cosine);
    odd = static_cast<float>(radius * sine);
}

// y[i] = the standard normal number at position first + i
//
// first  an unsigned number, like seed and stream
//
// launch  grid ceil((first % 4 + count) / 4 / block), block any: a thread has one block of the cipher
// numeric in double, as on the CPU, but with a logarithm, sine and cosine whose last bits are others: fewer than one
//         float in ten million differs, by one unit in its last place
template <class T>
DEVICE void philox_normal(T* y, int64_t seed, int64_t stream, int64_t first, int64_t count) {
    // Positions have 64 bits and go on with 0 after the largest.
    constexpr uint64_t BLOCKS = uint64_t{1} << 62;
    constexpr int WORDS = 4;
    const uint64_t position = static_cast<uint64_t>(first);
    const int64_t thread = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int64_t at = WORDS * thread - static_cast<int64_t>(position % WORDS);
    if (at >= count) return;
    const uint64_t block = (position / WORDS + static_cast<uint64_t>(thread)) % BLOCKS;
    const uint64_t key = static_cast<uint64_t>(seed);
    const uint64_t upper = static_cast<uint64_t>(stream);
    const uint4 words = philox(make_uint4(static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                                          static_cast<uint32_t>(upper), static_cast<uint32_t>(upper >> 32)),
                               make_uint2(static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)));
    float normal[WORDS];
    normal_pair(words.x, words.y, normal[0], normal[1]);
    normal_pair(words.z, words.w, normal[2], normal[3]);
#pragma unroll
    for (int i = 0; i < WORDS; i++) {
        if (at + i >= 0 && at + i < count) store(y, at + i, normal[i]);
    }
}

STORAGE_KERNELS(philox_normal, (T* y, int64_t seed, int64_t stream, int64_t first, int64_t count),
                (y, seed, stream, first, count))
