// The host simulator: runs the kernels of this folder on the processor, so that each can be tested where no GPU is.
//
// Every CUDA thread of a block is a fiber with a stack of its own; all fibers of a block take turns on one thread of
// the operating system and change at barriers and warp operations only. That makes a run repeatable, and the order in
// which the fibers take turns a parameter: a kernel without a race gives the same bits in every order. In two of the
// orders a warp runs ahead of all others as far as barriers let it, from the first warp on and from the last: whatever
// two warps do between the same two barriers happens in both orders.
//
// What it is strict about, and what each finds:
//   * shared memory, static and dynamic, is full of NaN bytes when a block starts     read before written
//   * an asynchronous copy poisons its target and moves the bytes when it is waited for   waited for too shallowly
//   * device memory lies between pages that cannot be touched (memory.cpp)            out of bounds
//   * a thread that leaves while others wait at a barrier, a barrier that not all threads reach, lanes of a warp that
//     are at different operations                                                    divergence
// Each is an error that names kernel, block and thread. Not simulated: memory order between the threads of a phase
// (running in several orders finds some), bank conflicts, timing.
//
// This header stands in for CUDA's own built-ins when device.cuh is compiled for the host.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

namespace simulator {

constexpr int WARP = 32;

struct Index3 {
    unsigned x;
    unsigned y;
    unsigned z;
};

struct Block;

// What the lanes of a warp do together. All lanes of one exchange must do the same.
enum class Operation { BARRIER, SHUFFLE, VOTE, MATRIX_LOAD, MATRIX_PRODUCT };

// Where the lanes of one mask meet. `shown` is what each lane lets the others see: twice, because a fast lane may
// already write for the next meeting while a slow one still reads from the last.
struct Meeting {
    static constexpr size_t SHOWN_BYTES = 32;

    unsigned mask = 0;
    unsigned arrived = 0;
    unsigned generation = 0;
    Operation operation = Operation::BARRIER;
    alignas(16) unsigned char shown[2][WARP][SHOWN_BYTES];
};

struct Warp {
    unsigned existing = 0;
    unsigned gone = 0;
    std::deque<Meeting> meetings;
};

// Sixteen bytes on their way into shared memory; `from` is null where zeros are to be written.
struct AsyncCopy {
    void* to;
    const void* from;
};

// Where in the source a barrier stands: all threads of a block must meet at the same one.
struct Place {
    const char* file = "";
    int line = 0;
};

// One CUDA thread.
struct Fiber {
    Index3 index{};
    unsigned number = 0;
    unsigned lane = 0;
    Warp* warp = nullptr;
    Block* block = nullptr;
    bool finished = true;

    // The fiber sleeps while *watched == asleepSince; null when it can run.
    const unsigned* watched = nullptr;
    unsigned asleepSince = 0;
    const char* waitingAt = "";
    Place place;

