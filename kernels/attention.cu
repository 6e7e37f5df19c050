// Attention forward with tensor cores, bf16: see attention.cuh for formulas and parameters.
// called by nocturne.cuda.CudaAttention, tested by AttentionTwinTest
//
// For a head_dim that is a multiple of 8 up to 128, and tensors at multiples of 16 bytes; attention_plain.cu does the
// rest. There is a kernel for tiles of 32, 64 and 128 columns.
//
// launch  grid (ceil(longest sequence / 128), heads, sequences), block 128
// shared  (128 + 64 + 64) * (D + 8) bf16: a tile of queries, one of keys, one of values
// numeric products of bf16 are summed in float, and so are the weights; a weight is rounded to bf16 before it
//         multiplies values
//
// nvcc 13.0, D = 128, registers of a thread, none spilled, and shared memory:
//                              sm_80  sm_90a  sm_100a  sm_120a
// attention_forward              255     254      252      250   69632 bytes

#include "attention_tiles.cuh"

namespace attention {

// A row's weights are 2^(score - shift), and at the end its sum is divided by the sum of its weights. The shift need
// not be the greatest score, it only has to keep powers in range: it is raised to the greatest score so far once that
// is more than this above it. Without that most tiles would raise some row's shift, and multiply all sums by the
// difference.
constexpr float HEADROOM = 8.0f;
// Below all scores, and finite, so that it can be subtracted from a score of negative infinity.
constexpr float LOWEST_SHIFT = -1e30f;
constexpr float LN_2 = 0.69314718f;

// A warp owns 32 queries: each matrix load of keys or values then serves four products, which keeps shared memory from
// being the bottleneck. Values are copied while scores are made, the next keys while values are added up.
template <int D>
DEVICE void forward(const bf16* q, const bf16* k, const bf16* v, const float* key_bias, const int* bounds, bf16* o,
                    float* log_sum_exp, int rows, int heads, int kv_heads, int head_dim, float scale, int causal) {
    constexpr int STRIPS = 2;
    constexpr int QUERIES = WARPS * STRIPS * STRIP;
    constexpr int KEYS = 64;
    constexpr int N = KEYS / 8;
    DYN_SHARED(bf16, query_tile);
    bf16* key_tile = query_tile + QUERIES * PITCH<D>;
    bf16* value_tile = key_tile + KEYS * PITCH<D>;

    const Sequence sequence = sequence_at(bounds, blockIdx.z);
    const int first_query = blockIdx.x * QUERIES;
    if (first_query >= sequence.length) return;
    const int head = blockIdx.y;
    const int key_head = head * kv_heads / heads;
    const HeadRows<const bf16> queries = head_rows(q, sequence, head, heads, head_dim);
    const HeadRows<const bf16> keys = head_rows(k, sequence, key_head, kv_heads, head_dim);
    const HeadRows<const bf16> values = head_rows(v, sequence, key_head, kv_heads, head_dim);
    const float* bias = key_bias == nullptr ? nullptr : key_bias + sequence.first;
    const int warp_row = warp_index() * STRIPS * STRIP;
    const int end = causal ? min(sequence.length, first_query + QUERIES) : sequence.length;
    const float scale_log2 = scale * LOG2_E;

    float sum[STRIPS][D / 8][4] = {};
    float weight_sum[STRIPS][2] = {};
    float shift[STRIPS][2];
    for (int strip = 0; strip < STRIPS; strip++) shift[strip][0] = shift[strip][1] = LOWEST_SHIFT;

    copy_tile<QUERIES, D>(query_tile, queries, first_query);
    copy_tile<KEYS, D>(key_tile, keys, 0);
    copy_async_commit();
    for (int first_key = 0; first_key < end; first_key += KEYS) {
        // The keys have arrived, and nobody reads the last values any more.
        copy_async_wait<0>();
        __syncthreads();
        copy_tile<KEYS, D>(value_tile, values, first_key);
        copy_async_commit();

        float s[STRIPS][N][4] = {};
        multiply_by_rows<STRIPS, N, D>(s, key_tile, [&](int strip, int step, uint32_t(&a)[4]) {
            load_left<D>(a, query_tile, warp_row + STRIP * strip, 16 * step);
        });
        const int last_key = first_key + KEYS - 1;
        if (bias != nullptr || last_key >= sequence.length || (causal && last_key > first_query)) {
            hide_keys(s, first_query + warp_row, first_key, sequence.length, bias, causal);
        }

        float greatest[STRIPS][2];
        bool rises = false;
#pragma unroll
        for (int strip = 0; strip < STRIPS; strip++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                float most = -infinity();
#pragma unroll
                for (int n = 0; n < N; n++) {
                    most = fmaxf(most, fmaxf(s[strip][n][2 * half], s[strip][n][2 * half + 1]));
                }
                greatest[strip][half] = most * scale_log2;
                rises |= greatest[strip][half] > shift[strip][half] + HEADROOM;
            }
        }
        if (__any_sync(ALL_LANES, rises)) {
#pragma unroll
            for (int strip = 0; strip < STRIPS; strip++) {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const float raised = fmaxf(shift[strip][half], row_max(greatest[strip][half]));
                    const float factor = exp2_approximate(shift[strip][half] - raised);
                    shift[strip][half] = raised;
                    weight_sum[strip][half] *= factor;
#pragma unroll
                    for (int d = 0; d < D / 8; d++) {
                        sum[strip][d][2 * half] *= factor;
                        sum[strip][d][2 * half + 1] *= factor;
                    }
                }
            }
        }
        uint32_t weights[STRIPS][N][2];
#pragma unroll
        for (int strip = 0; strip < STRIPS; strip++) {
#pragma unroll
            for (int n = 0; n < N; n++) {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    const float back = -shift[strip][half];
                    const float low = exp2_approximate(fmaf(s[strip][n][2 * half], scale_log2, back));
                    const float high = exp2_approximate(fmaf(s[strip][n][2 * half + 1], scale_log2, back));
                    weight_sum[strip][half] += low + high;
                    weights[strip][n][half] = pack_bf16(low, high);
                }
            }
        }

        // The values have arrived, and nobody reads these keys any more.
        copy_async_wait<0>();
        __syncthreads();
        if (first_key + KEYS < end) copy_tile<KEYS, D>(key_tile, keys, first_key + KEYS);
        copy_async_commit();
        add_weighted_rows<STRIPS, N, D>(sum, weights, value_tile);
    }

    const HeadRows<bf16> results = head_rows(o, sequence, head, heads, head_dim);
    float* statistics = head_statistics(log_sum_exp, sequence, head, rows);
