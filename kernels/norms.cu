// Normalisations, fused with what follows them in the model: see nocturne.tensor.Norms, whose methods they are.
// called by nocturne.cuda.CudaNorms, tested by NormsTwinTest
//
// A row is read from memory once and stays in registers until its result is written. Where every row begins at an
// aligned address and is a whole number of packs, a thread moves PACK neighbouring numbers with 16-byte accesses and
// without a branch, so that the loads of all its packs are under way together (WHOLE in the templates); else it moves
// the same numbers singly.
//
// Kernels exist for both storage types, name_f32 and name_bf16; all arithmetic is in float.

#include "modulation.cuh"

// ---- Packs of a row ----

// The PACK numbers of a row from column `first` on, those past its end 0.
template <bool WHOLE, class T>
DEVICE void take(const T* row, int first, int columns, float (&values)[PACK]) {
    if constexpr (WHOLE) {
        const bool inside = first < columns;
        load_pack(row + (inside ? first : 0), values);
#pragma unroll
        for (int i = 0; i < PACK; i++) values[i] = inside ? values[i] : 0.0f;
    } else {
#pragma unroll
        for (int i = 0; i < PACK; i++) values[i] = first + i < columns ? load(row, first + i) : 0.0f;
    }
}

// Writes those of PACK numbers that are columns of the row.
template <bool WHOLE, class T>
DEVICE void give(T* row, int first, int columns, const float (&values)[PACK]) {
    if constexpr (WHOLE) {
        if (first < columns) store_pack(row + first, values);
    } else {
#pragma unroll
        for (int i = 0; i < PACK; i++) {
            if (first + i < columns) store(row, first + i, values[i]);
        }
    }
}

// Whether all rows of `columns` numbers, the first at `rows`, can be moved in packs.
template <class T>
DEVICE bool is_whole(const T* rows, int columns) {
    return columns % PACK == 0 && is_aligned(rows);
}

// ---- A row in the registers of a block ----

// Packs that one thread holds. The same number stands in nocturne.cuda.CudaNorms, which counts the threads.
constexpr int PACKS = 4;
constexpr int ROW_THREADS = 384;

// The first column of a thread's pack: packs of neighbouring threads are neighbours.
DEVICE int column_of(int pack) {
    return PACK * (pack * blockDim.x + threadIdx.x);
}

template <bool WHOLE, class T>
DEVICE void take_row(const T* row, int columns, float (&values)[PACKS][PACK]) {
#pragma unroll
    for (int p = 0; p < PACKS; p++) take<WHOLE>(row, column_of(p), columns, values[p]);
}

// The sum of f over all numbers that a thread holds, as (pack, number in the pack).
template <class F>
DEVICE float sum_of_packs(F f) {
    float sum = 0.0f;
#pragma unroll
    for (int p = 0; p < PACKS; p++) {
#pragma unroll
        for (int i = 0; i < PACK; i++) sum += f(p, i);
    }
    return sum;
}

// ---- Layer norm and modulation ----
//
// With m(r) the modulation row of token r, mean and var those of the row x[r], var without Bessel's correction:
//     rstd[r] = 1 / sqrt(var + eps),   y[r, c] = (x[r, c] - mean) rstd (1 + scale[m(r), c]) + shift[m(r), c]
// source: "Layer Normalization", arXiv:1607.06450; adaLN of "Scalable Diffusion Models with Transformers",
// arXiv:2212.09748, section 3.2
//
// x, y          [map.batch * map.rows, columns]
// shift, scale  the parts of the modulation [M, width]: their row m begins at shift + m * width
// statistics    float [map.batch * map.rows, 2]: mean and rstd
//
// launch  grid rows, block whole warps with columns <= PACKS * PACK * block
// numeric the variance is that of the deviations from the mean, which are in registers: nothing cancels
template <bool WHOLE, class T>
DEVICE void layer_norm_row(const T* x, const T* shift, const T* scale, T* y, float* statistics, int columns,
                           float eps) {
    __shared__ float partials[MOST_WARPS];
    float values[PACKS][PACK];
    take_row<WHOLE>(x, columns, values);
    const float sum = sum_of_packs([&](int p, int i) { return values[p][i]; });
    const float mean = block_sum(sum, partials) / columns;
    const float squares = sum_of_packs([&](int p, int i) {
        values[p][i] -= mean;
        return column_of(p) + i < columns ? values[p][i] * values[p][i] : 0.0f;
    });
    const float rstd = rsqrtf(block_sum(squares, partials) / columns + eps);
    if (threadIdx.x == 0) {
        statistics[0] = mean;
        statistics[1] = rstd;
    }
#pragma unroll
    for (int p = 0; p < PACKS; p++) {
        float factor[PACK];
        float added[PACK];
        take<WHOLE>(scale, column_of(p), columns, factor);
        take<WHOLE>(shift, column_of(p), columns, added);
#pragma unroll
        for (int i = 0; i < PACK; i++) values[p][i] = fmaf(values[p][i] * rstd, 1.0f + factor[i], added[i]);
        give<WHOLE>(y, column_of(p), columns, values[p]);
    }
}

