// Attention's gradients with tensor cores, bf16: see attention.cuh for formulas and parameters.
// called by nocturne.cuda.CudaAttention, tested by AttentionTwinTest
//
// For the same head_dim and tensors as attention.cu.
//
// numeric products of bf16 are summed in float; probabilities and ds are rounded to bf16 before they multiply the next
//         matrix
//
// nvcc 13.0, D = 128, registers of a thread, none spilled, and shared memory:
//                              sm_80  sm_90a  sm_100a  sm_120a
// attention_backward_keys        255     249      250      248   70144 bytes
// attention_backward_queries     246     248      242      250   69632 bytes

#include "attention_tiles.cuh"

namespace attention {

// ---- Keys and values ----
//
// launch  grid (ceil(longest sequence / 64), kv_heads, sequences), block 128
// shared  (64 + 64 + 4 * 32) * (D + 8) bf16 and 128 floats: the block's keys and values; a tile of queries and one of
//         do, both twice, of which one pair is copied while the other is multiplied; these queries' statistics, twice
//
// A warp owns 16 keys, which it keeps in registers, and makes scores transposed, keys by queries, so that they are the
// left operand of dv = P^T do and dk = ds^T q as they are. The query heads of a group are taken one after another.

constexpr int QUERY_TILE = 32;

// What the query heads of one key head have, a tile of queries after another.
struct QuerySteps {
    const bf16* q;
    const bf16* d_o;
    const float* log_sum_exp;
    const float* delta;
    Sequence sequence;
    int rows;
    int heads;
    int head_dim;
    int first_head;
    int tiles;

    DEVICE int head(int step) const {
        return first_head + step / tiles;
    }

    DEVICE int first_query(int step) const {
        return step % tiles * QUERY_TILE;
    }

    template <int D>
    DEVICE void copy(int step, bf16* query_tile, bf16* d_o_tile) const {
        copy_tile<QUERY_TILE, D>(query_tile, head_rows(q, sequence, head(step), heads, head_dim), first_query(step));
        copy_tile<QUERY_TILE, D>(d_o_tile, head_rows(d_o, sequence, head(step), heads, head_dim), first_query(step));
        copy_async_commit();
    }

