// The loss and the updates of trained parameters: see nocturne.tensor.Optimisation, whose methods they are.
// called by nocturne.cuda.CudaOptimisation, tested by OptimisationTwinTest
//
// Parameters, their gradients and moments are float32 always. The updates make the bits that nocturne.cpu makes: every
// operation is one of IEEE arithmetic, in the same order, and fused where it is fused there. So they say __fmul_rn and
// the like, which the compiler never contracts. A thread has one number at a time: neighbouring threads have
// neighbouring numbers, which keeps memory busy at any alignment.

#include "device.cuh"

// ---- Sums in double, in two stages ----
//
// The first stage gives each block PIECE numbers and writes a partial sum, the second, sum_pieces, adds up the partial
// sums. Both are always in the same order.

// Numbers of a piece, and threads of a block. The same numbers stand in nocturne.cuda.DoubleSums.
constexpr int PIECE = 4096;
constexpr int SUM_THREADS = 256;

// The sum over a block of SUM_THREADS threads; only the first thread's is the whole sum.
DEVICE double block_sum_of_doubles(double value) {
    __shared__ double sums[SUM_THREADS];
    sums[threadIdx.x] = value;
    for (unsigned count = SUM_THREADS / 2; count > 0; count /= 2) {
        __syncthreads();
        if (threadIdx.x < count) sums[threadIdx.x] += sums[threadIdx.x + count];
    }
    return sums[0];
}

// In double, where the square of a float is exact.
DEVICE double square(float value) {
    return static_cast<double>(value) * value;
}