template <class T>
DEVICE void layer_norm_modulate(const T* x, const T* shift, const T* scale, T* y, float* statistics, int columns,
                                int width, float eps, RowMap map) {
    const bool whole = is_whole(x, columns) && is_whole(y, columns) && is_whole(shift, width) && is_whole(scale, width);
    const int row = blockIdx.x;
    const int64_t modulation = static_cast<int64_t>(map.modulation_row(row)) * width;
    const int64_t at = static_cast<int64_t>(row) * columns;
    statistics += 2 * static_cast<int64_t>(row);
    if (whole) layer_norm_row<true>(x + at, shift + modulation, scale + modulation, y + at, statistics, columns, eps);
    else layer_norm_row<false>(x + at, shift + modulation, scale + modulation, y + at, statistics, columns, eps);
}

BOUNDED_STORAGE_KERNELS(ROW_THREADS, 1, layer_norm_modulate,
                        (const T* x, const T* shift, const T* scale, T* y, float* statistics, int columns, int width,
                         float eps, int batch, int rows, int split, int tail),
                        (x, shift, scale, y, statistics, columns, width, eps, RowMap{batch, rows, split, tail}))

// ---- Its gradients ----
//
// With hat = (x - mean) rstd and g = dy (1 + scale):
//     dx = rstd (g - mean(g) - hat mean(g hat)),   dshift = sum_r dy,   dscale = sum_r dy hat
// The last two are the first stage of the modulation's gradient, see modulation.cuh: a block has a run of tokens, and
// each thread adds up one pack of columns over it. Several tokens are in registers at a time: enough bytes are under
// way although there are only as many blocks as runs.
//
// dx       [map.batch * map.rows, columns], added to if `accumulate` is not 0
// partial  float [runs, 2, columns]: dshift, then dscale
//
// launch  grid runs, block whole warps with columns <= PACK * block, at most GRADIENT_THREADS
// numeric sums over columns as in block_sums, over tokens in their order
constexpr int BYTES_OF_TOKENS = 64;  // that a thread reads of x, and as many of dy
constexpr int GRADIENT_THREADS = 512;

// Sums N numbers over the block at once: all threads receive the same bits. For whole warps that all come here.
//
// partials  shared memory, free again when this returns
template <int N>
DEVICE void block_sums(float (&values)[N], float (*partials)[N]) {
#pragma unroll
    for (int n = 0; n < N; n++) {
        values[n] = warp_sum(values[n]);
        if (lane_index() == 0) partials[warp_index()][n] = values[n];
        values[n] = 0.0f;
    }
    __syncthreads();
    for (unsigned warp = 0; warp < blockDim.x / WARP; warp++) {
#pragma unroll
        for (int n = 0; n < N; n++) values[n] += partials[warp][n];
    }
    __syncthreads();
}