    // A number for each of the first 2 QUERY_TILE threads: the queries' log-sum-exp to base 2, then their delta. A
    // query that is not there gets what makes its probabilities zero.
    DEVICE float statistic(int step) const {
        const int query = first_query(step) + threadIdx.x % QUERY_TILE;
        const bool there = query < sequence.length;
        if (threadIdx.x < QUERY_TILE) {
            return there ? LOG2_E * head_statistics(log_sum_exp, sequence, head(step), rows)[query] : infinity();
        }
        return there ? head_statistics(delta, sequence, head(step), rows)[query] : 0.0f;
    }
};

template <int D>
DEVICE void backward_keys(const bf16* d_o, const bf16* q, const bf16* k, const bf16* v, const float* key_bias,
                          const int* bounds, const float* log_sum_exp, const float* delta, bf16* dk, bf16* dv, int rows,
                          int heads, int kv_heads, int head_dim, float scale) {
    constexpr int KEYS = WARPS * STRIP;
    constexpr int N = QUERY_TILE / 8;
    constexpr int TILE = QUERY_TILE * PITCH<D>;
    DYN_SHARED(bf16, key_tile);
    bf16* value_tile = key_tile + KEYS * PITCH<D>;
    bf16* query_tiles = value_tile + KEYS * PITCH<D>;
    bf16* d_o_tiles = query_tiles + 2 * TILE;
    float* statistics = reinterpret_cast<float*>(d_o_tiles + 2 * TILE);

    const Sequence sequence = sequence_at(bounds, blockIdx.z);
    const int first_key = blockIdx.x * KEYS;
    if (first_key >= sequence.length) return;
    const int key_head = blockIdx.y;
    const int group = heads / kv_heads;
    const int tiles = (sequence.length + QUERY_TILE - 1) / QUERY_TILE;
    const int steps = group * tiles;
    const QuerySteps queries = {q, d_o, log_sum_exp, delta, sequence, rows, heads, head_dim, key_head * group, tiles};
    const int warp_row = warp_index() * STRIP;
    const float scale_log2 = scale * LOG2_E;
    const bool keeps_statistic = threadIdx.x < 2 * QUERY_TILE;

    copy_tile<KEYS, D>(key_tile, head_rows(k, sequence, key_head, kv_heads, head_dim), first_key);
    copy_tile<KEYS, D>(value_tile, head_rows(v, sequence, key_head, kv_heads, head_dim), first_key);
    queries.copy<D>(0, query_tiles, d_o_tiles);
    if (keeps_statistic) statistics[threadIdx.x] = queries.statistic(0);
    copy_async_wait<0>();
    __syncthreads();
    // The values would not fit the registers, too: they are loaded again at every step.
    uint32_t key[D / 16][4];
#pragma unroll
    for (int column = 0; column < D / 16; column++) load_left<D>(key[column], key_tile, warp_row, 16 * column);
    float dk_sum[1][D / 8][4] = {};
    float dv_sum[1][D / 8][4] = {};
    for (int step = 0; step < steps; step++) {
        const int now = step % 2;
        const int next = 1 - now;
        const bool goes_on = step + 1 < steps;
        // These queries have arrived, and nobody reads the last ones any more.
        copy_async_wait<0>();
        __syncthreads();
        float next_statistic = 0.0f;
        if (goes_on) {
            queries.copy<D>(step + 1, query_tiles + next * TILE, d_o_tiles + next * TILE);
            if (keeps_statistic) next_statistic = queries.statistic(step + 1);
        }

        float s[1][N][4] = {};
        multiply_by_rows<1, N, D>(s, query_tiles + now * TILE, [&](int, int column, uint32_t(&a)[4]) {
            for (int i = 0; i < 4; i++) a[i] = key[column][i];
        });
        float slope[1][N][4] = {};
        multiply_by_rows<1, N, D>(slope, d_o_tiles + now * TILE, [&](int, int column, uint32_t(&a)[4]) {
            load_left<D>(a, value_tile, warp_row, 16 * column);
        });
        const float* log_sums = statistics + now * 2 * QUERY_TILE + lane_column();
        const float* deltas = log_sums + QUERY_TILE;
        uint32_t p[1][N][2];
        uint32_t ds[1][N][2];
#pragma unroll
        for (int n = 0; n < N; n++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const float low = exp2_approximate(fmaf(s[0][n][2 * half], scale_log2, -log_sums[8 * n]));
                const float high = exp2_approximate(fmaf(s[0][n][2 * half + 1], scale_log2, -log_sums[8 * n + 1]));
                p[0][n][half] = pack_bf16(low, high);
                ds[0][n][half] = pack_bf16(low * (slope[0][n][2 * half] - deltas[8 * n]),
                                           high * (slope[0][n][2 * half + 1] - deltas[8 * n + 1]));
            }
        }
        add_weighted_rows<1, N, D>(dv_sum, p, d_o_tiles + now * TILE);
        add_weighted_rows<1, N, D>(dk_sum, ds, query_tiles + now * TILE);
        // Only now, so that it had time to come from memory.
        if (goes_on && keeps_statistic) statistics[next * 2 * QUERY_TILE + threadIdx.x] = next_statistic;
    }

    const HeadRows<bf16> key_gradients = head_rows(dk, sequence, key_head, kv_heads, head_dim);
    const HeadRows<bf16> value_gradients = head_rows(dv, sequence, key_head, kv_heads, head_dim);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = first_key + warp_row + lane_row() + 8 * half;
        if (row >= sequence.length) continue;
        // Nothing but a key's own gradients depends on whether it is hidden, so it has taken part up to here.
        const bool hidden = key_bias != nullptr && key_bias[sequence.first + row] != 0.0f;
        store_row<D>(key_gradients, row, dk_sum[0], half, hidden ? 0.0f : scale);
        store_row<D>(value_gradients, row, dv_sum[0], half, hidden ? 0.0f : 1.0f);
    }
}