    std::vector<AsyncCopy> openCopies;
    std::deque<std::vector<AsyncCopy>> committedCopies;
};

// What the running code sees of its block; the rest is simulator.cpp's own.
struct Block {
    Index3 index{};
    Index3 extent{};
    Index3 grid{};
    unsigned char* dynamicShared = nullptr;
    // The barrier that some threads have reached: where it stands, how many, how many barriers were passed before.
    Place place;
    unsigned arrived = 0;
    unsigned generation = 0;
    bool votes[2] = {false, false};
};

// The fiber that runs on this thread of the operating system; null outside kernels.
extern __thread Fiber* self;

// Ends the launch with an error that names kernel, block and thread. Does not return.
[[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Waits for all threads of the block, and tells whether one of them brought `true`.
bool block_barrier(bool mine, Place place);

// Shows `bytes` bytes to the lanes of `mask` and returns what each lane of them shows, in an array of rows of
// Meeting::SHOWN_BYTES, readable until this lane's next meeting of the same mask.
const unsigned char (*meet(Operation operation, unsigned mask, const void* mine, size_t bytes))[Meeting::SHOWN_BYTES];

// Puts 16 bytes on their way, or zeros where `from` is null; they arrive when their group is waited for.
void copy_async(void* to, const void* from);
void commit_copies();
// Lets all groups arrive but the `remaining` youngest.
void wait_for_copies(unsigned remaining);

// Whether lane `lane` takes part in an exchange of `mask` in the calling thread's warp.
inline bool takes_part(unsigned mask, unsigned lane) {
    return ((mask & self->warp->existing) >> lane) & 1;
}

template <class T>
T shuffle(unsigned mask, T value, unsigned source) {
    static_assert(sizeof(T) <= Meeting::SHOWN_BYTES, "too large to be shown to other lanes");
    const auto shown = meet(Operation::SHUFFLE, mask, &value, sizeof(T));
    if (!takes_part(mask, source % WARP)) return value;
    T result;
    memcpy(&result, shown[source % WARP], sizeof(T));
    return result;
}

// How a parameter travels, told to the caller so that it can check what it passes: p(ointer), i(nteger), l(ong),
// f(loat).
template <class T>
constexpr char kind_of() {
    if (std::is_pointer<T>::value) return 'p';
    if (std::is_same<T, float>::value) return 'f';
    static_assert(std::is_pointer<T>::value || std::is_same<T, float>::value || sizeof(T) == 4 || sizeof(T) == 8,
                  "a kernel takes pointers, 32-bit and 64-bit integers, and floats");
    return sizeof(T) == 4 ? 'i' : 'l';
}

template <class... Parameters>
const char* signature_of(void (*)(Parameters...)) {
    static const char kinds[] = {kind_of<Parameters>()..., '\0'};
    return kinds;
}

template <class... Parameters, size_t... Each>
void call_each(void (*kernel)(Parameters...), void** arguments, std::index_sequence<Each...>) {
    (void)arguments;
    kernel(*static_cast<std::remove_const_t<Parameters>*>(arguments[Each])...);
}

// Calls a kernel by cuLaunchKernel's convention: an array of addresses of the arguments.
template <class... Parameters>
void call(void (*kernel)(Parameters...), void** arguments) {
    call_each(kernel, arguments, std::index_sequence_for<Parameters...>{});
}

}  // namespace simulator

// ---- CUDA's words, as far as the kernels use them ----

struct dim3 {
    unsigned x;
    unsigned y;
    unsigned z;
};

struct alignas(8) uint2 {
    unsigned x, y;
};

struct alignas(16) uint4 {
    unsigned x, y, z, w;
};

struct alignas(8) float2 {
    float x, y;
};

struct alignas(16) float4 {
    float x, y, z, w;
};

#define threadIdx (simulator::self->index)
#define blockIdx (simulator::self->block->index)
#define blockDim (simulator::self->block->extent)
#define gridDim (simulator::self->block->grid)

#define __device__
#define __forceinline__ inline
#define __restrict__ __restrict
#define __shared__ static thread_local

inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

inline void __syncthreads(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    simulator::block_barrier(false, {file, line});
}

inline int __syncthreads_or(int mine, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return simulator::block_barrier(mine != 0, {file, line});
}

inline int __syncthreads_and(int mine, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return !simulator::block_barrier(mine == 0, {file, line});
}

inline void __syncwarp(unsigned mask = ~0u) { simulator::meet(simulator::Operation::BARRIER, mask, nullptr, 0); }

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = simulator::WARP) {
    const unsigned lane = simulator::self->lane;
    return simulator::shuffle(mask, value, lane / width * width + static_cast<unsigned>(source) % width);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int = simulator::WARP) {
    return simulator::shuffle(mask, value, simulator::self->lane ^ static_cast<unsigned>(bits));
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = simulator::WARP) {
    const unsigned lane = simulator::self->lane;
    return simulator::shuffle(mask, value, lane % width + by < static_cast<unsigned>(width) ? lane + by : lane);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = simulator::WARP) {
    const unsigned lane = simulator::self->lane;
    return simulator::shuffle(mask, value, lane % width >= by ? lane - by : lane);
}

inline unsigned __ballot_sync(unsigned mask, int mine) {
    const unsigned char vote = mine != 0;
    const auto shown = simulator::meet(simulator::Operation::VOTE, mask, &vote, 1);
    unsigned votes = 0;
    for (unsigned lane = 0; lane < simulator::WARP; lane++) {
        if (simulator::takes_part(mask, lane) && shown[lane][0] != 0) votes |= 1u << lane;
    }
    return votes;
}

inline int __any_sync(unsigned mask, int mine) { return __ballot_sync(mask, mine) != 0; }
inline int __all_sync(unsigned mask, int mine) { return __ballot_sync(mask, !mine) == 0; }

inline float __uint_as_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

inline uint32_t __float_as_uint(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

inline int __float_as_int(float value) { return static_cast<int>(__float_as_uint(value)); }
inline float __int_as_float(int bits) { return __uint_as_float(static_cast<uint32_t>(bits)); }

inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __clz(int bits) { return bits == 0 ? 32 : __builtin_clz(static_cast<unsigned>(bits)); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>((static_cast<uint64_t>(a) * b) >> 32); }

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __fdividef(float a, float b) { return a / b; }

// Rounded to nearest, never contracted into a fused multiply-add: the device's own names for plain arithmetic.
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline int __float2int_rn(float a) { return static_cast<int>(rintf(a)); }

template <class T>
T min(T a, T b) {
    return a < b ? a : b;
}

template <class T>
T max(T a, T b) {
    return a > b ? a : b;
}

template <class T>
T __ldg(const T* p) {
    return *p;
}

// Blocks may run on several threads of the operating system at once, so atomics are atomic. There is none for floats:
// the result would depend on the order of the additions.
inline int atomicAdd(int* p, int v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }
inline unsigned atomicAdd(unsigned* p, unsigned v) { return __atomic_fetch_add(p, v, __ATOMIC_RELAXED); }

inline unsigned atomicMax(unsigned* p, unsigned v) {
    unsigned old = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (old < v && !__atomic_compare_exchange_n(p, &old, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return old;
}