#pragma unroll
    for (int strip = 0; strip < STRIPS; strip++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            const float total = row_sum(weight_sum[strip][half]);
            const int row = first_query + warp_row + STRIP * strip + lane_row() + 8 * half;
            if (row >= sequence.length) continue;
            const bool sees_nothing = total == 0.0f;
            store_row<D>(results, row, sum[strip], half, sees_nothing ? 0.0f : 1.0f / total);
            if (lane_column() != 0) continue;
            statistics[row] = sees_nothing ? infinity() : fmaf(shift[strip][half], LN_2, logf(total));
        }
    }
}

#define FORWARD_PARAMETERS                                                                                             \
    const bf16* q, const bf16* k, const bf16* v, const float* key_bias, const int* bounds, bf16* o,                    \
            float* log_sum_exp, int rows, int heads, int kv_heads, int head_dim, float scale, int causal
#define FORWARD_ARGUMENTS                                                                                              \
    q, k, v, key_bias, bounds, o, log_sum_exp, rows, heads, kv_heads, head_dim, scale, causal

// Two blocks fit a multiprocessor's registers.
BOUNDED_KERNEL(THREADS, 2, attention_forward_32, FORWARD_PARAMETERS) {
    forward<32>(FORWARD_ARGUMENTS);
}

BOUNDED_KERNEL(THREADS, 2, attention_forward_64, FORWARD_PARAMETERS) {
    forward<64>(FORWARD_ARGUMENTS);
}

BOUNDED_KERNEL(THREADS, 2, attention_forward_128, FORWARD_PARAMETERS) {
    forward<128>(FORWARD_ARGUMENTS);
}

}  // namespace attention