// ---- Queries ----
//
// launch  grid (ceil(longest sequence / 64), heads, sequences), block 128
// shared  4 * 64 * (D + 8) bf16: a tile of keys and one of values, both twice, of which one pair is copied while the
//         other is multiplied; at the start, one pair's place holds the block's queries and do
//
// A warp owns 16 queries and keeps them and their do in registers.
template <int D>
DEVICE void backward_queries(const bf16* d_o, const bf16* q, const bf16* k, const bf16* v, const float* key_bias,
                             const int* bounds, const float* log_sum_exp, const float* delta, bf16* dq, int rows,
                             int heads, int kv_heads, int head_dim, float scale) {
    constexpr int KEYS = 64;
    constexpr int QUERIES = WARPS * STRIP;
    static_assert(QUERIES == KEYS, "queries come through the place of keys");
    constexpr int N = KEYS / 8;
    constexpr int TILE = KEYS * PITCH<D>;
    DYN_SHARED(bf16, key_tiles);
    bf16* value_tiles = key_tiles + 2 * TILE;

    const Sequence sequence = sequence_at(bounds, blockIdx.z);
    const int first_query = blockIdx.x * QUERIES;
    if (first_query >= sequence.length) return;
    const int head = blockIdx.y;
    const int key_head = head * kv_heads / heads;
    const HeadRows<const bf16> keys = head_rows(k, sequence, key_head, kv_heads, head_dim);
    const HeadRows<const bf16> values = head_rows(v, sequence, key_head, kv_heads, head_dim);
    const float* bias = key_bias == nullptr ? nullptr : key_bias + sequence.first;
    const int warp_row = warp_index() * STRIP;
    const float scale_log2 = scale * LOG2_E;

    copy_tile<QUERIES, D>(key_tiles + TILE, head_rows(q, sequence, head, heads, head_dim), first_query);
    copy_tile<QUERIES, D>(value_tiles + TILE, head_rows(d_o, sequence, head, heads, head_dim), first_query);
    copy_tile<KEYS, D>(key_tiles, keys, 0);
    copy_tile<KEYS, D>(value_tiles, values, 0);
    copy_async_commit();
    copy_async_wait<0>();
    __syncthreads();
    uint32_t query[D / 16][4];
    uint32_t outer[D / 16][4];
#pragma unroll
    for (int step = 0; step < D / 16; step++) {
        load_left<D>(query[step], key_tiles + TILE, warp_row, 16 * step);
        load_left<D>(outer[step], value_tiles + TILE, warp_row, 16 * step);
    }
    float log_sum[2];
    float row_delta[2];
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = first_query + warp_row + lane_row() + 8 * half;
        const bool there = row < sequence.length;
        log_sum[half] = there ? LOG2_E * head_statistics(log_sum_exp, sequence, head, rows)[row] : infinity();
        row_delta[half] = there ? head_statistics(delta, sequence, head, rows)[row] : 0.0f;
    }

    float dq_sum[1][D / 8][4] = {};
    const int tiles = (sequence.length + KEYS - 1) / KEYS;
    for (int tile = 0; tile < tiles; tile++) {
        const bf16* key_tile = key_tiles + tile % 2 * TILE;
        const bf16* value_tile = value_tiles + tile % 2 * TILE;
        // These keys have arrived, and nobody reads the last ones (at first: the queries) any more.
        copy_async_wait<0>();
        __syncthreads();
        if (tile + 1 < tiles) {
            copy_tile<KEYS, D>(key_tiles + (tile + 1) % 2 * TILE, keys, (tile + 1) * KEYS);
            copy_tile<KEYS, D>(value_tiles + (tile + 1) % 2 * TILE, values, (tile + 1) * KEYS);
            copy_async_commit();
        }

        float s[1][N][4] = {};
        multiply_by_rows<1, N, D>(s, key_tile, [&](int, int step, uint32_t(&a)[4]) {
            for (int i = 0; i < 4; i++) a[i] = query[step][i];
        });
        if (bias != nullptr || (tile + 1) * KEYS > sequence.length) {
            hide_keys(s, first_query + warp_row, tile * KEYS, sequence.length, bias, false);
        }
        float slope[1][N][4] = {};
        multiply_by_rows<1, N, D>(slope, value_tile, [&](int, int step, uint32_t(&a)[4]) {
            for (int i = 0; i < 4; i++) a[i] = outer[step][i];
        });
        uint32_t ds[1][N][2];
#pragma unroll
        for (int n = 0; n < N; n++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const float low = exp2_approximate(fmaf(s[0][n][2 * half], scale_log2, -log_sum[half]));
                const float high = exp2_approximate(fmaf(s[0][n][2 * half + 1], scale_log2, -log_sum[half]));
                ds[0][n][half] = pack_bf16(low * (slope[0][n][2 * half] - row_delta[half]),
                                           high * (slope[0][n][2 * half + 1] - row_delta[half]));
            }
        }
        add_weighted_rows<1, N, D>(dq_sum, ds, key_tile);
    }

    const HeadRows<bf16> gradients = head_rows(dq, sequence, head, heads, head_dim);
