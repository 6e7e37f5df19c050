// Matrix products: c = alpha op(a) op(b) + bias + beta c, where op transposes or not. See nocturne.tensor.Products.
// called by nocturne.cuda.CudaProducts, tested by ProductsTwinTest
//
// Two ways: where both operands are float, product_floats multiplies in float; else tensor cores multiply bf16, with
// sums in float, and a float operand (a trained factor) is rounded to bf16 on its way into shared memory.
//
// Where a result has few tiles and many products to sum, several blocks share a tile: each sums a piece of the depth
// into memory of its own, and product_sum_pieces adds up the pieces in their order. No atomics, so the same bits each
// time.

#include "float_tiles.cuh"
#include "operands.cuh"

// Sums one tile over a piece of the depth.
template <class Tiling, bool A_ALONG_DEPTH, bool B_ALONG_DEPTH>
DEVICE void product(const Matrix& a, const Matrix& b, const Result& c, int from, int to) {
    DYN_SHARED(unsigned char, memory);
    const TilePlace tile = place_of_tile<Tiling>(c.rows, c.columns);
    float sums[Tiling::DOWN][Tiling::ACROSS][4] = {};
    const auto load = [&](int stage, int step) {
        const int depth = from + step * DEPTH;
        if constexpr (A_ALONG_DEPTH) {
            fill_tile<Tiling, Tiling::ROWS, DEEP_CHUNKS>(Tiling::left(memory, stage),
                [&](unsigned char* chunk, int line, int i) {
                    a.copy_chunk(chunk, tile.row + line, depth + i * PACK);
                });
        } else {
            fill_tile<Tiling, DEPTH, Tiling::ROWS / PACK>(Tiling::left(memory, stage),
                [&](unsigned char* chunk, int line, int i) {
                    a.copy_chunk(chunk, depth + line, tile.row + i * PACK);
                });
        }
        if constexpr (B_ALONG_DEPTH) {
            fill_tile<Tiling, Tiling::COLUMNS, DEEP_CHUNKS>(Tiling::right(memory, stage),
                [&](unsigned char* chunk, int line, int i) {
                    b.copy_chunk(chunk, tile.column + line, depth + i * PACK);
                });
        } else {
            fill_tile<Tiling, DEPTH, Tiling::COLUMNS / PACK>(Tiling::right(memory, stage),
                [&](unsigned char* chunk, int line, int i) {
                    b.copy_chunk(chunk, depth + line, tile.column + i * PACK);
                });
        }
    };
    const auto multiply = [&](int stage) {
        multiply_stage<Tiling, A_ALONG_DEPTH, B_ALONG_DEPTH, MultiplyBf16>(sums, memory, stage);
    };
    run_stages((to - from + DEPTH - 1) / DEPTH, load, multiply);
    for_each_pack<Tiling>(sums, memory, [&](int row, int column, const float* packed) {
        c.put_pack(tile.row + row, tile.column + column, packed);
    });
}

// product_<tiling>_<form>: the form's letters say of a and of b whether it is transposed (t) or not (n) before c = a b.
//
// a, b     numbers of either type, a_wide and b_wide tell
// bias     [columns of c], or null
// swapped  see Result: a and b are then the other operand's transpose
// pieces   float [gridDim.y, c's shape]; with gridDim.y == 1 unused and c receives the result
// piece_depth  of each piece; a multiple of 32
//
// launch   grid (tiles of c, pieces), block and shared memory as the tiling says: see nocturne.cuda.CudaProducts
// numeric  products of bf16 are exact, sums in float; alpha, bias and beta in float; one rounding where c is stored
#define PRODUCT_KERNEL(name, blocks, tiling, a_transposed, b_transposed)                                              \
    BOUNDED_KERNEL(tiling::THREADS, blocks, name, const void* a, int a_wide, const void* b, int b_wide,               \
                   const void* bias, int bias_wide, void* c, int c_wide, int swapped, int rows, int columns,          \
                   int depth, float alpha, float beta, float* pieces, int piece_depth) {                              \
        Result result{c, c_wide != 0, swapped != 0, rows, columns, alpha, beta, {bias, bias_wide != 0}};              \
        if (gridDim.y > 1) result = result.plain_sums(pieces + blockIdx.y * static_cast<int64_t>(rows) * columns);    \
        const Matrix left(a, a_wide != 0, a_transposed ? depth : rows, a_transposed ? rows : depth);                  \
        const Matrix right(b, b_wide != 0, b_transposed ? columns : depth, b_transposed ? depth : columns);           \
        const int from = blockIdx.y * piece_depth;                                                                    \
        product<tiling, !a_transposed, b_transposed>(left, right, result, from, min(from + piece_depth, depth));      \
    }

// For results with many rows and columns. Registers suffice for two blocks on a multiprocessor.
typedef Tiling<128, 128, 64, 32> LargeTiling;
PRODUCT_KERNEL(product_large_nn, 2, LargeTiling, false, false)
PRODUCT_KERNEL(product_large_nt, 2, LargeTiling, false, true)
PRODUCT_KERNEL(product_large_tn, 2, LargeTiling, true, false)
PRODUCT_KERNEL(product_large_tt, 2, LargeTiling, true, true)

// For results with few columns (or few rows, then swapped), such as those of a low-rank factor, which memory bounds.
typedef Tiling<128, 32, 32, 32> NarrowTiling;
PRODUCT_KERNEL(product_narrow_nn, 3, NarrowTiling, false, false)
PRODUCT_KERNEL(product_narrow_nt, 3, NarrowTiling, false, true)
PRODUCT_KERNEL(product_narrow_tn, 3, NarrowTiling, true, false)
PRODUCT_KERNEL(product_narrow_tt, 3, NarrowTiling, true, true)

// c = alpha (pieces[0] + pieces[1] + ...) + bias + beta c
//
// pieces  float [count, rows, columns]
//
// launch  grid ceil(rows * columns / block), block any
KERNEL(product_sum_pieces, const float* pieces, int count, const void* bias, int bias_wide, void* c, int c_wide,
       int rows, int columns, float alpha, float beta) {
    const int64_t size = static_cast<int64_t>(rows) * columns;
    const int64_t index = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (index >= size) return;
    float sum = 0.0f;
    for (int piece = 0; piece < count; piece++) sum += pieces[piece * size + index];
    const Result result{c, c_wide != 0, false, rows, columns, alpha, beta, {bias, bias_wide != 0}};
    result.put(static_cast<int>(index / columns), static_cast<int>(index % columns), sum);
}

// The same product in float, of numbers of any type.
//
// launch  grid (ceil(rows / 64), ceil(columns / 64)), block 256
BOUNDED_KERNEL(FLOAT_THREADS, 2, product_floats, const void* a, int a_wide, int a_transposed, const void* b, int b_wide,
               int b_transposed, const void* bias, int bias_wide, void* c, int c_wide, int rows, int columns, int depth,
               float alpha, float beta) {
    const Numbers left{a, a_wide != 0};
    const Numbers right{b, b_wide != 0};
    const Result result{c, c_wide != 0, false, rows, columns, alpha, beta, {bias, bias_wide != 0}};
    multiply_floats(rows, columns, depth, a_transposed == 0, b_transposed != 0,
        [&](int row, int k) {
            return left[a_transposed ? static_cast<int64_t>(k) * rows + row : static_cast<int64_t>(row) * depth + k];
        },
        [&](int column, int k) {
            return right[b_transposed ? static_cast<int64_t>(column) * depth + k
                                      : static_cast<int64_t>(k) * columns + column];
        },
        [&](int row, int column, float sum) { result.put(row, column, sum); });
}
