// What all kernels share: one source for the device (nvcc, NVRTC) and for the host simulator (g++), without CUDA's
// headers.
//
// Inline PTX lives in this file only; each wrapper has a twin for the simulator beside it. Storage types are bf16 and
// float (activations) and e4m3 (8-bit codes); arithmetic is in float.
#pragma once

#if defined(__CUDACC__)
#define ON_DEVICE 1
#else
#define ON_DEVICE 0
#endif

#if defined(__CUDACC_RTC__)
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef unsigned long long uintptr_t;
#else
#include <cstdint>
#endif

#if ON_DEVICE

#define DEVICE __device__ __forceinline__

// A function that can be launched by name. Parameters are pointers, 32- and 64-bit integers, and floats.
#define KERNEL(name, ...) extern "C" __global__ void name(__VA_ARGS__)

// A kernel whose registers are limited so that `blocks` blocks of at most `threads` threads share a multiprocessor.
#define BOUNDED_KERNEL(threads, blocks, name, ...) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(__VA_ARGS__)

// The shared memory whose size the launch gives, as an array of `type` called `name`.
#define DYN_SHARED(type, name) type* name = reinterpret_cast<type*>(dynamic_shared_memory)
extern __shared__ __align__(1024) unsigned char dynamic_shared_memory[];

#else

#include "simulator/simulator.h"

#define DEVICE inline

// Beside the kernel itself: how it is called with an array of arguments, what kinds of arguments it takes, and how many
// threads a block may have.
#define BOUNDED_KERNEL(threads, blocks, name, ...)                                           \
    extern "C" void name(__VA_ARGS__);                                                       \
    static void (*const name##__pointer)(__VA_ARGS__) = name;                                \
    extern "C" __attribute__((visibility("default"))) void name##__call(void** arguments) { \
        simulator::call(name##__pointer, arguments);                                         \
    }                                                                                        \
    extern "C" __attribute__((visibility("default"))) const char* name##__signature() {     \
        return simulator::signature_of(name##__pointer);                                     \
    }                                                                                        \
    extern "C" __attribute__((visibility("default"))) int name##__most_threads() {          \
        return threads;                                                                      \
    }                                                                                        \
    extern "C" void name(__VA_ARGS__)

#define KERNEL(name, ...) BOUNDED_KERNEL(1024, 1, name, __VA_ARGS__)

#define DYN_SHARED(type, name) type* name = reinterpret_cast<type*>(simulator::self->block->dynamicShared)

#endif

// The kernels name_f32 and name_bf16 from the function template `name`. In `parameters`, T is the storage type:
//     STORAGE_KERNELS(silu, (const T* x, T* y, int64_t count), (x, y, count))
#define STORAGE_KERNELS(name, parameters, arguments)             \
    namespace name##_for_f32 {                                   \
        typedef float T;                                         \
        KERNEL(name##_f32, STORAGE_LIST parameters) {            \
            name<T> arguments;                                   \
        }                                                        \
    }                                                            \
    namespace name##_for_bf16 {                                  \
        typedef bf16 T;                                          \
        KERNEL(name##_bf16, STORAGE_LIST parameters) {           \
            name<T> arguments;                                   \
        }                                                        \
    }

// The same with BOUNDED_KERNEL's limits.
#define BOUNDED_STORAGE_KERNELS(threads, blocks, name, parameters, arguments)        \
    namespace name##_for_f32 {                                                       \
        typedef float T;                                                             \
        BOUNDED_KERNEL(threads, blocks, name##_f32, STORAGE_LIST parameters) {       \
            name<T> arguments;                                                       \
        }                                                                            \
    }                                                                                \
    namespace name##_for_bf16 {                                                      \
        typedef bf16 T;                                                              \
        BOUNDED_KERNEL(threads, blocks, name##_bf16, STORAGE_LIST parameters) {      \
            name<T> arguments;                                                       \
        }                                                                            \
    }

#define STORAGE_LIST(...) __VA_ARGS__

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

DEVICE unsigned lane_index() {
    return threadIdx.x % WARP;
}

DEVICE unsigned warp_index() {
    return threadIdx.x / WARP;
}

// ---- Numbers ----

// The upper half of a float: 8 exponent and 7 mantissa bits.
struct bf16 {
    uint16_t bits;
};

// 4 exponent and 3 mantissa bits, bias 7, no infinities; 0x7f and 0xff are NaN.
// source: "FP8 Formats for Deep Learning", arXiv:2209.05433, table 1
struct e4m3 {
    uint8_t bits;
};

DEVICE float to_float(float value) {
    return value;
}

