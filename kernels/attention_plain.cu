// Attention and its gradients in float, without tensor cores: see attention.cuh for formulas and parameters.
// called by nocturne.cuda.CudaAttention, tested by AttentionTwinTest
//
// For both storage types and any head_dim that fits shared memory: exact where tensors are float, and the way for bf16
// heads that attention.cu does not take, such as the single one of the picture encoder with 384 columns.
//
// A block of 16 x 16 threads owns 16 rows and meets the other side's rows 16 at a time. Tiles are float in shared
// memory, with pitch_of(head_dim) numbers from row to row. Thread (x, y) makes the score of the block's row y and the
// other side's row x; then it owns columns x, x + 16, .. of row y in the block's sums, which lie in shared memory too.

#include "attention.cuh"

namespace attention_plain {

constexpr int TILE = 16;
// The same for a tile of scores.
constexpr int SCORE_PITCH = TILE + 1;

// Odd, so that the same column of 16 rows lies in 16 banks.
DEVICE int pitch_of(int head_dim) {
    return head_dim | 1;
}

// Rows first .. first + TILE of a head; what is not there becomes zeros.
template <class T>
DEVICE void load_tile(float* tile, const HeadRows<const T>& head, int first) {
    float* to = tile + threadIdx.y * pitch_of(head.width);
    const int row = first + threadIdx.y;
    for (int c = threadIdx.x; c < head.width; c += TILE) to[c] = row < head.length ? load(head.row(row), c) : 0.0f;
}

DEVICE float dot(const float* a, const float* b, int count) {
    float sum = 0.0f;
    for (int c = 0; c < count; c++) sum = fmaf(a[c], b[c], sum);
    return sum;
}

// sum[c] = factor * sum[c] + sum_i weights[i] tile[i, c] for the thread's columns.
DEVICE void add_weighted_rows(float* sum, float factor, const float* weights, const float* tile, int width) {
    for (int c = threadIdx.x; c < width; c += TILE) {
        float total = factor * sum[c];
        for (int i = 0; i < TILE; i++) total = fmaf(weights[i], tile[i * pitch_of(width) + c], total);
        sum[c] = total;
    }
}

// Over the 16 threads that share a row, which are half a warp.
DEVICE float row_sum(float value) {
    for (int distance = TILE / 2; distance > 0; distance /= 2) value += __shfl_xor_sync(ALL_LANES, value, distance);
    return value;
}

DEVICE float row_max(float value) {
    for (int distance = TILE / 2; distance > 0; distance /= 2) {
        value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, distance));
    }
    return value;
}

// A key's bias; negative infinity for one behind the end.
DEVICE float bias_of(const float* key_bias, const Sequence& sequence, int key) {
    if (key >= sequence.length) return -infinity();
    return key_bias == nullptr ? 0.0f : key_bias[sequence.first + key];
}

