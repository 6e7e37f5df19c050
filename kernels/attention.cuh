// What the kernels of attention.cu, attention_backward.cu and attention_plain.cu share.
//
// For each head of each sequence, with P = softmax(scale * q k^T + bias):
//     o = P v,   log_sum_exp[r] = log(sum_j exp(scale * q[r] k[j] + bias[j]))
// and, with delta[r] = sum_c do[r, c] o[r, c] and ds = P * (do v^T - delta):
//     dv = P^T do,   dq = scale * ds k,   dk = scale * ds^T q
// source: "Attention Is All You Need", arXiv:1706.03762, equation 1; computed in tiles that never leave a
//         multiprocessor, with a saved log-sum-exp, as in "FlashAttention-2", arXiv:2307.08691, algorithms 1 and 2
//
// The gradients are made by two kernels, of which one owns keys and the other queries. Both make the probabilities
// anew, seven products instead of five, but each sum has one owner that adds in a fixed order: no atomics, always the
// same bits.
//
// A query that sees no key at all gets zeros and a log-sum-exp of infinity, from which the backward pass makes
// probabilities of zero.
//
// Parameters that mean the same in all kernels:
//   q, o, do, dq   [rows, heads * head_dim]; head h reads key head h * kv_heads / heads
//   k, v, dk, dv   [rows, kv_heads * head_dim]
//   key_bias       float [rows], 0 or negative infinity; or null
//   bounds         int [sequences + 1]: sequence s is rows bounds[s] .. bounds[s + 1]; a block's sequence is blockIdx.z
//   log_sum_exp    float [heads, rows]
//   delta          float [heads, rows]
//   causal         not 0: a query sees no key behind its own position
#pragma once

#include "device.cuh"

DEVICE float infinity() {
    return __uint_as_float(0x7f800000u);
}

struct Sequence {
    int first;
    int length;
};

DEVICE Sequence sequence_at(const int* bounds, int index) {
    return {bounds[index], bounds[index + 1] - bounds[index]};
}

// One head's columns of one sequence's rows.
template <class T>
struct HeadRows {
    T* first;
    int stride;
    int length;
    int width;

    DEVICE T* row(int index) const {
        return first + static_cast<int64_t>(index) * stride;
    }
};

// matrix  [rows, heads * head_dim]
template <class T>
DEVICE HeadRows<T> head_rows(T* matrix, const Sequence& sequence, int head, int heads, int head_dim) {
    const int stride = heads * head_dim;
    T* first = matrix + static_cast<int64_t>(sequence.first) * stride + head * head_dim;
    return {first, stride, sequence.length, head_dim};
}

// Where a head's statistics of a sequence begin in log_sum_exp or delta.
template <class T>
DEVICE T* head_statistics(T* statistics, const Sequence& sequence, int head, int rows) {
    return statistics + static_cast<int64_t>(head) * rows + sequence.first;
}