// COUNT tokens from `row` on, for one pack of columns, whose sums over tokens are d_shift and d_scale.
template <bool WHOLE, int COUNT, class T>
DEVICE void layer_norm_rows_backward(const T* dy, const T* x, const T* scale, const float* statistics, T* dx,
                                     int columns, bool accumulate, int row, float (&d_shift)[PACK],
                                     float (&d_scale)[PACK]) {
    alignas(16) __shared__ float partials[MOST_WARPS][2 * COUNT];
    const int first = PACK * threadIdx.x;
    const int64_t at = static_cast<int64_t>(row) * columns;
    statistics += 2 * static_cast<int64_t>(row);
    dx += at;
    float g[COUNT][PACK];
    float hat[COUNT][PACK];
#pragma unroll
    for (int r = 0; r < COUNT; r++) {
        take<WHOLE>(dy + at + r * columns, first, columns, g[r]);
        take<WHOLE>(x + at + r * columns, first, columns, hat[r]);
    }
    // Read again for each token, because registers are scarcer than reads of what the cache holds.
    float factor[PACK];
    take<WHOLE>(scale, first, columns, factor);
    // For each token the sums over columns of g and of g hat.
    float sums[2 * COUNT] = {};
#pragma unroll
    for (int r = 0; r < COUNT; r++) {
        const float mean = statistics[2 * r];
        const float rstd = statistics[2 * r + 1];
#pragma unroll
        for (int i = 0; i < PACK; i++) {
            hat[r][i] = (hat[r][i] - mean) * rstd;
            d_shift[i] += g[r][i];
            d_scale[i] = fmaf(g[r][i], hat[r][i], d_scale[i]);
            g[r][i] *= 1.0f + factor[i];
            sums[2 * r] += g[r][i];
            sums[2 * r + 1] = fmaf(g[r][i], hat[r][i], sums[2 * r + 1]);
        }
    }
    block_sums(sums, partials);
#pragma unroll
    for (int r = 0; r < COUNT; r++) {
        const float rstd = statistics[2 * r + 1];
        const float mean_g = divide_approximate(sums[2 * r], columns);
        const float mean_g_hat = divide_approximate(sums[2 * r + 1], columns);
#pragma unroll
        for (int i = 0; i < PACK; i++) g[r][i] = rstd * (g[r][i] - mean_g - hat[r][i] * mean_g_hat);
    }
    if (accumulate) {
        // All loads before the first store, which the compiler must take for one that could change what they find.
#pragma unroll
        for (int r = 0; r < COUNT; r++) take<WHOLE>(dx + r * columns, first, columns, hat[r]);
#pragma unroll
        for (int r = 0; r < COUNT; r++) {
#pragma unroll
            for (int i = 0; i < PACK; i++) g[r][i] += hat[r][i];
        }
    }
#pragma unroll
    for (int r = 0; r < COUNT; r++) give<WHOLE>(dx + r * columns, first, columns, g[r]);
}

template <bool WHOLE, class T>
DEVICE void layer_norm_run_backward(const T* dy, const T* x, const T* scale, const float* statistics, T* dx,
                                    float* partial, int columns, bool accumulate, const Run& run) {
    float d_shift[PACK] = {};
    float d_scale[PACK] = {};
    int row = run.from;
    if constexpr (WHOLE) {
        constexpr int ROWS = BYTES_OF_TOKENS / (PACK * sizeof(T));
        for (; row + ROWS <= run.to; row += ROWS) {
            layer_norm_rows_backward<WHOLE, ROWS>(dy, x, scale, statistics, dx, columns, accumulate, row, d_shift,
                                                  d_scale);
        }
    }
    for (; row < run.to; row++) {
        layer_norm_rows_backward<WHOLE, 1>(dy, x, scale, statistics, dx, columns, accumulate, row, d_shift, d_scale);
    }
    const int first = PACK * threadIdx.x;
    give<WHOLE>(partial, first, columns, d_shift);
    give<WHOLE>(partial + columns, first, columns, d_scale);
}

template <class T>
DEVICE void layer_norm_modulate_backward(const T* dy, const T* x, const T* scale, const float* statistics, T* dx,
                                         float* partial, int columns, int width, int accumulate, RowMap map) {
    const bool whole = is_whole(dy, columns) && is_whole(x, columns) && is_whole(scale, width) && is_whole(dx, columns)
                       && is_aligned(partial);
    const Run run = run_at(map, blockIdx.x);
    scale += static_cast<int64_t>(run.modulation_row) * width;
    partial += static_cast<int64_t>(blockIdx.x) * 2 * columns;
    if (whole) {
        layer_norm_run_backward<true>(dy, x, scale, statistics, dx, partial, columns, accumulate != 0, run);
    } else {
        layer_norm_run_backward<false>(dy, x, scale, statistics, dx, partial, columns, accumulate != 0, run);
    }
}

