// Products of 8-bit codes with a scale for each row of both operands:
//     y[m, n] = x_scale[m] w_scale[n] sum_k x[m, k] w[n, k] + bias[n] + beta y[m, n]
// Scales of rows and columns leave the sum, so codes are multiplied as they are.
// called by nocturne.cuda.CudaCodeProducts, tested by CodeProductsTest

#include "operands.cuh"

// Codes of an operand: `lines` times `length` bytes, nothing between.
struct CodeMatrix {
    const uint8_t* codes;
    int lines;
    int length;
    // Whether chunks can be copied as they are.
    bool direct;

    DEVICE CodeMatrix(const uint8_t* codes, int lines, int length)
        : codes(codes), lines(lines), length(length), direct(length % CHUNK_BYTES == 0 && is_aligned(codes)) {}

    // Brings a chunk: codes `code` .. `code + CHUNK_BYTES - 1` of a line, zeros where there are none.
    DEVICE void copy_chunk(unsigned char* to, int line, int code) const {
        const bool inside = line < lines && code < length;
        const uint8_t* from = inside ? codes + static_cast<int64_t>(line) * length + code : codes;
        if (direct) {
            copy_async_16(to, from, inside);
            return;
        }
        // Not unrolled: it is rare, and would drown the common path.
#pragma unroll 1
        for (int i = 0; i < CHUNK_BYTES; i++) to[i] = inside && code + i < length ? from[i] : 0;
    }
};

struct MultiplyInt8 {
    typedef int32_t Sum;

    DEVICE static void multiply(int32_t (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
        multiply_s8(d, a, b0, b1);
    }
};

struct MultiplyE4m3 {
    typedef float Sum;

    DEVICE static void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
        multiply_e4m3(d, a, b0, b1);
    }
};

typedef Tiling<128, 128, 64, 32> CodeTiling;
constexpr int CODE_DEPTH = DEEP_CHUNKS * CHUNK_BYTES;

// x, w              [rows, depth], [columns, depth]
// x_scale, w_scale  float [rows], float [columns]; w_scale may be null for 1
// result            y and what is added to the scaled sums
//
// launch  grid tiles of y, block and shared memory as CodeTiling says: see nocturne.cuda.CudaCodeProducts
// numeric int8: sums exact up to a depth of 132 000; e4m3: products exact, sums in the tensor core's float; scales,
//         bias and beta in float; one rounding where y is stored
template <class Mma>
DEVICE void code_product(const CodeMatrix& x, const float* x_scale, const CodeMatrix& w, const float* w_scale,
                         const Result& result) {
    DYN_SHARED(unsigned char, memory);
    const TilePlace tile = place_of_tile<CodeTiling>(result.rows, result.columns);
    typename Mma::Sum sums[CodeTiling::DOWN][CodeTiling::ACROSS][4] = {};
    const auto load = [&](int stage, int step) {
        const int from = step * CODE_DEPTH;
        fill_tile<CodeTiling, CodeTiling::ROWS, DEEP_CHUNKS>(CodeTiling::left(memory, stage),
            [&](unsigned char* chunk, int line, int i) {
                x.copy_chunk(chunk, tile.row + line, from + i * CHUNK_BYTES);
            });
        fill_tile<CodeTiling, CodeTiling::COLUMNS, DEEP_CHUNKS>(CodeTiling::right(memory, stage),
            [&](unsigned char* chunk, int line, int i) {
                w.copy_chunk(chunk, tile.column + line, from + i * CHUNK_BYTES);
            });
    };
    const auto multiply = [&](int stage) {
        multiply_stage<CodeTiling, true, true, Mma>(sums, memory, stage);
    };
    run_stages((x.length + CODE_DEPTH - 1) / CODE_DEPTH, load, multiply);
    for_each_pack<CodeTiling>(sums, memory, [&](int row, int column, float* packed) {
        row += tile.row;
        column += tile.column;
        if (row >= result.rows) return;
        const float scale = x_scale[row];
        for (int i = 0; i < PACK; i++) {
            const bool scaled = w_scale != nullptr && column + i < result.columns;
            packed[i] *= scaled ? scale * w_scale[column + i] : scale;
        }
        result.put_pack(row, column, packed);
    });
}

#define CODE_PRODUCT_KERNEL(name, blocks, Mma)                                                                        \
    BOUNDED_KERNEL(CodeTiling::THREADS, blocks, name, const uint8_t* x, const float* x_scale, const uint8_t* w,       \
                   const float* w_scale, const void* bias, int bias_wide, void* y, int y_wide, int rows, int columns, \
                   int depth, float beta) {                                                                           \
        const Result result{y, y_wide != 0, false, rows, columns, 1.0f, beta, {bias, bias_wide != 0}};                \
        code_product<Mma>(CodeMatrix(x, rows, depth), x_scale, CodeMatrix(w, columns, depth), w_scale, result);       \
    }

CODE_PRODUCT_KERNEL(code_product_int8, 2, MultiplyInt8)

// On sm_90 and sm_100, ptxas 13.0 takes some 250 registers, as if it made half-precision products of those of e4m3;
// held to what two blocks leave, it spills.
#if ON_DEVICE && __CUDA_ARCH__ >= 900 && __CUDA_ARCH__ < 1200
constexpr int E4M3_BLOCKS = 1;
#else
constexpr int E4M3_BLOCKS = 2;
#endif
CODE_PRODUCT_KERNEL(code_product_e4m3, E4M3_BLOCKS, MultiplyE4m3)
