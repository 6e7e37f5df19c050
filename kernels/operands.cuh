// What a product of bf16 or float numbers reads, and where its sums go. The storage type is told at run time, since a
// product may meet both: activations and frozen weights are of the backend's type, trained factors and their gradients
// are always float.
#pragma once

#include "tiles.cuh"

// Numbers stored as float where `wide`, else as bf16.
struct Numbers {
    const void* at;
    bool wide;

    DEVICE float operator[](int64_t index) const {
        return wide ? load(static_cast<const float*>(at), index) : load(static_cast<const bf16*>(at), index);
    }
};

// Numbers of depth in a stage.
constexpr int DEPTH = DEEP_CHUNKS * PACK;

// An operand as it lies in memory: `lines` times `length` numbers, nothing between.
struct Matrix {
    Numbers numbers;
    int lines;
    int length;
    // Whether chunks can be copied as they are.
    bool direct;

    DEVICE Matrix(const void* at, bool wide, int lines, int length)
        : numbers{at, wide}, lines(lines), length(length), direct(!wide && length % PACK == 0 && is_aligned(at)) {}

    // Brings a chunk: numbers `number` .. `number + PACK - 1` of a line as bf16, zeros where there are none.
    DEVICE void copy_chunk(unsigned char* to, int line, int number) const {
        const bool inside = line < lines && number < length;
        const int64_t index = inside ? static_cast<int64_t>(line) * length + number : 0;
        if (direct) {
            copy_async_16(to, static_cast<const bf16*>(numbers.at) + index, inside);
            return;
        }
        gather(reinterpret_cast<bf16*>(to), index, inside ? min(length - number, PACK) : 0);
    }

    // Brings the first `count` numbers of a chunk and zeros behind them.
    DEVICE void gather(bf16* to, int64_t index, int count) const {
        const float* floats = static_cast<const float*>(numbers.at) + index;
        if (numbers.wide && count == PACK && is_aligned(floats)) {
            float values[PACK];
            load_pack(floats, values);
            store_pack(to, values);
            return;
        }
        // Common: a rank of 16 fills half of the narrowest tile.
        if (count == 0) {
            const float zeros[PACK] = {};
            store_pack(to, zeros);
            return;
        }
        // Not unrolled: it is rare, and would drown the common path.
#pragma unroll 1
        for (int i = 0; i < PACK; i++) store(to, i, i < count ? numbers[index + i] : 0.0f);
    }
};

struct MultiplyBf16 {
    DEVICE static void multiply(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
        multiply_bf16(d, a, b0, b1);
    }
};

// c[row, column] = alpha sum[row, column] + bias[column] + beta c[row, column]
//
// With beta == 0, c is not read. Where `swapped`, what the kernel calls row is c's column and the other way round: the
// product of two matrices is the transpose of the product of their transposes.
struct Result {
    void* c;
    bool wide;
    bool swapped;
    // As the kernel sees them.
    int rows;
    int columns;
    float alpha;
    float beta;
    // May be null.
    Numbers bias;

    // The same places in memory of its own that receives the plain sums.
    DEVICE Result plain_sums(float* sums) const {
        return {sums, true, swapped, rows, columns, 1.0f, 0.0f, {nullptr, true}};
    }

    DEVICE int64_t index_of(int row, int column) const {
        return swapped ? static_cast<int64_t>(column) * rows + row : static_cast<int64_t>(row) * columns + column;
    }

    DEVICE void put(int row, int column, float sum) const {
        const int64_t index = index_of(row, column);
        float value = alpha * sum;
        if (bias.at != nullptr) value += bias[swapped ? row : column];
        if (beta != 0.0f) value = fmaf(beta, Numbers{c, wide}[index], value);
        if (wide) store(static_cast<float*>(c), index, value);
        else store(static_cast<bf16*>(c), index, value);
    }

    // PACK neighbours of a row, whose sums lie together; what lies outside of the result is left out.
    DEVICE void put_pack(int row, int column, const float* sums) const {
        if (row >= rows || column >= columns) return;
        if (swapped || columns % PACK != 0 || !is_aligned(c)) {
            // Not unrolled: it is rare, and would drown the common path.
#pragma unroll 1
            for (int i = 0; i < PACK && column + i < columns; i++) put(row, column + i, sums[i]);
        } else if (wide) {
            put_whole_pack(static_cast<float*>(c) + index_of(row, column), column, sums);
        } else {
            put_whole_pack(static_cast<bf16*>(c) + index_of(row, column), column, sums);
        }
    }

    template <class T>
    DEVICE void put_whole_pack(T* target, int column, const float* sums) const {
        float values[PACK];
        load_pack(sums, values);
        for (float& value : values) value *= alpha;
        if (bias.at != nullptr) {
            for (int i = 0; i < PACK; i++) values[i] += bias[column + i];
        }
        if (beta != 0.0f) {
            float before[PACK];
            load_pack(target, before);
            for (int i = 0; i < PACK; i++) values[i] = fmaf(beta, before[i], values[i]);
        }
        store_pack(target, values);
    }
};