#pragma unroll
    for (int half = 0; half < 2; half++) {
        const int row = first_query + warp_row + lane_row() + 8 * half;
        if (row < sequence.length) store_row<D>(gradients, row, dq_sum[0], half, scale);
    }
}

#define BACKWARD_PARAMETERS                                                                                            \
    const bf16* d_o, const bf16* q, const bf16* k, const bf16* v, const float* key_bias, const int* bounds,            \
            const float* log_sum_exp, const float* delta
#define BACKWARD_ARGUMENTS d_o, q, k, v, key_bias, bounds, log_sum_exp, delta
#define SHAPE_PARAMETERS int rows, int heads, int kv_heads, int head_dim, float scale
#define SHAPE_ARGUMENTS rows, heads, kv_heads, head_dim, scale

// Two blocks of either kind fit a multiprocessor's registers.
BOUNDED_KERNEL(THREADS, 2, attention_backward_keys_32, BACKWARD_PARAMETERS, bf16* dk, bf16* dv, SHAPE_PARAMETERS) {
    backward_keys<32>(BACKWARD_ARGUMENTS, dk, dv, SHAPE_ARGUMENTS);
}

BOUNDED_KERNEL(THREADS, 2, attention_backward_queries_32, BACKWARD_PARAMETERS, bf16* dq, SHAPE_PARAMETERS) {
    backward_queries<32>(BACKWARD_ARGUMENTS, dq, SHAPE_ARGUMENTS);
}

BOUNDED_KERNEL(THREADS, 2, attention_backward_keys_64, BACKWARD_PARAMETERS, bf16* dk, bf16* dv, SHAPE_PARAMETERS) {
    backward_keys<64>(BACKWARD_ARGUMENTS, dk, dv, SHAPE_ARGUMENTS);
}

BOUNDED_KERNEL(THREADS, 2, attention_backward_queries_64, BACKWARD_PARAMETERS, bf16* dq, SHAPE_PARAMETERS) {
    backward_queries<64>(BACKWARD_ARGUMENTS, dq, SHAPE_ARGUMENTS);
}

BOUNDED_KERNEL(THREADS, 2, attention_backward_keys_128, BACKWARD_PARAMETERS, bf16* dk, bf16* dv, SHAPE_PARAMETERS) {
    backward_keys<128>(BACKWARD_ARGUMENTS, dk, dv, SHAPE_ARGUMENTS);
}

BOUNDED_KERNEL(THREADS, 2, attention_backward_queries_128, BACKWARD_PARAMETERS, bf16* dq, SHAPE_PARAMETERS) {
    backward_queries<128>(BACKWARD_ARGUMENTS, dq, SHAPE_ARGUMENTS);
}

}  // namespace attention