// partial[piece] = sum of term(i), a double, over the i below `count` in this block's piece.
template <class F>
DEVICE void sum_piece(int64_t count, double* partial, F term) {
    const int64_t from = static_cast<int64_t>(blockIdx.x) * PIECE;
    const int64_t to = min(from + PIECE, count);
    double sum = 0.0;
    for (int64_t i = from + threadIdx.x; i < to; i += SUM_THREADS) sum += term(i);
    sum = block_sum_of_doubles(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// sums[b] = sum of the partial sums [b, 0 .. pieces)
//
// partial  double [gridDim.x, pieces]
//
// launch  grid sums, block SUM_THREADS
KERNEL(sum_pieces, const double* partial, double* sums, int pieces) {
    partial += static_cast<int64_t>(blockIdx.x) * pieces;
    double sum = 0.0;
    for (int piece = threadIdx.x; piece < pieces; piece += SUM_THREADS) sum += partial[piece];
    sum = block_sum_of_doubles(sum);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
}

// partial[piece] = sum of x[i]^2 in the piece
//
// launch  grid pieces, block SUM_THREADS
KERNEL(sum_of_squares, const float* x, double* partial, int64_t count) {
    sum_piece(count, partial, [x](int64_t i) { return square(x[i]); });
}

// ---- Losses ----
//
// Each for one sample, with d[i] = prediction[i] - target[i]: partial[piece] = the sum of the losses in the piece, and
// gradient[i] = weight slope(d[i]).
//
// target  float [count]
//
// launch  grid pieces, block SUM_THREADS
// numeric d and the gradient in float, the losses in double

// loss d^2, slope 2 d
template <class T>
DEVICE void squared_loss(const T* prediction, const float* target, T* gradient, double* partial, int64_t count,
                         float weight) {
    sum_piece(count, partial, [=](int64_t i) {
        const float difference = load(prediction, i) - target[i];
        store(gradient, i, 2.0f * weight * difference);
        return square(difference);
    });
}

STORAGE_KERNELS(squared_loss,
                (const T* prediction, const float* target, T* gradient, double* partial, int64_t count, float weight),
                (prediction, target, gradient, partial, count, weight))

// loss |d|, slope 1, 0 or -1
template <class T>
DEVICE void absolute_loss(const T* prediction, const float* target, T* gradient, double* partial, int64_t count,
                          float weight) {
    sum_piece(count, partial, [=](int64_t i) {
        const float difference = load(prediction, i) - target[i];
        // Neither above nor below 0 is 0 itself, and what is not a number: both stay what they are.
        const float sign = difference > 0.0f ? 1.0f : difference < 0.0f ? -1.0f : difference;
        store(gradient, i, weight * sign);
        return static_cast<double>(fabsf(difference));
    });
}

STORAGE_KERNELS(absolute_loss,
                (const T* prediction, const float* target, T* gradient, double* partial, int64_t count, float weight),
                (prediction, target, gradient, partial, count, weight))

// Where the pseudo-Huber loss turns from a parabola to a line; the same number stands in nocturne.tensor.Loss.
constexpr double HUBER_WIDTH = 0.01;

// loss sqrt(d^2 + c^2) - c, slope d / sqrt(d^2 + c^2), with c = HUBER_WIDTH
// source: "Improved Techniques for Training Consistency Models", arXiv:2310.14189, section 3.3, number by number
template <class T>
DEVICE void pseudo_huber_loss(const T* prediction, const float* target, T* gradient, double* partial, int64_t count,
                              float weight) {
    sum_piece(count, partial, [=](int64_t i) {
        const float difference = load(prediction, i) - target[i];
        const double squared = square(difference);
        const double root = sqrt(squared + HUBER_WIDTH * HUBER_WIDTH);
        store(gradient, i, weight * static_cast<float>(difference / root));
        // Not root - width, which would cancel where the difference is small.
        return squared / (root + HUBER_WIDTH);
    });
}

STORAGE_KERNELS(pseudo_huber_loss,
                (const T* prediction, const float* target, T* gradient, double* partial, int64_t count, float weight),
                (prediction, target, gradient, partial, count, weight))

// ---- Updates of parameters ----

DEVICE int64_t index_of_thread() {
    return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

// One step of AdamW with decoupled weight decay, with g = factor gradient:
//     m <- beta1 m + rest1 g,   v <- beta2 v + rest2 g^2,   p <- p decay - step_size (m / (sqrt(v) / correction + eps))
// source: "Decoupled Weight Decay Regularization", arXiv:1711.05101, algorithm 2
//
// launch  grid ceil(count / block), block any
// numeric the bits of nocturne.cpu.CpuOptimisation
KERNEL(adam_w, float* parameter, const float* gradient, float* m, float* v, int64_t count, float factor, float decay,
       float step_size, float correction, float beta1, float rest1, float beta2, float rest2, float eps) {
    const int64_t i = index_of_thread();
    if (i >= count) return;
    const float g = __fmul_rn(gradient[i], factor);
    const float first = __fadd_rn(__fmul_rn(m[i], beta1), __fmul_rn(g, rest1));
    const float second = __fadd_rn(__fmul_rn(v[i], beta2), __fmul_rn(__fmul_rn(g, g), rest2));
    const float denominator = __fadd_rn(__fdiv_rn(__fsqrt_rn(second), correction), eps);
    const float step = __fmul_rn(__fdiv_rn(first, denominator), step_size);
    parameter[i] = __fsub_rn(__fmul_rn(parameter[i], decay), step);
    m[i] = first;
    v[i] = second;
}

// average <- average - weight (average - value)
//
// launch  grid ceil(count / block), block any
// numeric the bits of nocturne.cpu.CpuOptimisation
KERNEL(move_towards, float* average, const float* value, int64_t count, float weight) {
    const int64_t i = index_of_thread();
    if (i < count) average[i] = fmaf(-weight, __fsub_rn(average[i], value[i]), average[i]);
}

// ---- AdamW with both moments in bytes ----

// Values that a byte can stand for.
constexpr int CODES = 256;
// Consecutive elements that share a largest value.
constexpr int MOMENT_BLOCK = 256;
constexpr int OF_LANE = MOMENT_BLOCK / WARP;
constexpr int MOMENT_THREADS = 256;

// Values ascend; limits[c] is the largest float that is nearer to the value of c than to that of c + 1, or as near,
// and the last limit is infinity; nocturne.cuda.MomentTables makes them.
struct MomentTable {
    float values[CODES];
    float limits[CODES];

    // The first code whose limit is not below the value.
    DEVICE uint8_t nearest(float value) const {
        int code = 0;
        for (int step = CODES / 2; step > 0; step /= 2) {
            if (limits[code + step - 1] < value) code += step;
        }
        return static_cast<uint8_t>(code);
    }

    // Brings a lane's part of a block to bytes.
    //
    // returns  the block's largest magnitude, to all lanes
    DEVICE float encode(const float (&moments)[OF_LANE], uint8_t* codes, int64_t first, int64_t count) const {
        float largest = 0.0f;
#pragma unroll
        for (int j = 0; j < OF_LANE; j++) largest = fmaxf(largest, fabsf(moments[j]));
        largest = warp_max(largest);
#pragma unroll
        for (int j = 0; j < OF_LANE; j++) {
            const float share = largest == 0.0f ? 0.0f : __fdiv_rn(moments[j], largest);
            if (first + j * WARP < count) codes[first + j * WARP] = nearest(share);
        }
        return largest;
    }
};

// The step of adam_w with moments m = m_table.values[m_codes] m_largest and v likewise. The parameters move by the new
// moments in float; these are then brought to bytes again: each block's largest magnitude, and for each element the
// code of the value nearest to its share of it.
// source: "8-bit Optimizers via Block-wise Quantization", arXiv:2110.02861
//
// tables              two MomentTables: the first moment's, and the second's, which has no negative values
// m_codes, v_codes    [count]
// m_largest, v_largest  float [ceil(count / MOMENT_BLOCK)]
//
// launch  grid ceil(count / (MOMENT_BLOCK * MOMENT_THREADS / WARP)), block MOMENT_THREADS: a warp has a block of the
//         moments, a lane every 32nd number of it
// shared  4 KB: the tables
// numeric the bits of nocturne.cpu.CpuAdamW8
BOUNDED_KERNEL(MOMENT_THREADS, 2, adam_w_8, float* parameter, const float* gradient, uint8_t* m_codes,
               uint8_t* v_codes, float* m_largest, float* v_largest, const float* tables, int64_t count, float factor,
               float decay, float step_size, float correction, float beta1, float rest1, float beta2, float rest2,
               float eps) {
    __shared__ MomentTable m_table;
    __shared__ MomentTable v_table;
    m_table.values[threadIdx.x] = tables[threadIdx.x];
    m_table.limits[threadIdx.x] = tables[CODES + threadIdx.x];
    v_table.values[threadIdx.x] = tables[2 * CODES + threadIdx.x];
    v_table.limits[threadIdx.x] = tables[3 * CODES + threadIdx.x];
    __syncthreads();
    const int64_t block = static_cast<int64_t>(blockIdx.x) * (MOMENT_THREADS / WARP) + warp_index();
    const int64_t first = block * MOMENT_BLOCK + lane_index();
    if (block * MOMENT_BLOCK >= count) return;
    float p[OF_LANE] = {};
    float g[OF_LANE] = {};
    float m[OF_LANE] = {};
    float v[OF_LANE] = {};
    // All loads before the first store, which the compiler must take for one that could change what they find.
#pragma unroll
    for (int j = 0; j < OF_LANE; j++) {
        const int64_t i = first + j * WARP;
        if (i >= count) continue;
        p[j] = parameter[i];
        g[j] = gradient[i];
        m[j] = m_table.values[m_codes[i]];
        v[j] = v_table.values[v_codes[i]];
    }
    const float m_unit = m_largest[block];
    const float v_unit = v_largest[block];
#pragma unroll
    for (int j = 0; j < OF_LANE; j++) {
        const int64_t i = first + j * WARP;
        g[j] = __fmul_rn(g[j], factor);
        m[j] = fmaf(rest1, g[j], __fmul_rn(beta1, __fmul_rn(m[j], m_unit)));
        v[j] = fmaf(__fmul_rn(rest2, g[j]), g[j], __fmul_rn(beta2, __fmul_rn(v[j], v_unit)));
        const float denominator = __fadd_rn(__fdiv_rn(__fsqrt_rn(v[j]), correction), eps);
        const float step = __fdiv_rn(__fmul_rn(step_size, m[j]), denominator);
        if (i < count) parameter[i] = __fsub_rn(__fmul_rn(p[j], decay), step);
    }
    const float m_most = m_table.encode(m, m_codes, first, count);
    const float v_most = v_table.encode(v, v_codes, first, count);
    if (lane_index() == 0) {
        m_largest[block] = m_most;
        v_largest[block] = v_most;
    }
}
