// What device.cuh offers, each in the smallest kernel that shows it. For PrimitivesTest only.

#include "device.cuh"

// y[i] = x[i] as e4m3; z[i] = y[i] as float.
//
// launch  grid ceil(count / block), block any
KERNEL(e4m3_round_trip, const float* x, e4m3* y, float* z, int count) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    y[i] = from_float<e4m3>(x[i]);
    z[i] = load(y, i);
}

// sum[t] and most[t] receive the sum and the maximum of x[0 .. block): every thread's own copy.
//
// launch  grid 1, block a multiple of 32, shared MOST_WARPS floats
KERNEL(block_reductions, const float* x, float* sum, float* most) {
    DYN_SHARED(float, partials);
    sum[threadIdx.x] = block_sum(x[threadIdx.x], partials);
    most[threadIdx.x] = block_max(x[threadIdx.x], partials);
}

// What each lane gets from its neighbours, in rows of 32: up, down, across, broadcast, ballot.
//
// launch  grid 1, block 32
KERNEL(lane_exchanges, int* y) {
    const int lane = static_cast<int>(lane_index());
    y[lane] = __shfl_up_sync(ALL_LANES, lane, 1);
    y[WARP + lane] = __shfl_down_sync(ALL_LANES, lane, 2);
    y[2 * WARP + lane] = __shfl_xor_sync(ALL_LANES, lane, 5);
    y[3 * WARP + lane] = __shfl_sync(ALL_LANES, lane, 7);
    y[4 * WARP + lane] = static_cast<int>(__ballot_sync(ALL_LANES, lane % 3 == 0));
    // Halves of a warp exchange among themselves, one more often than the other.
    int own = lane;
    if (lane < 16) {
        own = __shfl_xor_sync(0x0000ffffu, own, 1);
        own = __shfl_xor_sync(0x0000ffffu, own, 2);
    } else {
        own = __shfl_xor_sync(0xffff0000u, own, 4);
    }
    y[5 * WARP + lane] = __shfl_sync(ALL_LANES, own, (lane + 1) % WARP);
}

constexpr int ROW_BYTES = 32;
constexpr int TILE_BYTES = 16 * ROW_BYTES;

DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, bf16) {
    multiply_bf16(d, a, b0, b1);
}

DEVICE void multiply(int32_t (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, int8_t) {
    multiply_s8(d, a, b0, b1);
}

DEVICE void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, e4m3) {
    multiply_e4m3(d, a, b0, b1);
}

// d [16, 16] = a [16, K] b^T, where K numbers fill 32 bytes: b is [16, K], or [K, 16] where TRANSPOSED.
//
// launch  grid 1, block 32, shared 2 * TILE_BYTES
template <bool TRANSPOSED, class T, class Sum>
DEVICE void product(const T* a, const T* b, Sum* d) {
    DYN_SHARED(uint8_t, tile_a);
    uint8_t* tile_b = tile_a + TILE_BYTES;
    const int lane = static_cast<int>(lane_index());
    copy_async_16(tile_a + 16 * lane, reinterpret_cast<const uint8_t*>(a) + 16 * lane);
    copy_async_16(tile_b + 16 * lane, reinterpret_cast<const uint8_t*>(b) + 16 * lane);
    copy_async_commit();
    copy_async_wait<0>();
    __syncwarp();
    uint32_t left[4];
    uint32_t right[4];
    load_matrices<false>(left, tile_a + lane % 16 * ROW_BYTES + lane / 16 * 16);
    if (TRANSPOSED) {
        load_matrices<true>(right, tile_b + lane % 16 * ROW_BYTES + lane / 16 * 16);
    } else {
        load_matrices<false>(right, tile_b + (lane / 16 * 8 + lane % 8) * ROW_BYTES + lane / 8 % 2 * 16);
    }
    for (int half = 0; half < 2; half++) {
        Sum sum[4] = {};
        multiply(sum, left, right[2 * half], right[2 * half + 1], T{});
        for (int i = 0; i < 4; i++) {
            const int row = lane / 4 + i / 2 * 8;
            const int column = half * 8 + 2 * (lane % 4) + i % 2;
            d[row * 16 + column] = sum[i];
        }
    }
}

KERNEL(product_bf16, const bf16* a, const bf16* b, float* d) {
    product<false>(a, b, d);
}

KERNEL(product_bf16_transposed, const bf16* a, const bf16* b, float* d) {
    product<true>(a, b, d);
}

KERNEL(product_s8, const int8_t* a, const int8_t* b, int32_t* d) {
    product<false>(a, b, d);
}

KERNEL(product_e4m3, const e4m3* a, const e4m3* b, float* d) {
    product<false>(a, b, d);
}

// Row r of y [2, 4] receives row r of x where r < valid, else zeros: one 16-byte copy each.
//
// launch  grid 1, block 2, shared 32
KERNEL(copy_or_zero, const float* x, float* y, int valid) {
    DYN_SHARED(float, rows);
    const int row = threadIdx.x;
    copy_async_16(rows + 4 * row, x, row < valid);
    copy_async_commit();
    copy_async_wait<0>();
    for (int i = 0; i < 4; i++) y[4 * row + i] = rows[4 * row + i];
}