BOUNDED_STORAGE_KERNELS(GRADIENT_THREADS, 1, layer_norm_modulate_backward,
                        (const T* dy, const T* x, const T* scale, const float* statistics, T* dx, float* partial,
                         int columns, int width, int accumulate, int batch, int rows, int split, int tail),
                        (dy, x, scale, statistics, dx, partial, columns, width, accumulate,
                         RowMap{batch, rows, split, tail}))

// ---- RMS norm ----
//
//     rstd[r] = 1 / sqrt(mean_c(x[r, c]^2) + eps),   y[r, c] = x[r, c] rstd weight[c]
// source: "Root Mean Square Layer Normalization", arXiv:1910.07467, equation 4
//
// x, y    [rows, columns]; y may be x
// weight  [columns]
//
// launch  grid rows, block whole warps with columns <= PACKS * PACK * block
template <bool WHOLE, class T>
DEVICE void rms_norm_row(const T* x, const T* weight, T* y, int columns, float eps) {
    __shared__ float partials[MOST_WARPS];
    float values[PACKS][PACK];
    take_row<WHOLE>(x, columns, values);
    const float squares = sum_of_packs([&](int p, int i) { return values[p][i] * values[p][i]; });
    const float rstd = rsqrtf(block_sum(squares, partials) / columns + eps);
#pragma unroll
    for (int p = 0; p < PACKS; p++) {
        float factor[PACK];
        take<WHOLE>(weight, column_of(p), columns, factor);
#pragma unroll
        for (int i = 0; i < PACK; i++) values[p][i] *= rstd * factor[i];
        give<WHOLE>(y, column_of(p), columns, values[p]);
    }
}

template <class T>
DEVICE void rms_norm(const T* x, const T* weight, T* y, int columns, float eps) {
    const bool whole = is_whole(x, columns) && is_whole(weight, columns) && is_whole(y, columns);
    const int64_t at = static_cast<int64_t>(blockIdx.x) * columns;
    if (whole) rms_norm_row<true>(x + at, weight, y + at, columns, eps);
    else rms_norm_row<false>(x + at, weight, y + at, columns, eps);
}

BOUNDED_STORAGE_KERNELS(ROW_THREADS, 1, rms_norm, (const T* x, const T* weight, T* y, int columns, float eps),
                        (x, weight, y, columns, eps))

// With g = dy weight: dx = rstd (g - x rstd^2 mean(g x)); rstd is computed again from x.
//
// dx  [rows, columns], added to if `accumulate` is not 0; may be dy
//
// launch  as rms_norm
template <bool WHOLE, class T>
DEVICE void rms_norm_row_backward(const T* dy, const T* x, const T* weight, T* dx, int columns, float eps,
                                  bool accumulate) {
    alignas(8) __shared__ float partials[MOST_WARPS][2];
    float values[PACKS][PACK];
    float g[PACKS][PACK];
    take_row<WHOLE>(x, columns, values);
    take_row<WHOLE>(dy, columns, g);
#pragma unroll
    for (int p = 0; p < PACKS; p++) {
        float factor[PACK];
        take<WHOLE>(weight, column_of(p), columns, factor);
#pragma unroll
        for (int i = 0; i < PACK; i++) g[p][i] *= factor[i];
    }
    float sums[2] = {sum_of_packs([&](int p, int i) { return values[p][i] * values[p][i]; }),
                     sum_of_packs([&](int p, int i) { return g[p][i] * values[p][i]; })};
    block_sums(sums, partials);
    const float rstd = rsqrtf(sums[0] / columns + eps);
    const float pull = sums[1] * rstd * rstd / columns;
#pragma unroll
    for (int p = 0; p < PACKS; p++) {
        float before[PACK] = {};
        if (accumulate) take<WHOLE>(dx, column_of(p), columns, before);
#pragma unroll
        for (int i = 0; i < PACK; i++) before[i] += rstd * (g[p][i] - values[p][i] * pull);
        give<WHOLE>(dx, column_of(p), columns, before);
    }
}

