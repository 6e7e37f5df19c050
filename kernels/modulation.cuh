// Which modulation row a token takes, and how the tokens' contributions to its gradient are summed.
//
// Tokens are [batch, rows], one after another. Token i of a sample takes the sample's own modulation row where
// i < split, else row `tail`. This is nocturne.tensor.RowMap.
//
// The gradient of a modulation row is a sum over all tokens that took it. It is made in two stages and always in the
// same order, without atomics: tokens are cut into runs of at most RUN rows that share a modulation row; a first kernel
// (the one whose gradient it is) writes the sum of each run, modulation_gradient adds up the runs.
#pragma once

#include "device.cuh"

struct RowMap {
    int batch;
    int rows;
    int split;
    int tail;

    DEVICE int modulation_row(int row) const {
        return row % rows < split ? row / rows : tail;
    }
};

// Tokens of a run. The same number stands in nocturne.cuda.ModulationGradient, which counts the runs.
constexpr int RUN = 32;

struct Run {
    int from;
    int to;
    int modulation_row;
};

DEVICE int runs_of(int rows) {
    return (rows + RUN - 1) / RUN;
}

// Runs are numbered by sample; in a sample, those in front of the split come first.
DEVICE int runs_per_sample(const RowMap& map) {
    return runs_of(map.split) + runs_of(map.rows - map.split);
}

DEVICE Run run_at(const RowMap& map, int run) {
    const int sample = run / runs_per_sample(map);
    const int in_sample = run % runs_per_sample(map);
    const int first_row = sample * map.rows;
    const int runs_in_front = runs_of(map.split);
    if (in_sample < runs_in_front) {
        const int from = in_sample * RUN;
        return {first_row + from, first_row + min(from + RUN, map.split), sample};
    }
    const int from = map.split + (in_sample - runs_in_front) * RUN;
    return {first_row + from, first_row + min(from + RUN, map.rows), map.tail};
}