// ---- Forward ----
//
// launch  grid (ceil(longest sequence / 16), heads, sequences), block (16, 16)
// shared  floats: 3 * 16 * pitch_of(head_dim) for queries, for keys and then values, and for sums; 16 * 17 for weights
template <class T>
DEVICE void attention_plain_forward(const T* q, const T* k, const T* v, const float* key_bias, const int* bounds, T* o,
                                    float* log_sum_exp, int rows, int heads, int kv_heads, int head_dim, float scale,
                                    int causal) {
    const int pitch = pitch_of(head_dim);
    DYN_SHARED(float, query_tile);
    float* tile = query_tile + TILE * pitch;
    float* sums = tile + TILE * pitch;
    float* weights = sums + TILE * pitch;

    const Sequence sequence = sequence_at(bounds, blockIdx.z);
    const int first_query = blockIdx.x * TILE;
    if (first_query >= sequence.length) return;
    const int head = blockIdx.y;
    const int key_head = head * kv_heads / heads;
    const HeadRows<const T> keys = head_rows(k, sequence, key_head, kv_heads, head_dim);
    const HeadRows<const T> values = head_rows(v, sequence, key_head, kv_heads, head_dim);
    const int query = first_query + threadIdx.y;
    const float* my_query = query_tile + threadIdx.y * pitch;
    float* my_sum = sums + threadIdx.y * pitch;
    float* my_weights = weights + threadIdx.y * SCORE_PITCH;

    load_tile(query_tile, head_rows(q, sequence, head, heads, head_dim), first_query);
    for (int c = threadIdx.x; c < head_dim; c += TILE) my_sum[c] = 0.0f;
    float greatest = -infinity();
    float weight_sum = 0.0f;
    const int end = causal ? min(sequence.length, first_query + TILE) : sequence.length;
    for (int first_key = 0; first_key < end; first_key += TILE) {
        // Nobody reads the last values any more.
        __syncthreads();
        load_tile(tile, keys, first_key);
        __syncthreads();
        const int key = first_key + threadIdx.x;
        float s = fmaf(scale, dot(my_query, tile + threadIdx.x * pitch, head_dim), bias_of(key_bias, sequence, key));
        if (causal && key > query) s = -infinity();
        const float most = fmaxf(greatest, row_max(s));
        // Where nothing was seen yet, any shift will do that keeps infinity from meeting itself.
        const float shift = most == -infinity() ? 0.0f : most;
        const float factor = expf(greatest - shift);
        const float weight = expf(s - shift);
        greatest = most;
        weight_sum = fmaf(factor, weight_sum, row_sum(weight));
        my_weights[threadIdx.x] = weight;
        // The weights are complete, and nobody reads the keys any more.
        __syncthreads();
        load_tile(tile, values, first_key);
        __syncthreads();
        add_weighted_rows(my_sum, factor, my_weights, tile, head_dim);
    }
    if (query >= sequence.length) return;
    const bool sees_nothing = weight_sum == 0.0f;
    const float factor = sees_nothing ? 0.0f : 1.0f / weight_sum;
    T* result = head_rows(o, sequence, head, heads, head_dim).row(query);
    for (int c = threadIdx.x; c < head_dim; c += TILE) store(result, c, factor * my_sum[c]);
    if (threadIdx.x != 0) return;
    head_statistics(log_sum_exp, sequence, head, rows)[query] = sees_nothing ? infinity() : greatest + logf(weight_sum);
}

STORAGE_KERNELS(attention_plain_forward,
                (const T* q, const T* k, const T* v, const float* key_bias, const int* bounds, T* o, float* log_sum_exp,
                 int rows, int heads, int kv_heads, int head_dim, float scale, int causal),
                (q, k, v, key_bias, bounds, o, log_sum_exp, rows, heads, kv_heads, head_dim, scale, causal))

// ---- The rows' do o ----
//
// delta[h, r] = sum_c do[r, h, c] o[r, h, c]
//
// launch  grid ceil(rows * heads / 8), block 256: a warp for each row of each head
template <class T>
DEVICE void attention_delta(const T* d_o, const T* o, float* delta, int rows, int heads, int head_dim) {
    const int64_t index = static_cast<int64_t>(blockIdx.x) * (blockDim.x / WARP) + warp_index();
    if (index >= static_cast<int64_t>(rows) * heads) return;
    const T* gradient = d_o + index * head_dim;
    const T* value = o + index * head_dim;
    float sum = 0.0f;
    if (head_dim % PACK == 0 && is_aligned(d_o) && is_aligned(o)) {
        for (int first = PACK * lane_index(); first < head_dim; first += PACK * WARP) {
            float left[PACK];
            float right[PACK];
            load_pack(gradient + first, left);
            load_pack(value + first, right);
            for (int i = 0; i < PACK; i++) sum = fmaf(left[i], right[i], sum);
        }
    } else {
        for (int c = lane_index(); c < head_dim; c += WARP) sum = fmaf(load(gradient, c), load(value, c), sum);
    }
    sum = warp_sum(sum);
    if (lane_index() == 0) delta[index % heads * rows + index / heads] = sum;
}

