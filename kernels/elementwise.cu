// Operations that touch each number once: see nocturne.tensor.Elementwise, whose methods they are.
// called by nocturne.cuda.CudaElementwise, tested by ElementwiseTwinTest
//
// Memory is all that counts here, so a thread moves PACK neighbouring numbers with 16-byte accesses where the addresses
// allow it, and singly at a ragged end or in a slice that begins elsewhere.
//
// Kernels exist for both storage types, name_f32 and name_bf16; all arithmetic is in float.

#include "modulation.cuh"

// The first of the PACK numbers that belong to this thread, in a one-dimensional grid over all numbers.
DEVICE int64_t first_of_thread() {
    return PACK * (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x);
}

// y[i] = f(x[i]); y may be x.
template <class T, class F>
DEVICE void map(const T* x, T* y, int64_t count, F f) {
    const int64_t first = first_of_thread();
    if (first + PACK <= count && is_aligned(x) && is_aligned(y)) {
        float values[PACK];
        load_pack(x + first, values);
        for (float& value : values) value = f(value);
        store_pack(y + first, values);
        return;
    }
    for (int64_t i = first; i < count && i < first + PACK; i++) store(y, i, f(load(x, i)));
}

// z[i] = f(x[i], y[i]); z may be x or y.
template <class T, class F>
DEVICE void map_pairs(const T* x, const T* y, T* z, int64_t count, F f) {
    const int64_t first = first_of_thread();
    if (first + PACK <= count && is_aligned(x) && is_aligned(y) && is_aligned(z)) {
        float left[PACK];
        float right[PACK];
        load_pack(x + first, left);
        load_pack(y + first, right);
        for (int i = 0; i < PACK; i++) left[i] = f(left[i], right[i]);
        store_pack(z + first, left);
        return;
    }
    for (int64_t i = first; i < count && i < first + PACK; i++) store(z, i, f(load(x, i), load(y, i)));
}

// ---- fill, add_scaled ----
//
// launch  grid ceil(count / (PACK * block)), block any

template <class T>
DEVICE void fill(T* target, float value, int64_t count) {
    const int64_t first = first_of_thread();
    if (first + PACK <= count && is_aligned(target)) {
        float values[PACK];
        for (float& each : values) each = value;
        store_pack(target + first, values);
        return;
    }
    for (int64_t i = first; i < count && i < first + PACK; i++) store(target, i, value);
}

STORAGE_KERNELS(fill, (T* target, float value, int64_t count), (target, value, count))

// y += a x
template <class T>
DEVICE void add_scaled(const T* x, float a, T* y, int64_t count) {
    map_pairs(x, y, y, count, [a](float added, float sum) { return fmaf(a, added, sum); });
}

STORAGE_KERNELS(add_scaled, (const T* x, float a, T* y, int64_t count), (x, a, y, count))

// ---- Activations ----
//
// launch  grid ceil(count / (PACK * block)), block any

constexpr float SQRT_2_OVER_PI = 0.7978845608f;
constexpr float CUBIC = 0.044715f;
constexpr float SQRT_1_OVER_2 = 0.70710678f;

// 0.5 (1 + tanh(u)) is sigmoid(2 u), which does not cancel: with u = sqrt(2 / pi) (x + 0.044715 x^3),
//     gelu(x) = x sigmoid(2 u)
// source: "Gaussian Error Linear Units", arXiv:1606.08415, the tanh form
DEVICE float gelu_weight(float x) {
    return sigmoid(2.0f * SQRT_2_OVER_PI * x * fmaf(CUBIC * x, x, 1.0f));
}

template <class T>
DEVICE void gelu_tanh(const T* x, T* y, int64_t count) {
    map(x, y, count, [](float value) { return value * gelu_weight(value); });
}

STORAGE_KERNELS(gelu_tanh, (const T* x, T* y, int64_t count), (x, y, count))

// With s = sigmoid(2 u): dx = dy (s + x s (1 - s) 2 u'),  u' = sqrt(2 / pi) (1 + 3 * 0.044715 x^2).
template <class T>
DEVICE void gelu_tanh_backward(const T* dy, const T* x, T* dx, int64_t count) {
    map_pairs(dy, x, dx, count, [](float gradient, float value) {
        const float s = gelu_weight(value);
        const float slope = 2.0f * SQRT_2_OVER_PI * fmaf(3.0f * CUBIC * value, value, 1.0f);
        return gradient * fmaf(value * slope, s * (1.0f - s), s);
    });
}

STORAGE_KERNELS(gelu_tanh_backward, (const T* dy, const T* x, T* dx, int64_t count), (dy, x, dx, count))