DEVICE float to_float(bf16 value) {
    return __uint_as_float(static_cast<uint32_t>(value.bits) << 16);
}

DEVICE float to_float(e4m3 value) {
    const uint32_t sign = static_cast<uint32_t>(value.bits & 0x80) << 24;
    const uint32_t magnitude = value.bits & 0x7f;
    if (magnitude == 0x7f) return __uint_as_float(sign | 0x7fffffffu);
    if (magnitude < 8) {
        const float subnormal = static_cast<float>(static_cast<int>(magnitude)) * 0.001953125f;  // 2^-9 each
        return sign != 0 ? -subnormal : subnormal;
    }
    return __uint_as_float(sign | ((magnitude << 20) + ((127 - 7) << 23)));
}

// A number in storage type T, rounded to nearest, ties to even: from_float<bf16>(x).
template <class T>
DEVICE T from_float(float value);

template <>
DEVICE float from_float<float>(float value) {
    return value;
}

// A NaN becomes 0x7fff, as the instruction makes it.
template <>
DEVICE bf16 from_float<bf16>(float value) {
#if ON_DEVICE
    bf16 result;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    return result;
#else
    const uint32_t bits = __float_as_uint(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return {0x7fff};
    // Just under half a unit, plus one if the kept part is odd, carries exactly where rounding goes upwards.
    return {static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16)};
#endif
}

// Saturating: what is beyond 448, infinity included, becomes 448; NaN becomes 0x7f.
template <>
DEVICE e4m3 from_float<e4m3>(float value) {
#if ON_DEVICE && __CUDA_ARCH__ >= 890
    uint16_t pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(value));
    return {static_cast<uint8_t>(pair & 0xff)};
#else
    constexpr uint32_t NAN_BEYOND = 0x7f800000u;
    constexpr uint32_t HALFWAY_BEYOND_LARGEST = 0x43e80000u;  // 464
    constexpr uint32_t SMALLEST_NORMAL = 0x3c800000u;         // 2^-6
    constexpr uint8_t LARGEST = 0x7e;
    uint32_t bits = __float_as_uint(value);
    const uint8_t sign = static_cast<uint8_t>((bits >> 24) & 0x80);
    bits &= 0x7fffffffu;
    if (bits > NAN_BEYOND) return {0x7f};
    if (bits >= HALFWAY_BEYOND_LARGEST) return {static_cast<uint8_t>(sign | LARGEST)};
    if (bits < SMALLEST_NORMAL) {
        // A float between 2^14 and 2^15 counts in steps of 2^-9, as e4m3's subnormals do: the addition rounds.
        const float aligned = __uint_as_float(bits) + 16384.0f;
        return {static_cast<uint8_t>(sign | (__float_as_uint(aligned) - 0x46800000u))};
    }
    bits += 0x7ffffu + ((bits >> 20) & 1);
    const uint32_t code = (bits >> 20) - ((127 - 7) << 3);
    return {static_cast<uint8_t>(sign | (code > LARGEST ? LARGEST : code))};
#endif
}

// Two bf16 in a register, as tensor cores take them: `low` in the lower half.
DEVICE uint32_t pack_bf16(float low, float high) {
#if ON_DEVICE
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
#else
    return static_cast<uint32_t>(from_float<bf16>(low).bits)
            | (static_cast<uint32_t>(from_float<bf16>(high).bits) << 16);
#endif
}

DEVICE float low_bf16(uint32_t pair) {
    return __uint_as_float(pair << 16);
}

DEVICE float high_bf16(uint32_t pair) {
    return __uint_as_float(pair & 0xffff0000u);
}

// ---- Memory ----

template <class T>
DEVICE float load(const T* from, int64_t index) {
    return to_float(from[index]);
}

template <class T>
DEVICE void store(T* to, int64_t index, float value) {
    to[index] = from_float<T>(value);
}

// Neighbouring numbers that one thread moves at once: 16 bytes of bf16, twice 16 of float.
constexpr int PACK = 8;

// Whether a pointer may be used with load_pack and store_pack, and any other 16-byte access.
template <class T>
DEVICE bool is_aligned(const T* pointer) {
    return reinterpret_cast<uintptr_t>(pointer) % 16 == 0;
}

DEVICE void require_aligned(const void* pointer) {
#if !ON_DEVICE
    if (reinterpret_cast<uintptr_t>(pointer) % 16 != 0) simulator::fail("16-byte access at %p", pointer);
#else
    (void)pointer;
#endif
}

