package nocturne.train;

/// Which table of noise levels training draws from, by the names of ai-toolkit's `timestep_type`.
public enum TimestepType {
    /// The sigmoid of normal numbers: most draws at medium noise. The table is drawn anew for each batch.
    SIGMOID,
    /// Every noise level equally often.
    LINEAR,
    /// The schedule used when sampling, shifted towards noise for large pictures; also `flux_shift`, `lumina2_shift`.
    SHIFT,
    /// As [#LINEAR], and each index has its fixed, empirical loss weight.
    WEIGHTED,
    /// Three quarters log-normal, one quarter linear. The table is drawn anew for each batch.
    LOGNORM_BLEND,
    /// A short schedule; the trainer takes one step along it before it measures the loss.
    NEXT_SAMPLE,
    /// Pure noise only.
    ONE_STEP,
    /// The levels that a model of two steps meets.
    TWO_STEP,
    /// The levels that a model of four steps meets.
    FOUR_STEP,
    /// The levels that a model of eight steps meets.
    EIGHT_STEP
}
