package nocturne.adapter;

/// The size of a linear layer whose weight is `[out, in]`.
public record LinearShape(int out, int in) {
    public LinearShape {
        if (out < 1 || in < 1) throw new IllegalArgumentException("empty linear layer [%d, %d]".formatted(out, in));
    }

    @Override
    public String toString() {
        return "[" + out + ", " + in + "]";
    }
}
