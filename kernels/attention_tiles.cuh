// Tiles of rows in shared memory, and tensor core products with them: what attention.cu and attention_backward.cu have
// in common.
//
// A tile has D columns, a power of 2; a head that is narrower is filled up with zeros. From row to row are D + 8
// numbers: an odd number of 16-byte pieces, so that the eight rows which a matrix load reads at once lie in different
// banks, and all addresses are constants away from the lane's own.
//
// A warp multiplies strips of 16 rows by tiles that the whole block shares. Scores stay in its registers: the layout in
// which a product leaves them is the one in which the next takes them as its left operand.
#pragma once

#include "attention.cuh"

namespace attention {

constexpr int WARPS = 4;
constexpr int THREADS = WARPS * WARP;
// Rows of the matrix that a tensor core instruction has on the left.
constexpr int STRIP = 16;

// Numbers from one row of a tile to the next.
template <int D>
constexpr int PITCH = D + PACK;

// Starts to copy rows first .. first + ROWS of a head; what is not there becomes zeros.
template <int ROWS, int D>
DEVICE void copy_tile(bf16* tile, const HeadRows<const bf16>& head, int first) {
    constexpr int PACKS = D / PACK;
    constexpr int ROWS_AT_ONCE = THREADS / PACKS;
    static_assert(THREADS % PACKS == 0 && ROWS % ROWS_AT_ONCE == 0, "all threads copy the same number of packs");
    const int row = first + threadIdx.x / PACKS;
    const int column = threadIdx.x % PACKS * PACK;
    const bf16* from = head.row(row) + column;
    bf16* to = tile + threadIdx.x / PACKS * PITCH<D> + column;
    const int rows = column < head.width ? head.length - row : 0;
#pragma unroll
    for (int i = 0; i < ROWS; i += ROWS_AT_ONCE) {
        const bool valid = i < rows;
        copy_async_16(to + i * PITCH<D>, valid ? from : head.first, valid);
        from += ROWS_AT_ONCE * head.stride;
    }
}

// 16 rows and columns of a tile as a left operand.
template <int D>
DEVICE void load_left(uint32_t (&a)[4], const bf16* tile, int row, int column) {
    load_matrices<false>(a, tile + (row + lane_index() % 16) * PITCH<D> + column + lane_index() / 16 * 8);
}

// s[strip] += strip * tile^T: 16 rows against 8 N rows of a tile.
//
// left  gives the left operand of a strip, 16 columns at a time: left(strip, columns / 16, a)
template <int STRIPS, int N, int D, class Left>
DEVICE void multiply_by_rows(float (&s)[STRIPS][N][4], const bf16* tile, Left left) {
    const bf16* lane_row = tile + (lane_index() / 16 * 8 + lane_index() % 8) * PITCH<D> + lane_index() / 8 % 2 * 8;
#pragma unroll
    for (int step = 0; step < D / 16; step++) {
        uint32_t a[STRIPS][4];
#pragma unroll
        for (int strip = 0; strip < STRIPS; strip++) left(strip, step, a[strip]);
#pragma unroll
        for (int n = 0; n < N; n += 2) {
            uint32_t b[4];
            load_matrices<false>(b, lane_row + 8 * n * PITCH<D> + 16 * step);
#pragma unroll
            for (int strip = 0; strip < STRIPS; strip++) {
                multiply_bf16(s[strip][n], a[strip], b[0], b[1]);
                multiply_bf16(s[strip][n + 1], a[strip], b[2], b[3]);
            }
        }
    }
}

// sum[strip] += weights[strip] * tile: 16 x 8 N weights times 8 N rows of a tile.
//
// weights  a product's elements 0, 1 and 2, 3, each pair packed as bf16
template <int STRIPS, int N, int D>
DEVICE void add_weighted_rows(float (&sum)[STRIPS][D / 8][4], const uint32_t (&weights)[STRIPS][N][2],
                              const bf16* tile) {
    const bf16* lane_row = tile + lane_index() % 16 * PITCH<D> + lane_index() / 16 * 8;
#pragma unroll
    for (int n = 0; n < N; n += 2) {
#pragma unroll
        for (int d = 0; d < D / 8; d += 2) {
            uint32_t b[4];
            load_matrices<true>(b, lane_row + 8 * n * PITCH<D> + 8 * d);
#pragma unroll
            for (int strip = 0; strip < STRIPS; strip++) {
                const uint32_t a[4] = {weights[strip][n][0], weights[strip][n][1], weights[strip][n + 1][0],
                                       weights[strip][n + 1][1]};
                multiply_bf16(sum[strip][d], a, b[0], b[1]);
                multiply_bf16(sum[strip][d + 1], a, b[2], b[3]);
            }
        }
    }
}

// Element i of a lane's part of a 16 x 8 product is at row lane_row() + 8 (i / 2), column lane_column() + i % 2.
DEVICE int lane_row() {
    return lane_index() / 4;
}

DEVICE int lane_column() {
    return 2 * (lane_index() % 4);
}

// Over the four lanes that share a row.
DEVICE float row_sum(float value) {
    value += __shfl_xor_sync(ALL_LANES, value, 1);
    return value + __shfl_xor_sync(ALL_LANES, value, 2);
}

DEVICE float row_max(float value) {
    value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, 1));
    return fmaxf(value, __shfl_xor_sync(ALL_LANES, value, 2));
}

// Writes factor * sum to a lane's part of a row; a factor of 0 gives zeros, whatever the sum is.
//
// half  which of the lane's two rows this is: 0 or 1
template <int D>
DEVICE void store_row(const HeadRows<bf16>& head, int row, const float (&sum)[D / 8][4], int half, float factor) {
    bf16* to = head.row(row) + lane_column();
#pragma unroll
    for (int d = 0; d < D / 8; d++) {
        if (8 * d >= head.width) break;
        const float low = factor == 0.0f ? 0.0f : factor * sum[d][2 * half];
        const float high = factor == 0.0f ? 0.0f : factor * sum[d][2 * half + 1];
        *reinterpret_cast<uint32_t*>(to + 8 * d) = pack_bf16(low, high);
    }
}

// Makes the scores of keys that must not be seen negative infinity.
//
// s         queries first_query + 16 strip .. by keys first_key .. first_key + 8 N
// key_bias  of the sequence, or null
template <int STRIPS, int N>
DEVICE void hide_keys(float (&s)[STRIPS][N][4], int first_query, int first_key, int length, const float* key_bias,
                      bool causal) {
    static_assert(8 * N % WARP == 0, "each lane looks at whole keys");
    // A bit for each key, the one of the lane's first column in front.
    uint32_t hidden[8 * N / WARP];
#pragma unroll
    for (int word = 0; word < 8 * N / WARP; word++) {
        const int key = first_key + WARP * word + lane_index();
        const bool mine = key >= length || (key_bias != nullptr && key_bias[key] != 0.0f);
        hidden[word] = __ballot_sync(ALL_LANES, mine) >> lane_column();
    }
    const int ahead = first_key + lane_column() - first_query - lane_row();
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const bool padding = (hidden[8 * n / WARP] >> (8 * n % WARP + i % 2) & 1) != 0;
#pragma unroll
            for (int strip = 0; strip < STRIPS; strip++) {
                const bool later = causal && ahead + 8 * n + i % 2 > STRIP * strip + i / 2 * 8;
                if (padding || later) s[strip][n][i] = -infinity();
            }
        }
    }
}

}  // namespace attention