DEVICE void load_pack(const float* from, float (&values)[PACK]) {
    require_aligned(from);
    const float4 first = reinterpret_cast<const float4*>(from)[0];
    const float4 second = reinterpret_cast<const float4*>(from)[1];
    values[0] = first.x;
    values[1] = first.y;
    values[2] = first.z;
    values[3] = first.w;
    values[4] = second.x;
    values[5] = second.y;
    values[6] = second.z;
    values[7] = second.w;
}

DEVICE void load_pack(const bf16* from, float (&values)[PACK]) {
    require_aligned(from);
    const uint4 pairs = *reinterpret_cast<const uint4*>(from);
    values[0] = low_bf16(pairs.x);
    values[1] = high_bf16(pairs.x);
    values[2] = low_bf16(pairs.y);
    values[3] = high_bf16(pairs.y);
    values[4] = low_bf16(pairs.z);
    values[5] = high_bf16(pairs.z);
    values[6] = low_bf16(pairs.w);
    values[7] = high_bf16(pairs.w);
}

DEVICE void store_pack(float* to, const float (&values)[PACK]) {
    require_aligned(to);
    reinterpret_cast<float4*>(to)[0] = make_float4(values[0], values[1], values[2], values[3]);
    reinterpret_cast<float4*>(to)[1] = make_float4(values[4], values[5], values[6], values[7]);
}

DEVICE void store_pack(bf16* to, const float (&values)[PACK]) {
    require_aligned(to);
    *reinterpret_cast<uint4*>(to) = make_uint4(pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3]),
                                               pack_bf16(values[4], values[5]), pack_bf16(values[6], values[7]));
}

// ---- Arithmetic ----

// 2^x, within 2^-22 of it; results below 2^-126 are 0.
DEVICE float exp2_approximate(float x) {
#if ON_DEVICE
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
#else
    return exp2f(x);
#endif
}

constexpr float LOG2_E = 1.44269504f;

// e^x; the relative error grows with |x|, to about 1e-5 where the result overflows or vanishes.
DEVICE float exp_approximate(float x) {
    return exp2_approximate(x * LOG2_E);
}

// a / b within 2 units in the last place; 0 where |b| is beyond 2^126.
DEVICE float divide_approximate(float a, float b) {
    return __fdividef(a, b);
}

// 1 / (1 + e^-x).
DEVICE float sigmoid(float x) {
    return divide_approximate(1.0f, 1.0f + exp_approximate(-x));
}

// ---- Reductions: all threads receive the same bits ----

DEVICE float warp_sum(float value) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        value += __shfl_xor_sync(ALL_LANES, value, distance);
    }
    return value;
}

DEVICE float warp_max(float value) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, distance));
    }
    return value;
}

constexpr int MOST_WARPS = 32;

// For a one-dimensional block of whole warps; all its threads must come here.
//
// partials  shared memory for MOST_WARPS floats, free again when this returns
DEVICE float block_sum(float value, float* partials) {
    value = warp_sum(value);
    if (lane_index() == 0) partials[warp_index()] = value;
    __syncthreads();
    float sum = 0.0f;
    for (unsigned warp = 0; warp < blockDim.x / WARP; warp++) sum += partials[warp];
    __syncthreads();
    return sum;
}

// As block_sum.
DEVICE float block_max(float value, float* partials) {
    value = warp_max(value);
    if (lane_index() == 0) partials[warp_index()] = value;
    __syncthreads();
    float most = partials[0];
    for (unsigned warp = 1; warp < blockDim.x / WARP; warp++) most = fmaxf(most, partials[warp]);
    __syncthreads();
    return most;
}

// ---- Asynchronous copies into shared memory ----

#if ON_DEVICE
DEVICE uint32_t shared_address(const void* pointer) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}
#endif

// Starts to copy 16 bytes; both addresses are multiples of 16. Where `valid` is false, zeros are written instead and
// `from` is not read, but it must be an address that could be.
DEVICE void copy_async_16(void* shared, const void* from, bool valid = true) {
#if ON_DEVICE
    const int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(from), "r"(bytes)
                 : "memory");
#else
    simulator::copy_async(shared, valid ? from : nullptr);
#endif
}

// Closes a group: all copies that this thread started since the last one.
DEVICE void copy_async_commit() {
#if ON_DEVICE
    asm volatile("cp.async.commit_group;" ::: "memory");
#else
    simulator::commit_copies();
#endif
}

// Waits until at most the REMAINING youngest groups of this thread are under way. Other threads see what has arrived
// after the next barrier.
template <int REMAINING>
DEVICE void copy_async_wait() {
#if ON_DEVICE
    asm volatile("cp.async.wait_group %0;" ::"n"(REMAINING) : "memory");
#else
    simulator::wait_for_copies(REMAINING);
#endif
}

#include "matrix.cuh"
