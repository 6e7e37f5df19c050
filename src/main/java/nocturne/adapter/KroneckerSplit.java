package nocturne.adapter;

/// How LoKr divides one side of a weight between its two factors: `first * second` is the side.
///
/// Source: `factorization` of LyCORIS, as ai-toolkit uses it.
public record KroneckerSplit(int first, int second) {

    /// @param dim    the side to divide, at least 1
    /// @param factor wanted size of the first factor; anything below 1 means: as near to the square root as can be
    public static KroneckerSplit of(int dim, int factor) {
        if (dim < 1) throw new IllegalArgumentException("cannot divide a side of " + dim);
        if (factor > 0 && dim % factor == 0) return new KroneckerSplit(factor, dim / factor);
        int best = 1;
        for (int divisor = 1; (long) divisor * divisor <= dim && (factor < 1 || divisor <= factor); divisor++) {
            if (dim % divisor == 0) best = divisor;
        }
        return new KroneckerSplit(best, dim / best);
    }
}