// y = 0.5 x (1 + erf(x / sqrt(2))) = 0.5 x erfc(-x / sqrt(2)), which keeps its digits where 1 + erf would cancel.
template <class T>
DEVICE void gelu_erf(const T* x, T* y, int64_t count) {
    map(x, y, count, [](float value) { return 0.5f * value * erfcf(-SQRT_1_OVER_2 * value); });
}

STORAGE_KERNELS(gelu_erf, (const T* x, T* y, int64_t count), (x, y, count))

template <class T>
DEVICE void silu(const T* x, T* y, int64_t count) {
    map(x, y, count, [](float value) { return value * sigmoid(value); });
}

STORAGE_KERNELS(silu, (const T* x, T* y, int64_t count), (x, y, count))

// y = silu(gate) up
template <class T>
DEVICE void swi_glu(const T* gate, const T* up, T* y, int64_t count) {
    map_pairs(gate, up, y, count, [](float g, float u) { return g * sigmoid(g) * u; });
}

STORAGE_KERNELS(swi_glu, (const T* gate, const T* up, T* y, int64_t count), (gate, up, y, count))

// ---- Conversions between storage types ----
//
// launch  grid ceil(count / (PACK * block)), block any

template <class From, class To>
DEVICE void cast(const From* x, To* y, int64_t count) {
    const int64_t first = first_of_thread();
    if (first + PACK <= count && is_aligned(x) && is_aligned(y)) {
        float values[PACK];
        load_pack(x + first, values);
        store_pack(y + first, values);
        return;
    }
    for (int64_t i = first; i < count && i < first + PACK; i++) store(y, i, load(x, i));
}

KERNEL(cast_f32_bf16, const float* x, bf16* y, int64_t count) {
    cast(x, y, count);
}

KERNEL(cast_bf16_f32, const bf16* x, float* y, int64_t count) {
    cast(x, y, count);
}

// ---- The gated residual ----
//
// out[r, c] = x[r, c] + gate[m(r), c] y[r, c], where m(r) is the modulation row of token r
//
// x, y, out  [map.batch * map.rows, columns]
// gate       the part of the modulation [M, width] that is the gate: its row m begins at gate + m * width
//
// launch  grid (rows, ceil(columns / (PACK * block))), block any
template <class T>
DEVICE void gated_residual(const T* x, const T* y, const T* gate, T* out, int columns, int width, RowMap map) {
    const int row = blockIdx.x;
    const T* gate_row = gate + static_cast<int64_t>(map.modulation_row(row)) * width;
    const int64_t offset = static_cast<int64_t>(row) * columns;
    const int first = PACK * (blockIdx.y * blockDim.x + threadIdx.x);
    if (first >= columns) return;
    if (first + PACK <= columns && is_aligned(x + offset) && is_aligned(y + offset) && is_aligned(gate_row)
        && is_aligned(out + offset)) {
        float sum[PACK];
        float added[PACK];
        float factor[PACK];
        load_pack(x + offset + first, sum);
        load_pack(y + offset + first, added);
        load_pack(gate_row + first, factor);
        for (int i = 0; i < PACK; i++) sum[i] = fmaf(factor[i], added[i], sum[i]);
        store_pack(out + offset + first, sum);
        return;
    }
    for (int c = first; c < columns && c < first + PACK; c++) {
        store(out, offset + c, fmaf(load(gate_row, c), load(y, offset + c), load(x, offset + c)));
    }
}

STORAGE_KERNELS(gated_residual,
                (const T* x, const T* y, const T* gate, T* out, int columns, int width, int batch, int rows, int split,
                 int tail),
                (x, y, gate, out, columns, width, RowMap{batch, rows, split, tail}))

