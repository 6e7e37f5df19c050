// Tensor core operations: a warp multiplies small matrices that lie scattered over its lanes. Included by device.cuh.
//
// All lanes of the warp take part. Fragment layouts are those of the PTX manual, section "Warp-level matrix
// instructions"; with g = lane / 4 and t = lane % 4:
//
//     d[i]   row g + 8 (i / 2), column 2 t + i % 2, of a 16 x 8 matrix
//     a[i]   row g + 8 (i % 2), columns K / 2 (i / 2) + P t and the P - 1 next, of a 16 x K matrix
//     b[i]   column g, rows K / 2 i + P t and the P - 1 next, of a K x 8 matrix
//
// where a register holds P = 2 bf16 or P = 4 8-bit numbers, the first in the lowest bits.
#pragma once

// Loads four 8 x 8 matrices of 16-bit numbers from shared memory (or 8 x 16 of 8-bit ones).
//
// row  lanes 8 m .. 8 m + 7 bring the addresses of the rows of matrix m: 16 bytes each, multiples of 16
// fragments[m] receives, of matrix m, row lane / 4, columns 2 (lane % 4) and the next: what mma wants. TRANSPOSED:
// column lane / 4, rows 2 (lane % 4) and the next.
template <bool TRANSPOSED>
DEVICE void load_matrices(uint32_t (&fragments)[4], const void* row) {
#if ON_DEVICE
    if (TRANSPOSED) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
                     : "r"(shared_address(row)));
    } else {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
                     : "r"(shared_address(row)));
    }
#else
    require_aligned(row);
    const auto shown = simulator::meet(simulator::Operation::MATRIX_LOAD, ALL_LANES, &row, sizeof row);
    const auto number = [shown](int matrix, int r, int c) {
        const uint16_t* numbers;
        memcpy(&numbers, shown[8 * matrix + r], sizeof numbers);
        return static_cast<uint32_t>(numbers[c]);
    };
    const int outer = lane_index() / 4;
    const int inner = 2 * (lane_index() % 4);
    for (int m = 0; m < 4; m++) {
        const uint32_t low = TRANSPOSED ? number(m, inner, outer) : number(m, outer, inner);
        const uint32_t high = TRANSPOSED ? number(m, inner + 1, outer) : number(m, outer, inner + 1);
        fragments[m] = low | high << 16;
    }
#endif
}

#if !ON_DEVICE
// The simulator's tensor core: d += a b with the fragments of all lanes, terms added in the order of K.
//
// PER_REGISTER  how many numbers of K a register holds
// number(register, i)  number i of a register, ready to be multiplied
template <int PER_REGISTER, class Sum, class Number>
void multiply_fragments(Sum (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, Number number) {
    const uint32_t mine[6] = {a[0], a[1], a[2], a[3], b0, b1};
    const auto shown = simulator::meet(simulator::Operation::MATRIX_PRODUCT, ALL_LANES, mine, sizeof mine);
    // The two rows of a and the two columns of b that the lane's four sums are of.
    constexpr int DEPTH = 8 * PER_REGISTER;
    Sum rows[2][DEPTH];
    Sum columns[2][DEPTH];
    for (int i = 0; i < 2; i++) {
        for (int lane = 0; lane < 4; lane++) {
            const auto row = shown[4 * (lane_index() / 4) + lane];
            const auto column = shown[4 * (2 * (lane_index() % 4) + i) + lane];
            for (int upper = 0; upper < 2; upper++) {
                uint32_t left;
                uint32_t right;
                memcpy(&left, row + 4 * (i + 2 * upper), 4);
                memcpy(&right, column + 4 * (4 + upper), 4);
                const int first = PER_REGISTER * (4 * upper + lane);
                for (int j = 0; j < PER_REGISTER; j++) {
                    rows[i][first + j] = number(left, j);
                    columns[i][first + j] = number(right, j);
                }
            }
        }
    }
    // Four sums in registers: the compiler keeps none there that it finds by a variable index.
    Sum sums[4] = {d[0], d[1], d[2], d[3]};
    for (int k = 0; k < DEPTH; k++) {
        sums[0] += rows[0][k] * columns[0][k];
        sums[1] += rows[0][k] * columns[1][k];
        sums[2] += rows[1][k] * columns[0][k];
        sums[3] += rows[1][k] * columns[1][k];
    }
    for (int i = 0; i < 4; i++) d[i] = sums[i];
}
#endif

// d (16 x 8, float) += a (16 x 16, bf16) b (16 x 8, bf16).
DEVICE void multiply_bf16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#if ON_DEVICE
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
    multiply_fragments<2>(d, a, b0, b1, [](uint32_t pair, int i) { return i == 0 ? low_bf16(pair) : high_bf16(pair); });
#endif
}

// d (16 x 8, int32) += a (16 x 32, int8) b (32 x 8, int8), exactly.
DEVICE void multiply_s8(int32_t (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#if ON_DEVICE
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
    multiply_fragments<4>(d, a, b0, b1, [](uint32_t four, int i) {
        return static_cast<int32_t>(static_cast<int8_t>(four >> (8 * i)));
    });
#endif
}

// d (16 x 8, float) += a (16 x 32, e4m3) b (32 x 8, e4m3). Only cards from sm_89 on have it; on others a kernel that
// gets here stops.
DEVICE void multiply_e4m3(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#if ON_DEVICE && __CUDA_ARCH__ >= 890
    asm("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#elif ON_DEVICE
    __trap();
#else
    multiply_fragments<4>(d, a, b0, b1, [](uint32_t four, int i) {
        return to_float(e4m3{static_cast<uint8_t>(four >> (8 * i))});
    });
#endif
}