template <class T>
DEVICE void rms_norm_backward(const T* dy, const T* x, const T* weight, T* dx, int columns, float eps,
                              int accumulate) {
    const bool whole = is_whole(dy, columns) && is_whole(x, columns) && is_whole(weight, columns)
                       && is_whole(dx, columns);
    const int64_t at = static_cast<int64_t>(blockIdx.x) * columns;
    if (whole) rms_norm_row_backward<true>(dy + at, x + at, weight, dx + at, columns, eps, accumulate != 0);
    else rms_norm_row_backward<false>(dy + at, x + at, weight, dx + at, columns, eps, accumulate != 0);
}

BOUNDED_STORAGE_KERNELS(ROW_THREADS, 1, rms_norm_backward,
                        (const T* dy, const T* x, const T* weight, T* dx, int columns, float eps, int accumulate),
                        (dy, x, weight, dx, columns, eps, accumulate))

// ---- RMS norm and rotation of heads ----
//
// For head h of token i of sample b, at position offset + i of a joint sequence, with pairs (v[2j], v[2j+1]):
//     v = x rstd weight,   out[c] = v[c] cos[position, c] + v[c ^ 1] sin[position, c]
// source: "RoFormer", arXiv:2104.09864
//
// x         [batch * rows, heads * head_dim], head_dim even
// weight    [head_dim]
// cos, sin  float [joint, head_dim]: each angle's cosine twice; its sine twice, the first of a pair negated
// out       [batch * joint, heads * head_dim]
//
// launch  grid batch * rows, block (lanes, heads at a time) of whole warps with lanes a power of 2 up to 32 and
//         head_dim <= PACK * lanes: the lanes of a head share a warp, each has a pack of it
constexpr int HEAD_THREADS = 512;

// Which token a block has, and where its heads lie.
struct HeadRow {
    int position;
    int64_t separate;  // its first number among tokens that lie alone
    int64_t joint;     // and in the joint sequence

    DEVICE static HeadRow of_block(int rows, int offset, int joint_rows, int width) {
        const int row = blockIdx.x;
        const int position = offset + row % rows;
        return {position, static_cast<int64_t>(row) * width,
                (static_cast<int64_t>(row / rows) * joint_rows + position) * width};
    }
};

// The sum over the lanes of a head.
DEVICE float head_sum(float value) {
    for (int distance = blockDim.x / 2; distance > 0; distance /= 2) {
        value += __shfl_xor_sync(ALL_LANES, value, distance);
    }
    return value;
}

// The reciprocal root mean square of a head, of which this lane has `values`.
DEVICE float head_rstd(const float (&values)[PACK], int head_dim, float eps) {
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < PACK; i++) squares = fmaf(values[i], values[i], squares);
    return rsqrtf(head_sum(squares) / head_dim + eps);
}

template <bool WHOLE, class T>
DEVICE void rotate_heads(const T* x, const T* weight, const float* cos, const float* sin, T* out, int heads,
                         int head_dim, float eps) {
    const int first = PACK * threadIdx.x;
    float factor[PACK];
    float cosine[PACK];
    float sine[PACK];
    take<WHOLE>(weight, first, head_dim, factor);
    take<WHOLE>(cos, first, head_dim, cosine);
    take<WHOLE>(sin, first, head_dim, sine);
    // Lanes without a head, too, come to every sum.
    for (int top = 0; top < heads; top += blockDim.y) {
        const int head = top + threadIdx.y;
        const int at = min(head, heads - 1) * head_dim;
        float values[PACK];
        take<WHOLE>(x + at, first, head_dim, values);
        const float rstd = head_rstd(values, head_dim, eps);
#pragma unroll
        for (int i = 0; i < PACK; i++) values[i] *= rstd * factor[i];
        float turned[PACK];
#pragma unroll
        for (int i = 0; i < PACK; i++) turned[i] = fmaf(values[i ^ 1], sine[i], values[i] * cosine[i]);
        if (head < heads) give<WHOLE>(out + at, first, head_dim, turned);
    }
}

