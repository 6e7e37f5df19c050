// Convolutions and norms of the autoencoder. See nocturne.tensor.Convolution: pictures are channels-last.
// called by nocturne.cuda.CudaConvolution, tested by ConvolutionTwinTest

#include "float_tiles.cuh"
#include "operands.cuh"

// ---- 3x3 convolution ----
//
// y[p, o] = bias[o] + sum over taps and channels of weight[o, tap, i] x[p + tap, i] (+ y[p, o])
//
// This is a product of [pixels, 9 in] by [9 in, out] whose left operand is never stored: neighbourhoods are gathered on
// their way into shared memory.

constexpr int TAPS_ABREAST = 3;
constexpr int TAPS = 9;

// Where a neighbourhood begins in the grid that taps count in; outside of the picture there are zeros.
struct Corner {
    int top;
    int left;
};

// A picture [height * width, channels] and how a grid of results lies on it, nocturne.tensor.Convolution.Grid:
//     grid    step  border  enlarged
//     SAME    1     1       0
//     HALF    2     0       0
//     DOUBLE  1     1       1         taps count in the picture enlarged twice
template <class T>
struct Picture {
    const T* numbers;
    int height;
    int width;
    int channels;
    int step;
    int border;
    int enlarged;

    DEVICE int results_abreast() const {
        return (width << enlarged) / step;
    }

    DEVICE int results() const {
        return (height << enlarged) / step * results_abreast();
    }

    DEVICE Corner corner(int result) const {
        const int row = result / results_abreast();
        return {row * step - border, (result - row * results_abreast()) * step - border};
    }

    // The index of channel 0 of the pixel that a tap of a neighbourhood falls on; -1 outside of the picture.
    DEVICE int64_t index_of(Corner corner, int tap) const {
        const int y = corner.top + tap / TAPS_ABREAST;
        const int x = corner.left + tap % TAPS_ABREAST;
        if (y < 0 || x < 0 || y >= height << enlarged || x >= width << enlarged) return -1;
        return (static_cast<int64_t>(y >> enlarged) * width + (x >> enlarged)) * channels;
    }

    // Number `number` of a neighbourhood, channels inside of taps.
    DEVICE float number_of(Corner corner, int number) const {
        const int tap = number / channels;
        const int64_t pixel = index_of(corner, tap);
        return pixel < 0 ? 0.0f : load(numbers, pixel + (number - tap * channels));
    }
};

typedef Tiling<128, 96, 32, 48> PictureTiling;

// Brings a chunk of a neighbourhood, zeros behind its end.
//
// direct  whether a chunk lies in one pixel and can be copied as it is
DEVICE void copy_chunk(unsigned char* to, const Picture<bf16>& picture, Corner corner, int number, bool direct) {
    if (direct) {
        const int tap = number / picture.channels;
        const int64_t pixel = tap < TAPS ? picture.index_of(corner, tap) : -1;
        const int64_t index = pixel < 0 ? 0 : pixel + (number - tap * picture.channels);
        copy_async_16(to, picture.numbers + index, pixel >= 0);
        return;
    }
    // Not unrolled: it is rare, and would drown the common path.
#pragma unroll 1
    for (int i = 0; i < PACK; i++) {
        const bool inside = number + i < TAPS * picture.channels;
        store(reinterpret_cast<bf16*>(to), i, inside ? picture.number_of(corner, number + i) : 0.0f);
    }
}