// dy[r, c] = dOut[r, c] gate[m(r), c], and for each run of tokens partial[run, c] = sum_r dOut[r, c] y[r, c]: the first
// stage of the gate's gradient, see modulation.cuh.
//
// partial  float [runs, columns]
//
// launch  grid (runs, ceil(columns / (PACK * block))), block any
// numeric sums in float, in token order
template <class T>
DEVICE void gated_residual_backward(const T* d_out, const T* y, const T* gate, T* dy, float* partial, int columns,
                                    int width, RowMap map) {
    const Run run = run_at(map, blockIdx.x);
    const T* gate_row = gate + static_cast<int64_t>(run.modulation_row) * width;
    float* partial_row = partial + static_cast<int64_t>(blockIdx.x) * columns;
    const int first = PACK * (blockIdx.y * blockDim.x + threadIdx.x);
    if (first >= columns) return;
    // All rows are aligned where the first is and a row is a whole number of packs.
    if (columns % PACK == 0 && is_aligned(d_out) && is_aligned(y) && is_aligned(dy) && is_aligned(gate_row)
        && is_aligned(partial_row)) {
        float factor[PACK];
        load_pack(gate_row + first, factor);
        float sum[PACK] = {};
        for (int row = run.from; row < run.to; row++) {
            const int64_t at = static_cast<int64_t>(row) * columns + first;
            float gradient[PACK];
            float value[PACK];
            load_pack(d_out + at, gradient);
            load_pack(y + at, value);
            for (int i = 0; i < PACK; i++) {
                sum[i] = fmaf(gradient[i], value[i], sum[i]);
                gradient[i] *= factor[i];
            }
            store_pack(dy + at, gradient);
        }
        store_pack(partial_row + first, sum);
        return;
    }
    for (int c = first; c < columns && c < first + PACK; c++) {
        float sum = 0.0f;
        for (int row = run.from; row < run.to; row++) {
            const int64_t at = static_cast<int64_t>(row) * columns + c;
            const float gradient = load(d_out, at);
            sum = fmaf(gradient, load(y, at), sum);
            store(dy, at, gradient * load(gate_row, c));
        }
        partial_row[c] = sum;
    }
}

STORAGE_KERNELS(gated_residual_backward,
                (const T* d_out, const T* y, const T* gate, T* dy, float* partial, int columns, int width, int batch,
                 int rows, int split, int tail),
                (d_out, y, gate, dy, partial, columns, width, RowMap{batch, rows, split, tail}))

// The second stage: d_modulation[m, part p, c] += sum of partial[run, p, c] over the runs with modulation row m.
//
// partial       float [runs, parts, columns]
// d_modulation  [M, width]; part p begins at column first_part * columns for p = 0, second_part * columns for p = 1
//
// launch  grid (ceil(columns / 32), parts, M), block (32, SLICES): a slice of threads adds every SLICES-th run of a
//         sample, then the slices are added in their order
constexpr int SLICES = 8;

template <class T>
DEVICE void modulation_gradient(const float* partial, T* d_modulation, int columns, int width, int first_part,
                                int second_part, RowMap map) {
    __shared__ float slices[SLICES][WARP];
    const int part = blockIdx.y;
    const int parts = gridDim.y;
    const int modulation_row = blockIdx.z;
    const int column = blockIdx.x * WARP + threadIdx.x;
    float sum = 0.0f;
    if (column < columns) {
        const int runs = map.batch * runs_per_sample(map);
        for (int run = threadIdx.y; run < runs; run += SLICES) {
            if (run_at(map, run).modulation_row != modulation_row) continue;
            sum += partial[(static_cast<int64_t>(run) * parts + part) * columns + column];
        }
    }
    slices[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y != 0 || column >= columns) return;
    for (int slice = 1; slice < SLICES; slice++) sum += slices[slice][threadIdx.x];
    const int target = (part == 0 ? first_part : second_part) * columns + column;
    const int64_t at = static_cast<int64_t>(modulation_row) * width + target;
    store(d_modulation, at, load(d_modulation, at) + sum);
}

STORAGE_KERNELS(modulation_gradient,
                (const float* partial, T* d_modulation, int columns, int width, int first_part, int second_part,
                 int batch, int rows, int split, int tail),
                (partial, d_modulation, columns, width, first_part, second_part, RowMap{batch, rows, split, tail}))

// ---- Rotation of halves ----
//
// With v1, v2 the two halves of a head: y1 = v1 cos - v2 sin, y2 = v2 cos + v1 sin.
// source: "RoFormer", arXiv:2104.09864, with pairs (v[i], v[i + half])
//
// x, y      [rows, columns], columns a multiple of 2 * half; y may be x
// cos, sin  float [rows, half]
//
// launch  grid (rows, ceil(columns / 2 / block)), block any: a thread turns one pair
template <class T>
DEVICE void rotate_halves(const T* x, const float* cos, const float* sin, T* y, int columns, int half) {
    const int pair = blockIdx.y * blockDim.x + threadIdx.x;
    if (pair >= columns / 2) return;
    const int64_t row = blockIdx.x;
    const int64_t first = row * columns + pair / half * 2 * half + pair % half;
    const int64_t second = first + half;
    const float cosine = cos[row * half + pair % half];
    const float sine = sin[row * half + pair % half];
    const float v1 = load(x, first);
    const float v2 = load(x, second);
    store(y, first, v1 * cosine - v2 * sine);
    store(y, second, v2 * cosine + v1 * sine);
}

STORAGE_KERNELS(rotate_halves, (const T* x, const float* cos, const float* sin, T* y, int columns, int half),
                (x, cos, sin, y, columns, half))
