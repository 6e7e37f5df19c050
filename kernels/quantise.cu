// 8-bit codes of activations and gradients, and codes of weights turned round.
// called by nocturne.cuda.CudaCodeProducts, tested by CodeProductsTest

#include "device.cuh"

// ---- quantise_rows ----
//
// With v[r, c] = x[r, c] column_scale[c] and the largest code L (127 of int8, 448 of e4m3):
//     scale[r] = max_c |v[r, c]| / L,   codes[r, c] = round(v[r, c] / scale[r])
//
// x             [rows, columns]
// column_scale  float [columns], or null for 1: the scales of a weight's rows go into a gradient before it is quantised
//               and meets the weight's codes
// codes         [rows, columns]
// scales        float [rows]; NaN where the row holds a NaN or an infinity, so that what went wrong stays visible
//
// launch  grid rows, block a multiple of 32
// numeric v in float, rounded once; codes to nearest, ties to even

struct Int8Code {
    static constexpr float LARGEST = 127.0f;

    DEVICE static uint32_t of(float value) {
        return static_cast<uint8_t>(__float2int_rn(fminf(fmaxf(value, -LARGEST), LARGEST)));
    }
};

struct E4m3Code {
    static constexpr float LARGEST = 448.0f;

    DEVICE static uint32_t of(float value) {
        return from_float<e4m3>(value).bits;
    }
};

// A row without a number above this becomes zeros: 1 / scale would not be finite.
constexpr float NOTHING = 1e-30f;
constexpr float LARGEST_FLOAT = 3.402823466e38f;

// A row with its column scales, in packs where addresses allow it, else number by number.
template <class T>
struct ScaledRow {
    const T* numbers;
    const float* column_scale;
    bool packs;

    DEVICE ScaledRow(const T* numbers, const float* column_scale, int columns)
        : numbers(numbers), column_scale(column_scale),
          packs(columns % PACK == 0 && is_aligned(numbers) && is_aligned(column_scale)) {}

    // Numbers a thread takes at once.
    DEVICE int each() const {
        return packs ? PACK : 1;
    }

    // The first each() values are numbers c and following, the others 0.
    DEVICE void load_some(int c, float (&values)[PACK]) const {
        for (float& value : values) value = 0.0f;
        if (packs) load_pack(numbers + c, values);
        else values[0] = load(numbers, c);
        if (column_scale == nullptr) return;
        float factors[PACK] = {};
        if (packs) load_pack(column_scale + c, factors);
        else factors[0] = column_scale[c];
        for (int i = 0; i < PACK; i++) values[i] *= factors[i];
    }
};

template <class Code, class T>
DEVICE void quantise_rows(const T* x, const float* column_scale, uint8_t* codes, float* scales, int columns) {
    __shared__ float partials[MOST_WARPS];
    const int64_t offset = static_cast<int64_t>(blockIdx.x) * columns;
    const ScaledRow<T> row(x + offset, column_scale, columns);
    uint8_t* code_row = codes + offset;
    const int first = threadIdx.x * row.each();
    const int stride = blockDim.x * row.each();
    float largest = 0.0f;
    bool finite = true;
    for (int c = first; c < columns; c += stride) {
        float values[PACK];
        row.load_some(c, values);
        for (float value : values) {
            largest = fmaxf(largest, fabsf(value));
            finite = finite && fabsf(value) <= LARGEST_FLOAT;
        }
    }
    largest = block_max(largest, partials);
    finite = __syncthreads_and(finite) != 0;
    const bool something = finite && largest > NOTHING;
    const float inverse = something ? Code::LARGEST / largest : 0.0f;
    if (threadIdx.x == 0) {
        const float scale = something ? largest / Code::LARGEST : 0.0f;
        scales[blockIdx.x] = finite ? scale : __uint_as_float(0x7fc00000u);
    }
    const bool eight_bytes = row.packs && reinterpret_cast<uintptr_t>(code_row) % PACK == 0;
    for (int c = first; c < columns; c += stride) {
        float values[PACK];
        row.load_some(c, values);
        uint32_t bits[PACK];
        for (int i = 0; i < PACK; i++) bits[i] = Code::of(finite ? values[i] * inverse : 0.0f);
        if (eight_bytes) {
            *reinterpret_cast<uint2*>(code_row + c) =
                make_uint2(bits[0] | bits[1] << 8 | bits[2] << 16 | bits[3] << 24,
                           bits[4] | bits[5] << 8 | bits[6] << 16 | bits[7] << 24);
        } else {
            for (int i = 0; i < row.each(); i++) code_row[c + i] = static_cast<uint8_t>(bits[i]);
        }
    }
}

