// How a block multiplies a tile in float, without tensor cores: the plain way, for float32 models and for what has no
// faster one. Any source can be multiplied, given as a function of row (or column) and depth.
#pragma once

#include "device.cuh"

// A block makes FLOAT_TILE x FLOAT_TILE results, each thread FLOAT_PART x FLOAT_PART of them.
constexpr int FLOAT_TILE = 64;
constexpr int FLOAT_DEPTH = 16;
constexpr int FLOAT_PART = 4;
constexpr int FLOAT_SIDE = FLOAT_TILE / FLOAT_PART;
constexpr int FLOAT_THREADS = FLOAT_SIDE * FLOAT_SIDE;

// A strip of an operand: places of the depth, then rows (or columns). One more, so that writing down a column does not
// meet the same bank each time.
typedef float FloatStrip[FLOAT_DEPTH][FLOAT_TILE + 1];

// Brings numbers first .. first + FLOAT_TILE - 1, at depths from .. from + FLOAT_DEPTH - 1, zeros where there are none.
//
// along_depth  whether neighbours in memory are neighbours in depth: then so are the threads that load them
template <class Source>
DEVICE void fill_strip(FloatStrip& strip, int first, int count, int from, int depth, bool along_depth, Source source) {
    for (int i = threadIdx.x; i < FLOAT_TILE * FLOAT_DEPTH; i += FLOAT_THREADS) {
        const int number = along_depth ? i / FLOAT_DEPTH : i % FLOAT_TILE;
        const int k = along_depth ? i % FLOAT_DEPTH : i / FLOAT_TILE;
        const bool inside = first + number < count && from + k < depth;
        strip[k][number] = inside ? source(first + number, from + k) : 0.0f;
    }
}

// emit(row, column, sum over k of left(row, k) right(column, k)) for the tile at (blockIdx.x, blockIdx.y), terms added
// in the order of k.
//
// launch  grid (ceil(rows / FLOAT_TILE), ceil(columns / FLOAT_TILE)), block FLOAT_THREADS
template <class Left, class Right, class Emit>
DEVICE void multiply_floats(int rows, int columns, int depth, bool left_along_depth, bool right_along_depth, Left left,
                            Right right, Emit emit) {
    __shared__ FloatStrip left_strip;
    __shared__ FloatStrip right_strip;
    const int first_row = blockIdx.x * FLOAT_TILE;
    const int first_column = blockIdx.y * FLOAT_TILE;
    // Threads take every FLOAT_SIDE-th row and column, so that neighbours write neighbours.
    const int thread_row = threadIdx.x / FLOAT_SIDE;
    const int thread_column = threadIdx.x % FLOAT_SIDE;
    float sums[FLOAT_PART][FLOAT_PART] = {};
    for (int from = 0; from < depth; from += FLOAT_DEPTH) {
        fill_strip(left_strip, first_row, rows, from, depth, left_along_depth, left);
        fill_strip(right_strip, first_column, columns, from, depth, right_along_depth, right);
        __syncthreads();
#pragma unroll
        for (int k = 0; k < FLOAT_DEPTH; k++) {
#pragma unroll
            for (int i = 0; i < FLOAT_PART; i++) {
                const float factor = left_strip[k][thread_row + i * FLOAT_SIDE];
#pragma unroll
                for (int j = 0; j < FLOAT_PART; j++) {
                    sums[i][j] = fmaf(factor, right_strip[k][thread_column + j * FLOAT_SIDE], sums[i][j]);
                }
            }
        }
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < FLOAT_PART; i++) {
#pragma unroll
        for (int j = 0; j < FLOAT_PART; j++) {
            const int row = first_row + thread_row + i * FLOAT_SIDE;
            const int column = first_column + thread_column + j * FLOAT_SIDE;
            if (row < rows && column < columns) emit(row, column, sums[i][j]);
        }
    }
}
