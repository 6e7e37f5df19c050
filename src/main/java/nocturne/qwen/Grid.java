package nocturne.qwen;

/// The size of one picture in latent tokens: a sixteenth of its pixels each way.
public record Grid(int rows, int columns) {
    public Grid {
        if (rows < 1 || columns < 1) throw new IllegalArgumentException("empty grid " + rows + " x " + columns);
    }

    /// The grid of a picture whose sides are multiples of 16.
    public static Grid ofPixels(int width, int height) {
        return new Grid(height / 16, width / 16);
    }

    public int tokens() {
        return rows * columns;
    }
}
