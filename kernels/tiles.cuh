// How a block multiplies a tile on tensor cores: operands come into shared memory stage by stage, several stages ahead
// of their use; warps load fragments from there and keep the sums in registers.
//
// What is called depth is the axis that is summed over. Shared memory holds an operand as it lies in memory, in lines
// of 16-byte chunks: along the depth (lines are rows of the left operand or columns of the right one), or across it
// (lines are places of the depth), where loading a fragment transposes it. So no operand is transposed in memory.
#pragma once

#include "device.cuh"

constexpr int CHUNK_BYTES = 16;
// Chunks of a line that lies along the depth: a stage is 64 bytes deep, 32 bf16 or 64 codes.
constexpr int DEEP_CHUNKS = 4;
// A tensor core operation takes two chunks of depth.
constexpr int STEPS_OF_STAGE = DEEP_CHUNKS / 2;
// With three stages, two blocks of 128 x 128 fit into the 100 KB that small cards have.
constexpr int STAGES = 3;

// The tile of a block, and the part of it that a warp multiplies.
template <int TILE_ROWS, int TILE_COLUMNS, int ROWS_OF_WARP, int COLUMNS_OF_WARP>
struct Tiling {
    static constexpr int ROWS = TILE_ROWS;
    static constexpr int COLUMNS = TILE_COLUMNS;
    static constexpr int WARP_ROWS = ROWS_OF_WARP;
    static constexpr int WARP_COLUMNS = COLUMNS_OF_WARP;
    static constexpr int WARPS_ABREAST = COLUMNS / WARP_COLUMNS;
    static constexpr int THREADS = ROWS / WARP_ROWS * WARPS_ABREAST * WARP;
    // Fragments of a warp's part: 16 rows by 8 columns each.
    static constexpr int DOWN = WARP_ROWS / 16;
    static constexpr int ACROSS = WARP_COLUMNS / 8;
    static constexpr int LEFT_BYTES = ROWS * DEEP_CHUNKS * CHUNK_BYTES;
    static constexpr int STAGE_BYTES = LEFT_BYTES + COLUMNS * DEEP_CHUNKS * CHUNK_BYTES;

    DEVICE static int warp_row() {
        return warp_index() / WARPS_ABREAST * WARP_ROWS;
    }

    DEVICE static int warp_column() {
        return warp_index() % WARPS_ABREAST * WARP_COLUMNS;
    }

    DEVICE static unsigned char* left(unsigned char* memory, int stage) {
        return memory + stage * STAGE_BYTES;
    }

    DEVICE static unsigned char* right(unsigned char* memory, int stage) {
        return left(memory, stage) + LEFT_BYTES;
    }
};

// Where a block's tile begins.
struct TilePlace {
    int row;
    int column;
};

// Tile rows that are worked on together: blocks that run at the same time should share rows and columns, which are then
// read once from memory and stay in the cache.
constexpr int BAND = 8;

// Tiles are numbered by blockIdx.x, band by band, in a band column by column.
template <class Tiling>
DEVICE TilePlace place_of_tile(int rows, int columns) {
    const int tile_rows = (rows + Tiling::ROWS - 1) / Tiling::ROWS;
    const int tile_columns = (columns + Tiling::COLUMNS - 1) / Tiling::COLUMNS;
    const int tile = blockIdx.x;
    const int first_row = tile / (BAND * tile_columns) * BAND;
    const int height = min(BAND, tile_rows - first_row);
    const int in_band = tile - first_row * tile_columns;
    return {(first_row + in_band % height) * Tiling::ROWS, in_band / height * Tiling::COLUMNS};
}