template <class T>
DEVICE void head_norm_rotate(const T* x, const T* weight, const float* cos, const float* sin, T* out, int heads,
                             int head_dim, int rows, int offset, int joint_rows, float eps) {
    const bool whole = is_whole(x, head_dim) && is_aligned(weight) && is_aligned(cos) && is_aligned(sin)
                       && is_aligned(out);
    const HeadRow row = HeadRow::of_block(rows, offset, joint_rows, heads * head_dim);
    const int64_t angles = static_cast<int64_t>(row.position) * head_dim;
    x += row.separate;
    out += row.joint;
    if (whole) rotate_heads<true>(x, weight, cos + angles, sin + angles, out, heads, head_dim, eps);
    else rotate_heads<false>(x, weight, cos + angles, sin + angles, out, heads, head_dim, eps);
}

BOUNDED_STORAGE_KERNELS(HEAD_THREADS, 1, head_norm_rotate,
                        (const T* x, const T* weight, const float* cos, const float* sin, T* out, int heads,
                         int head_dim, int rows, int offset, int joint_rows, float eps),
                        (x, weight, cos, sin, out, heads, head_dim, rows, offset, joint_rows, eps))

// Each pair turned back by its angle, dv[c] = dOut[c] cos[c] + dOut[c ^ 1] sin[c ^ 1], then RMS norm's gradient:
// with g = dv weight, dx = rstd (g - x rstd^2 mean(g x)).
//
// d_out  as out above
// dx     as x above, overwritten
//
// launch  as head_norm_rotate
template <bool WHOLE, class T>
DEVICE void rotate_heads_backward(const T* d_out, const T* x, const T* weight, const float* cos, const float* sin,
                                  T* dx, int heads, int head_dim, float eps) {
    const int first = PACK * threadIdx.x;
    float factor[PACK];
    float cosine[PACK];
    float sine[PACK];
    take<WHOLE>(weight, first, head_dim, factor);
    take<WHOLE>(cos, first, head_dim, cosine);
    take<WHOLE>(sin, first, head_dim, sine);
    for (int top = 0; top < heads; top += blockDim.y) {
        const int head = top + threadIdx.y;
        const int at = min(head, heads - 1) * head_dim;
        float values[PACK];
        float turned[PACK];
        take<WHOLE>(x + at, first, head_dim, values);
        take<WHOLE>(d_out + at, first, head_dim, turned);
        const float rstd = head_rstd(values, head_dim, eps);
        float g[PACK];
        float dot = 0.0f;
#pragma unroll
        for (int i = 0; i < PACK; i++) {
            g[i] = fmaf(turned[i], cosine[i], turned[i ^ 1] * sine[i ^ 1]) * factor[i];
            dot = fmaf(g[i], values[i], dot);
        }
        const float pull = head_sum(dot) * rstd * rstd / head_dim;
#pragma unroll
        for (int i = 0; i < PACK; i++) g[i] = rstd * (g[i] - values[i] * pull);
        if (head < heads) give<WHOLE>(dx + at, first, head_dim, g);
    }
}

template <class T>
DEVICE void head_norm_rotate_backward(const T* d_out, const T* x, const T* weight, const float* cos, const float* sin,
                                      T* dx, int heads, int head_dim, int rows, int offset, int joint_rows,
                                      float eps) {
    const bool whole = is_whole(x, head_dim) && is_aligned(weight) && is_aligned(cos) && is_aligned(sin)
                       && is_aligned(d_out) && is_aligned(dx);
    const HeadRow row = HeadRow::of_block(rows, offset, joint_rows, heads * head_dim);
    const int64_t angles = static_cast<int64_t>(row.position) * head_dim;
    d_out += row.joint;
    x += row.separate;
    dx += row.separate;
    if (whole) rotate_heads_backward<true>(d_out, x, weight, cos + angles, sin + angles, dx, heads, head_dim, eps);
    else rotate_heads_backward<false>(d_out, x, weight, cos + angles, sin + angles, dx, heads, head_dim, eps);
}

BOUNDED_STORAGE_KERNELS(HEAD_THREADS, 1, head_norm_rotate_backward,
                        (const T* d_out, const T* x, const T* weight, const float* cos, const float* sin, T* dx,
                         int heads, int head_dim, int rows, int offset, int joint_rows, float eps),
                        (d_out, x, weight, cos, sin, dx, heads, head_dim, rows, offset, joint_rows, eps))