STORAGE_KERNELS(attention_delta, (const T* d_o, const T* o, float* delta, int rows, int heads, int head_dim),
                (d_o, o, delta, rows, heads, head_dim))

// ---- Gradients of keys and values ----
//
// launch  grid (ceil(longest sequence / 16), kv_heads, sequences), block (16, 16)
// shared  floats: 6 * 16 * pitch_of(head_dim) for keys, values, queries, do, and the two sums; 2 * 16 * 17 for P and ds
//
// The query heads of a group are taken one after another.
template <class T>
DEVICE void attention_plain_backward_keys(const T* d_o, const T* q, const T* k, const T* v, const float* key_bias,
                                          const int* bounds, const float* log_sum_exp, const float* delta, T* dk, T* dv,
                                          int rows, int heads, int kv_heads, int head_dim, float scale) {
    const int pitch = pitch_of(head_dim);
    DYN_SHARED(float, key_tile);
    float* value_tile = key_tile + TILE * pitch;
    float* query_tile = value_tile + TILE * pitch;
    float* d_o_tile = query_tile + TILE * pitch;
    float* dk_sums = d_o_tile + TILE * pitch;
    float* dv_sums = dk_sums + TILE * pitch;
    float* p = dv_sums + TILE * pitch;
    float* ds = p + TILE * SCORE_PITCH;

    const Sequence sequence = sequence_at(bounds, blockIdx.z);
    const int first_key = blockIdx.x * TILE;
    if (first_key >= sequence.length) return;
    const int key_head = blockIdx.y;
    const int key = first_key + threadIdx.y;
    const float bias = bias_of(key_bias, sequence, key);
    const int my_row = threadIdx.y * pitch;
    const int my_scores = threadIdx.y * SCORE_PITCH;

    load_tile(key_tile, head_rows(k, sequence, key_head, kv_heads, head_dim), first_key);
    load_tile(value_tile, head_rows(v, sequence, key_head, kv_heads, head_dim), first_key);
    for (int c = threadIdx.x; c < head_dim; c += TILE) dk_sums[my_row + c] = dv_sums[my_row + c] = 0.0f;
    const int group = heads / kv_heads;
    for (int head = key_head * group; head < (key_head + 1) * group; head++) {
        const HeadRows<const T> queries = head_rows(q, sequence, head, heads, head_dim);
        const HeadRows<const T> outers = head_rows(d_o, sequence, head, heads, head_dim);
        for (int first_query = 0; first_query < sequence.length; first_query += TILE) {
            // Nobody reads the last queries any more.
            __syncthreads();
            load_tile(query_tile, queries, first_query);
            load_tile(d_o_tile, outers, first_query);
            __syncthreads();
            const int query = first_query + threadIdx.x;
            float weight = 0.0f;
            float slope = 0.0f;
            if (query < sequence.length) {
                const float score = dot(key_tile + my_row, query_tile + threadIdx.x * pitch, head_dim);
                weight = expf(fmaf(scale, score, bias) - head_statistics(log_sum_exp, sequence, head, rows)[query]);
                slope = weight * (dot(value_tile + my_row, d_o_tile + threadIdx.x * pitch, head_dim)
                                  - head_statistics(delta, sequence, head, rows)[query]);
            }
            p[my_scores + threadIdx.x] = weight;
            ds[my_scores + threadIdx.x] = slope;
            __syncthreads();
            add_weighted_rows(dv_sums + my_row, 1.0f, p + my_scores, d_o_tile, head_dim);
            add_weighted_rows(dk_sums + my_row, 1.0f, ds + my_scores, query_tile, head_dim);
        }
    }
    if (key >= sequence.length) return;
    T* key_gradient = head_rows(dk, sequence, key_head, kv_heads, head_dim).row(key);
    T* value_gradient = head_rows(dv, sequence, key_head, kv_heads, head_dim).row(key);
    for (int c = threadIdx.x; c < head_dim; c += TILE) {
        store(key_gradient, c, scale * dk_sums[my_row + c]);
        store(value_gradient, c, dv_sums[my_row + c]);
    }
}