// Where a chunk lies in a tile with CHUNKS chunks in each line, in bytes. Chunks change places within their line so
// that the eight that a fragment takes from neighbouring lines lie in different banks.
template <int CHUNKS>
DEVICE int chunk_offset(int line, int chunk) {
    constexpr int LINES_PER_SWAP = CHUNKS < 8 ? 8 / CHUNKS : 1;
    constexpr int SWAPS = CHUNKS < 8 ? CHUNKS : 8;
    return (line * CHUNKS + (chunk ^ (line / LINES_PER_SWAP % SWAPS))) * CHUNK_BYTES;
}

// Fills a tile: each thread of the block brings some chunks by `copy(to, line, chunk)`, line and chunk counted in the
// tile. What copy does not start asynchronously it must have written when it returns.
template <class Tiling, int LINES, int CHUNKS, class Copy>
DEVICE void fill_tile(unsigned char* tile, Copy copy) {
#pragma unroll
    for (int first = 0; first < LINES * CHUNKS; first += Tiling::THREADS) {
        const int i = first + threadIdx.x;
        if (LINES * CHUNKS % Tiling::THREADS != 0 && i >= LINES * CHUNKS) break;
        copy(tile + chunk_offset<CHUNKS>(i / CHUNKS, i % CHUNKS), i / CHUNKS, i % CHUNKS);
    }
}

// Calls load(stage, step) and multiply(stage) for steps 0 .. steps - 1, so that the loads of STAGES - 1 steps are under
// way while one is multiplied. Afterwards the stages' memory is free.
template <class Load, class Multiply>
DEVICE void run_stages(int steps, Load load, Multiply multiply) {
#pragma unroll
    for (int step = 0; step < STAGES - 1; step++) {
        if (step < steps) load(step, step);
        copy_async_commit();
    }
    int stage = 0;
    int stage_to_load = STAGES - 1;
    for (int step = 0; step < steps; step++) {
        copy_async_wait<STAGES - 2>();
        // Now this step's chunks are there, and nobody reads the stage any more that is loaded next.
        __syncthreads();
        if (step + STAGES - 1 < steps) load(stage_to_load, step + STAGES - 1);
        copy_async_commit();
        multiply(stage);
        stage = stage + 1 == STAGES ? 0 : stage + 1;
        stage_to_load = stage_to_load + 1 == STAGES ? 0 : stage_to_load + 1;
    }
    copy_async_wait<0>();
    __syncthreads();
}

// The fragment of the left operand at row `row` of the tile, for step `step` of the stage.
template <bool ALONG_DEPTH, int CHUNKS>
DEVICE void load_left(uint32_t (&a)[4], const unsigned char* tile, int row, int step) {
    const int lane = lane_index();
    // Which line a lane names: lanes 8 m .. 8 m + 7 those of the m-th matrix of load_matrices.
    const int in_order = lane % 16;
    const int in_eights = lane / 16 * 8 + lane % 8;
    if constexpr (ALONG_DEPTH) {
        load_matrices<false>(a, tile + chunk_offset<CHUNKS>(row + in_order, 2 * step + lane / 16));
    } else {
        load_matrices<true>(a, tile + chunk_offset<CHUNKS>(16 * step + in_eights, row / 8 + lane / 8 % 2));
    }
}

// Two fragments of the right operand, b[0], b[1] at column `column` of the tile and b[2], b[3] at the eighth after it.
template <bool ALONG_DEPTH, int CHUNKS>
DEVICE void load_right(uint32_t (&b)[4], const unsigned char* tile, int column, int step) {
    const int lane = lane_index();
    // Which line a lane names: lanes 8 m .. 8 m + 7 those of the m-th matrix of load_matrices.
    const int in_order = lane % 16;
    const int in_eights = lane / 16 * 8 + lane % 8;
    if constexpr (ALONG_DEPTH) {
        load_matrices<false>(b, tile + chunk_offset<CHUNKS>(column + in_eights, 2 * step + lane / 8 % 2));
    } else {
        load_matrices<true>(b, tile + chunk_offset<CHUNKS>(16 * step + in_order, column / 8 + lane / 16));
    }
}