// x, y    [pixels, in], [results, out]; not the same
// weight  [out, 9 in]
// bias    [out]
// add     whether y is added to (1) or overwritten (0)
//
// launch  grid (tiles of y), block and shared memory as PictureTiling says: see nocturne.cuda.CudaConvolution
// numeric products of bf16 are exact, sums in float, one rounding where y is stored
BOUNDED_KERNEL(PictureTiling::THREADS, 2, convolve3x3_bf16, const bf16* x, int height, int width, int in, int step,
               int border, int enlarged, const bf16* weight, const bf16* bias, int add, bf16* y, int out) {
    DYN_SHARED(unsigned char, memory);
    __shared__ Corner corners[PictureTiling::ROWS];
    const Picture<bf16> picture{x, height, width, in, step, border, enlarged};
    const int results = picture.results();
    const TilePlace tile = place_of_tile<PictureTiling>(results, out);
    for (int i = threadIdx.x; i < PictureTiling::ROWS; i += PictureTiling::THREADS) {
        // Behind the last result: a neighbourhood that lies outside of the picture.
        corners[i] = tile.row + i < results ? picture.corner(tile.row + i) : Corner{-TAPS, -TAPS};
    }
    __syncthreads();
    const bool direct = in % PACK == 0 && is_aligned(x);
    const int depth = TAPS * in;
    const Matrix kernels(weight, false, out, depth);
    float sums[PictureTiling::DOWN][PictureTiling::ACROSS][4] = {};
    const auto load = [&](int stage, int stage_step) {
        const int from = stage_step * DEPTH;
        fill_tile<PictureTiling, PictureTiling::ROWS, DEEP_CHUNKS>(PictureTiling::left(memory, stage),
            [&](unsigned char* chunk, int line, int i) {
                copy_chunk(chunk, picture, corners[line], from + i * PACK, direct);
            });
        fill_tile<PictureTiling, PictureTiling::COLUMNS, DEEP_CHUNKS>(PictureTiling::right(memory, stage),
            [&](unsigned char* chunk, int line, int i) {
                kernels.copy_chunk(chunk, tile.column + line, from + i * PACK);
            });
    };
    const auto multiply = [&](int stage) {
        multiply_stage<PictureTiling, true, true, MultiplyBf16>(sums, memory, stage);
    };
    run_stages((depth + DEPTH - 1) / DEPTH, load, multiply);
    const Result result{y, false, false, results, out, 1.0f, add ? 1.0f : 0.0f, {bias, false}};
    for_each_pack<PictureTiling>(sums, memory, [&](int row, int column, const float* packed) {
        result.put_pack(tile.row + row, tile.column + column, packed);
    });
}

// The same in float.
//
// launch  grid (ceil(results / 64), ceil(out / 64)), block 256
BOUNDED_KERNEL(FLOAT_THREADS, 2, convolve3x3_f32, const float* x, int height, int width, int in, int step, int border,
               int enlarged, const float* weight, const float* bias, int add, float* y, int out) {
    const Picture<float> picture{x, height, width, in, step, border, enlarged};
    const int depth = TAPS * in;
    const Result result{y, true, false, picture.results(), out, 1.0f, add ? 1.0f : 0.0f, {bias, true}};
    multiply_floats(result.rows, out, depth, true, true,
        [&](int row, int number) { return picture.number_of(picture.corner(row), number); },
        [&](int column, int number) { return weight[static_cast<int64_t>(column) * depth + number]; },
        [&](int row, int column, float sum) { result.put(row, column, sum); });
}

// ---- channel_norm ----
//
// y[p, c] = x[p, c] / max(length of x[p], 1e-12) sqrt(channels) gamma[c], then y sigmoid(y) where `silu`
//
// x, y    [pixels, channels]; y may be x
// gamma   [channels]
//
// launch  grid ceil(pixels / (block / 32)), block a multiple of 32: one warp owns one pixel
// numeric squares summed in float
constexpr float SHORTEST = 1e-12f;

// A pixel's number after scaling by its length.
DEVICE float normed(float value, float scale, float gamma, bool silu) {
    const float scaled = value * scale * gamma;
    return silu ? scaled * sigmoid(scaled) : scaled;
}

template <class T>
DEVICE void channel_norm(const T* x, const T* gamma, int silu, T* y, int64_t pixels, int channels) {
    const int64_t pixel = static_cast<int64_t>(blockIdx.x) * (blockDim.x / WARP) + warp_index();
    if (pixel >= pixels) return;  // A whole warp leaves together.
    const T* from = x + pixel * channels;
    T* to = y + pixel * channels;
    const bool packs = channels % PACK == 0 && is_aligned(x) && is_aligned(y) && is_aligned(gamma);
    const int each = packs ? PACK : 1;
    float squares = 0.0f;
    for (int c = lane_index() * each; c < channels; c += WARP * each) {
        float values[PACK] = {};
        if (packs) load_pack(from + c, values);
        else values[0] = load(from, c);
        for (float value : values) squares = fmaf(value, value, squares);
    }
    const float scale = sqrtf(static_cast<float>(channels)) / fmaxf(sqrtf(warp_sum(squares)), SHORTEST);
    // A lane rewrites what it read itself, so y may be x.
    for (int c = lane_index() * each; c < channels; c += WARP * each) {
        if (!packs) {
            store(to, c, normed(load(from, c), scale, load(gamma, c), silu != 0));
            continue;
        }
        float values[PACK];
        float factors[PACK];
        load_pack(from + c, values);
        load_pack(gamma + c, factors);
        for (int i = 0; i < PACK; i++) values[i] = normed(values[i], scale, factors[i], silu != 0);
        store_pack(to + c, values);
    }
}

STORAGE_KERNELS(channel_norm, (const T* x, const T* gamma, int silu, T* y, int64_t pixels, int channels),
                (x, gamma, silu, y, pixels, channels))