STORAGE_KERNELS(attention_plain_backward_keys,
                (const T* d_o, const T* q, const T* k, const T* v, const float* key_bias, const int* bounds,
                 const float* log_sum_exp, const float* delta, T* dk, T* dv, int rows, int heads, int kv_heads,
                 int head_dim, float scale),
                (d_o, q, k, v, key_bias, bounds, log_sum_exp, delta, dk, dv, rows, heads, kv_heads, head_dim, scale))

// ---- Gradient of queries ----
//
// launch  grid (ceil(longest sequence / 16), heads, sequences), block (16, 16)
// shared  floats: 5 * 16 * pitch_of(head_dim) for queries, do, keys, values and the sums; 16 * 17 for ds
template <class T>
DEVICE void attention_plain_backward_queries(const T* d_o, const T* q, const T* k, const T* v, const float* key_bias,
                                             const int* bounds, const float* log_sum_exp, const float* delta, T* dq,
                                             int rows, int heads, int kv_heads, int head_dim, float scale) {
    const int pitch = pitch_of(head_dim);
    DYN_SHARED(float, query_tile);
    float* d_o_tile = query_tile + TILE * pitch;
    float* key_tile = d_o_tile + TILE * pitch;
    float* value_tile = key_tile + TILE * pitch;
    float* sums = value_tile + TILE * pitch;
    float* ds = sums + TILE * pitch;

    const Sequence sequence = sequence_at(bounds, blockIdx.z);
    const int first_query = blockIdx.x * TILE;
    if (first_query >= sequence.length) return;
    const int head = blockIdx.y;
    const int key_head = head * kv_heads / heads;
    const HeadRows<const T> keys = head_rows(k, sequence, key_head, kv_heads, head_dim);
    const HeadRows<const T> values = head_rows(v, sequence, key_head, kv_heads, head_dim);
    const int query = first_query + threadIdx.y;
    const bool there = query < sequence.length;
    const float log_sum = there ? head_statistics(log_sum_exp, sequence, head, rows)[query] : infinity();
    const float row_delta = there ? head_statistics(delta, sequence, head, rows)[query] : 0.0f;
    const int my_row = threadIdx.y * pitch;
    float* my_scores = ds + threadIdx.y * SCORE_PITCH;

    load_tile(query_tile, head_rows(q, sequence, head, heads, head_dim), first_query);
    load_tile(d_o_tile, head_rows(d_o, sequence, head, heads, head_dim), first_query);
    for (int c = threadIdx.x; c < head_dim; c += TILE) sums[my_row + c] = 0.0f;
    for (int first_key = 0; first_key < sequence.length; first_key += TILE) {
        // Nobody reads the last keys any more.
        __syncthreads();
        load_tile(key_tile, keys, first_key);
        load_tile(value_tile, values, first_key);
        __syncthreads();
        const float score = dot(query_tile + my_row, key_tile + threadIdx.x * pitch, head_dim);
        const float bias = bias_of(key_bias, sequence, first_key + threadIdx.x);
        const float weight = expf(fmaf(scale, score, bias) - log_sum);
        my_scores[threadIdx.x] =
                weight * (dot(d_o_tile + my_row, value_tile + threadIdx.x * pitch, head_dim) - row_delta);
        __syncthreads();
        add_weighted_rows(sums + my_row, 1.0f, my_scores, key_tile, head_dim);
    }
    if (!there) return;
    T* gradient = head_rows(dq, sequence, head, heads, head_dim).row(query);
    for (int c = threadIdx.x; c < head_dim; c += TILE) store(gradient, c, scale * sums[my_row + c]);
}

STORAGE_KERNELS(attention_plain_backward_queries,
                (const T* d_o, const T* q, const T* k, const T* v, const float* key_bias, const int* bounds,
                 const float* log_sum_exp, const float* delta, T* dq, int rows, int heads, int kv_heads,
                 int head_dim, float scale),
                (d_o, q, k, v, key_bias, bounds, log_sum_exp, delta, dq, rows, heads, kv_heads, head_dim, scale))

}  // namespace attention_plain