// Adds the products of one stage to the sums of the calling warp's part.
//
// Mma  multiply(d, a, b0, b1) is the tensor core operation
template <class Tiling, bool LEFT_ALONG_DEPTH, bool RIGHT_ALONG_DEPTH, class Mma, class Sum>
DEVICE void multiply_stage(Sum (&sums)[Tiling::DOWN][Tiling::ACROSS][4], unsigned char* memory, int stage) {
    static_assert(Tiling::ACROSS % 2 == 0, "fragments of the right operand come in twos");
    constexpr int LEFT_CHUNKS = LEFT_ALONG_DEPTH ? DEEP_CHUNKS : Tiling::ROWS / 8;
    constexpr int RIGHT_CHUNKS = RIGHT_ALONG_DEPTH ? DEEP_CHUNKS : Tiling::COLUMNS / 8;
    const unsigned char* left = Tiling::left(memory, stage);
    const unsigned char* right = Tiling::right(memory, stage);
#pragma unroll
    for (int step = 0; step < STEPS_OF_STAGE; step++) {
        uint32_t a[Tiling::DOWN][4];
        uint32_t b[Tiling::ACROSS / 2][4];
#pragma unroll
        for (int i = 0; i < Tiling::DOWN; i++) {
            load_left<LEFT_ALONG_DEPTH, LEFT_CHUNKS>(a[i], left, Tiling::warp_row() + 16 * i, step);
        }
#pragma unroll
        for (int j = 0; j < Tiling::ACROSS / 2; j++) {
            load_right<RIGHT_ALONG_DEPTH, RIGHT_CHUNKS>(b[j], right, Tiling::warp_column() + 16 * j, step);
        }
#pragma unroll
        for (int i = 0; i < Tiling::DOWN; i++) {
#pragma unroll
            for (int j = 0; j < Tiling::ACROSS; j++) {
                Mma::multiply(sums[i][j], a[i], b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]);
            }
        }
    }
}

// Hands out the sums of a block as emit(row, column, place of PACK neighbours), row and column counted in the tile.
//
// Fragments hold pairs only; through shared memory a thread gets whole packs, which are its own until emit returns.
// Each warp stages 16 rows of its part at a time in a piece of its own of the stages' memory.
template <class Tiling, class Sum, class Emit>
DEVICE void for_each_pack(const Sum (&sums)[Tiling::DOWN][Tiling::ACROSS][4], unsigned char* memory, Emit emit) {
    // 8 more than a multiple of 32 (or of 16): the rows of a fragment begin in different banks.
    constexpr int STRIDE = Tiling::WARP_COLUMNS + 8;
    constexpr int PACKS = Tiling::WARP_COLUMNS / PACK;
    static_assert(Tiling::THREADS / WARP * 16 * STRIDE * 4 <= STAGES * Tiling::STAGE_BYTES, "staging is too large");
    static_assert(16 * PACKS % WARP == 0, "packs are dealt out evenly");
    float* staged = reinterpret_cast<float*>(memory) + warp_index() * 16 * STRIDE;
    const int lane = lane_index();
#pragma unroll
    for (int i = 0; i < Tiling::DOWN; i++) {
#pragma unroll
        for (int j = 0; j < Tiling::ACROSS; j++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                float* target = staged + (lane / 4 + 8 * half) * STRIDE + 8 * j + 2 * (lane % 4);
                target[0] = static_cast<float>(sums[i][j][2 * half]);
                target[1] = static_cast<float>(sums[i][j][2 * half + 1]);
            }
        }
        __syncwarp();
#pragma unroll
        for (int pack = lane; pack < 16 * PACKS; pack += WARP) {
            const int row = pack / PACKS;
            const int column = pack % PACKS * PACK;
            emit(Tiling::warp_row() + 16 * i + row, Tiling::warp_column() + column, staged + row * STRIDE + column);
        }
        __syncwarp();
    }
}
