package nocturne.dataset.findings;

/// How the run's length and the dataset's size fit: the numbers of ruling X-08. `steps` is the whole run; nothing is
/// multiplied by anything.
///
/// @param steps           of the whole run
/// @param batchSize       samples at once
/// @param accumulation    batches of one step
/// @param samplesPerEpoch pictures times repeats, copies and resolutions, over all datasets
public record RunLength(long steps, int batchSize, int accumulation, long samplesPerEpoch) {
    /// Samples of one step.
    public long samplesPerStep() {
        return (long) batchSize * accumulation;
    }

    /// Steps in which every sample is seen once.
    public double stepsPerEpoch() {
        return (double) samplesPerEpoch / samplesPerStep();
    }

    /// How often the run sees every sample.
    public double epochs() {
        return samplesPerEpoch == 0 ? 0 : (double) steps * samplesPerStep() / samplesPerEpoch;
    }
}
