package nocturne.job;

/// How often a job is tried before it has failed.
///
/// @param counted          how many attempts may fail in a way that another one may not
/// @param restartsAtOneStep how many restarts of the host in a row that find a job running, without a step made in
///                         between, count as one such failure: a job that takes the machine down must come to an end
public record Attempts(int counted, int restartsAtOneStep) {
    public static final Attempts STANDARD = new Attempts(3, 3);

    public Attempts {
        if (counted < 1 || restartsAtOneStep < 1) throw new IllegalArgumentException("at least one attempt");
    }
}
