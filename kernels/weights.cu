// Frozen weights: from the codes in which they are kept to numbers.
// called by nocturne.cuda.CodedWeight, tested by CodedWeightTest
//
// The formats are those of nocturne.quant. A weight is what its layer's product takes, so it is computed to the bit as
// the reference libraries do: in float, and rounded to the type that the weights had before they were quantised.

#include "device.cuh"

// The result of an operation in the arithmetic of the weights' own type.
DEVICE float in_type_of_weights(float value, int bf16_weights) {
    return bf16_weights != 0 ? to_float(from_float<bf16>(value)) : value;
}

struct Int8 {
    DEVICE static float value(uint32_t bits) {
        return static_cast<float>(static_cast<int8_t>(bits));
    }
};

struct E4m3 {
    DEVICE static float value(uint32_t bits) {
        return to_float(e4m3{static_cast<uint8_t>(bits)});
    }
};

// ---- decode_rows ----
//
// numbers[r, c] = scales[r] codes[r, c]
//
// codes         [rows, columns], a byte each
// scales        float [rows]
// numbers       [rows, columns]
// bf16_weights  1: the arithmetic is bf16's
//
// launch  grid (rows, ceil(columns / (PACK * block))), block any

template <class Code, class T>
DEVICE void decode_rows(const uint8_t* codes, const float* scales, T* numbers, int columns, int bf16_weights) {
    const int first = PACK * (blockIdx.y * blockDim.x + threadIdx.x);
    const int64_t offset = static_cast<int64_t>(blockIdx.x) * columns;
    const float scale = scales[blockIdx.x];
    if (first + PACK <= columns && columns % PACK == 0 && is_aligned(codes) && is_aligned(numbers)) {
        const uint2 bytes = *reinterpret_cast<const uint2*>(codes + offset + first);
        float values[PACK];
        for (int i = 0; i < PACK; i++) {
            const uint32_t code = (i < 4 ? bytes.x : bytes.y) >> (i % 4 * 8) & 0xffu;
            values[i] = in_type_of_weights(Code::value(code) * scale, bf16_weights);
        }
        store_pack(numbers + offset + first, values);
        return;
    }
    for (int c = first; c < columns && c < first + PACK; c++) {
        store(numbers, offset + c, in_type_of_weights(Code::value(codes[offset + c]) * scale, bf16_weights));
    }
}

template <class T>
DEVICE void decode_int8(const uint8_t* codes, const float* scales, T* numbers, int columns, int bf16_weights) {
    decode_rows<Int8>(codes, scales, numbers, columns, bf16_weights);
}

STORAGE_KERNELS(decode_int8,
                (const uint8_t* codes, const float* scales, T* numbers, int columns, int bf16_weights),
                (codes, scales, numbers, columns, bf16_weights))

template <class T>
DEVICE void decode_e4m3(const uint8_t* codes, const float* scales, T* numbers, int columns, int bf16_weights) {
    decode_rows<E4m3>(codes, scales, numbers, columns, bf16_weights);
}

STORAGE_KERNELS(decode_e4m3,
                (const uint8_t* codes, const float* scales, T* numbers, int columns, int bf16_weights),
                (codes, scales, numbers, columns, bf16_weights))

// ---- decode_bits ----
//
// numbers[i] = (codes[i] - zero_points[i / 64]) scales[i / 64]
//
// shards        the codes' bits, apart in shards of 4, 2 and 1: the shard of k bits holds code n + j length in bits
//               j k .. of byte n, with length = count k / 8; the widest comes first and has the lowest bits
// scales        float [count / 64]
// zero_points   [count / 64]
// numbers       [count], a matrix row by row
// count         a multiple of 64
// bits          of a code, 2 to 7
//
// launch  grid ceil(count / (PACK * block)), block any

constexpr int GROUP = 64;

// Adds the bits of one shard to PACK neighbouring codes. They lie in PACK neighbouring bytes, because the length of a
// shard is a multiple of PACK.
DEVICE void add_shard(const uint8_t* shard, int width, int lowest, int64_t first, int64_t count, int (&codes)[PACK]) {
    const int64_t length = count / (8 / width);
    const int shift = static_cast<int>(first / length) * width;
    const uint8_t* bytes = shard + first % length;
    for (int i = 0; i < PACK; i++) codes[i] |= (bytes[i] >> shift & ((1 << width) - 1)) << lowest;
}

template <class T>
DEVICE void decode_bits(const uint8_t* shards, const float* scales, const uint8_t* zero_points, T* numbers,
                        int64_t count, int bits, int bf16_weights) {
    const int64_t first = PACK * (static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x);
    if (first >= count) return;
    int codes[PACK] = {};
    const uint8_t* shard = shards;
    int lowest = 0;
    for (int width = 4; width > 0; width /= 2) {
        if ((bits & width) == 0) continue;
        add_shard(shard, width, lowest, first, count, codes);
        shard += count / (8 / width);
        lowest += width;
    }
    const float scale = scales[first / GROUP];
    const int zero_point = zero_points[first / GROUP];
    float values[PACK];
    for (int i = 0; i < PACK; i++) {
        values[i] = in_type_of_weights(static_cast<float>(codes[i] - zero_point) * scale, bf16_weights);
    }
    if (is_aligned(numbers)) {
        store_pack(numbers + first, values);
    } else {
        for (int i = 0; i < PACK; i++) store(numbers, first + i, values[i]);
    }
}

STORAGE_KERNELS(decode_bits,
                (const uint8_t* shards, const float* scales, const uint8_t* zero_points, T* numbers, int64_t count,
                 int bits, int bf16_weights),
                (shards, scales, zero_points, numbers, count, bits, bf16_weights))