template <class T>
DEVICE void quantise_rows_int8(const T* x, const float* column_scale, uint8_t* codes, float* scales, int columns) {
    quantise_rows<Int8Code>(x, column_scale, codes, scales, columns);
}

STORAGE_KERNELS(quantise_rows_int8,
                (const T* x, const float* column_scale, uint8_t* codes, float* scales, int columns),
                (x, column_scale, codes, scales, columns))

template <class T>
DEVICE void quantise_rows_e4m3(const T* x, const float* column_scale, uint8_t* codes, float* scales, int columns) {
    quantise_rows<E4m3Code>(x, column_scale, codes, scales, columns);
}

STORAGE_KERNELS(quantise_rows_e4m3,
                (const T* x, const float* column_scale, uint8_t* codes, float* scales, int columns),
                (x, column_scale, codes, scales, columns))

// ---- transpose_codes ----
//
// transposed[c, r] = codes[r, c], of one byte each
//
// codes       [rows, columns]
// transposed  [columns, rows]
//
// launch  grid (ceil(columns / 128), ceil(rows / 128)), block any; 16 KB of shared memory

constexpr int SIDE = 128;
// Four bytes of a line travel as a word.
constexpr int WORDS = SIDE / 4;

// Bytes from .. from + 3 of a line, the first in the lowest bits, zeros behind its end.
DEVICE uint32_t load_word(const uint8_t* line, int from, int length, bool whole) {
    if (from >= length) return 0;
    if (whole) return *reinterpret_cast<const uint32_t*>(line + from);
    uint32_t word = 0;
    for (int i = 0; i < 4 && from + i < length; i++) word |= static_cast<uint32_t>(line[from + i]) << (8 * i);
    return word;
}

DEVICE void store_word(uint8_t* line, int from, int length, bool whole, uint32_t word) {
    if (from >= length) return;
    if (whole) {
        *reinterpret_cast<uint32_t*>(line + from) = word;
        return;
    }
    for (int i = 0; i < 4 && from + i < length; i++) line[from + i] = static_cast<uint8_t>(word >> (8 * i));
}

// Whether all lines consist of whole words at addresses for them.
DEVICE bool consists_of_words(const uint8_t* lines, int length) {
    return length % 4 == 0 && reinterpret_cast<uintptr_t>(lines) % 4 == 0;
}

KERNEL(transpose_codes, const uint8_t* codes, uint8_t* transposed, int rows, int columns) {
    // tile[c][w]: of column c, rows 4 w .. 4 w + 3. Words change places within their line, so that the lanes of a warp
    // meet different banks both when they write down and when they read across.
    __shared__ uint32_t tile[SIDE][WORDS];
    const int first_row = blockIdx.y * SIDE;
    const int first_column = blockIdx.x * SIDE;
    const bool whole = consists_of_words(codes, columns);
    for (int i = threadIdx.x; i < WORDS * WORDS; i += blockDim.x) {
        const int row = i / WORDS * 4;
        const int column = i % WORDS * 4;
        uint32_t lines[4];
        for (int r = 0; r < 4; r++) {
            const int at = first_row + row + r;
            const uint8_t* line = codes + static_cast<int64_t>(at) * columns;
            lines[r] = at < rows ? load_word(line, first_column + column, columns, whole) : 0;
        }
        for (int c = 0; c < 4; c++) {
            uint32_t word = 0;
            for (int r = 0; r < 4; r++) word |= (lines[r] >> (8 * c) & 0xffu) << (8 * r);
            tile[column + c][row / 4 ^ column / 4] = word;
        }
    }
    __syncthreads();
    const bool whole_targets = consists_of_words(transposed, rows);
    for (int i = threadIdx.x; i < SIDE * WORDS; i += blockDim.x) {
        const int column = i / WORDS;
        const int word = i % WORDS;
        if (first_column + column >= columns) break;
        uint8_t* line = transposed + static_cast<int64_t>(first_column + column) * rows;
        store_word(line, first_row + 4 * word, rows, whole_targets, tile[column][word ^ column / 4]);
    }
}
