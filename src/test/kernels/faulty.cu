// Kernels with one mistake each, made on purpose, and beside some the same without it: what the simulator must see. For
// SimulatorTest only; none of this is correct CUDA.

#include "device.cuh"

// y[t] = x[block - 1 - t] through shared memory. The barrier between writing and reading is there or not.
template <bool BARRIER>
DEVICE void reverse(const float* x, float* y) {
    __shared__ float shared[64];
    shared[threadIdx.x] = x[threadIdx.x];
    if (BARRIER) __syncthreads();
    y[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

KERNEL(reverse, const float* x, float* y) {
    reverse<true>(x, y);
}

KERNEL(reverse_without_barrier, const float* x, float* y) {
    reverse<false>(x, y);
}

// y[t] = x[t] - x[block - 1 - t], in two rounds over the same shared memory. Without the barrier between them, a thread
// may overwrite what another has yet to read; nothing is NaN then, only the order of threads shows.
template <bool BARRIER>
DEVICE void two_rounds(const float* x, float* y) {
    DYN_SHARED(float, shared);
    const int opposite = blockDim.x - 1 - threadIdx.x;
    shared[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    const float first = shared[opposite];
    if (BARRIER) __syncthreads();
    shared[threadIdx.x] = 2.0f * first;
    __syncthreads();
    y[threadIdx.x] = shared[threadIdx.x] - first;
}

KERNEL(two_rounds, const float* x, float* y) {
    two_rounds<true>(x, y);
}

KERNEL(two_rounds_with_one_barrier_less, const float* x, float* y) {
    two_rounds<false>(x, y);
}

// y[round] = (round + 1) threads, for two rounds, added up by warp `reader`. Without the barrier behind that, another
// warp may write the next round's partial sum while the reader has yet to read this one's.
//
// launch  block: whole warps
template <bool BARRIER>
DEVICE void sum_rounds(float* y, int reader) {
    __shared__ float partials[MOST_WARPS];
    for (int round = 0; round < 2; round++) {
        const float partial = warp_sum(static_cast<float>(round + 1));
        if (lane_index() == 0) partials[warp_index()] = partial;
        __syncthreads();
        if (static_cast<int>(warp_index()) == reader) {
            float sum = 0.0f;
            for (unsigned warp = 0; warp < blockDim.x / WARP; warp++) sum += partials[warp];
            if (lane_index() == 0) y[round] = sum;
        }
        if (BARRIER) __syncthreads();
    }
}

KERNEL(sum_rounds, float* y, int reader) {
    sum_rounds<true>(y, reader);
}

KERNEL(sum_rounds_with_one_barrier_less, float* y, int reader) {
    sum_rounds<false>(y, reader);
}

// y [2, 4] = x [2, 4], one asynchronous group for each row. REMAINING is 0 in a correct kernel.
template <int REMAINING>
DEVICE void copy_two_groups(const float* x, float* y) {
    DYN_SHARED(float, shared);
    for (int row = 0; row < 2; row++) {
        copy_async_16(shared + 4 * row, x + 4 * row);
        copy_async_commit();
    }
    copy_async_wait<REMAINING>();
    for (int i = 0; i < 8; i++) y[i] = shared[i];
}

KERNEL(copy_two_groups, const float* x, float* y) {
    copy_two_groups<0>(x, y);
}

KERNEL(copy_two_groups_waiting_for_one, const float* x, float* y) {
    copy_two_groups<1>(x, y);
}

// Writes y[offset + index of the thread in the grid]; in bounds or not, as the caller wants.
KERNEL(write_at, float* y, int64_t offset) {
    y[offset + blockIdx.x * blockDim.x + threadIdx.x] = 1.0f;
}

KERNEL(read_at, const float* x, float* y, int64_t offset) {
    y[0] = x[offset];
}

KERNEL(write_shared_at, float* y, int offset) {
    DYN_SHARED(float, shared);
    shared[offset] = 1.0f;
    y[0] = shared[offset];
}

KERNEL(divide_by, int* y, int divisor) {
    y[threadIdx.x] = y[threadIdx.x] / divisor;
}

BOUNDED_KERNEL(64, 1, for_few_threads, float* y) {
    y[threadIdx.x] = 1.0f;
}

KERNEL(wide_load_at, const float* x, float* y, int offset) {
    float values[PACK];
    load_pack(x + offset, values);
    y[0] = values[0];
}

KERNEL(barrier_for_the_first, float* y, int threads) {
    if (static_cast<int>(threadIdx.x) < threads) __syncthreads();
    y[threadIdx.x] = 1.0f;
}

KERNEL(two_different_barriers, float* y) {
    if (threadIdx.x % 2 == 0) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    y[threadIdx.x] = 1.0f;
}

KERNEL(shuffle_for_the_first, float* y, int lanes) {
    if (static_cast<int>(threadIdx.x) >= lanes) return;
    y[threadIdx.x] = warp_sum(1.0f);
}

// The upper half waits for the block, the lower half for the upper.
KERNEL(barrier_against_shuffle, float* y) {
    if (threadIdx.x < 16) {
        y[threadIdx.x] = warp_sum(1.0f);
    } else {
        __syncthreads();
    }
}

KERNEL(shuffle_against_ballot, float* y) {
    if (threadIdx.x < 16) {
        y[threadIdx.x] = __shfl_xor_sync(ALL_LANES, 1.0f, 1);
    } else {
        y[threadIdx.x] = static_cast<float>(__ballot_sync(ALL_LANES, 1));
    }
}

// Needs more stack than a fiber has.
KERNEL(much_stack, float* y) {
    constexpr int COUNT = 32 * 1024;
    volatile float room[COUNT];
    for (int i = COUNT - 1; i >= 0; i--) room[i] = y[0];
    y[0] = room[0];
}
