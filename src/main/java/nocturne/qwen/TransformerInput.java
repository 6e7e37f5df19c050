package nocturne.qwen;

import java.util.List;
import nocturne.tensor.Tensor;

/// One batch for the transformer.
///
/// @param tokens      packed latents, `[B * N, 64]`: each sample's noisy target followed by its controls
/// @param text        prompt embeddings, `[B * L, J]`, padded at the end of each sample
/// @param textLengths how many of the L text rows of each sample are real
/// @param timesteps   noise level of each sample, in 0..1
/// @param grids       the pictures' sizes, target first; the same for all samples
public record TransformerInput(Tensor tokens, Tensor text, int[] textLengths, float[] timesteps, List<Grid> grids) {
    public TransformerInput {
        grids = List.copyOf(grids);
        int batch = timesteps.length;
        int perSample = grids.stream().mapToInt(Grid::tokens).sum();
        if (textLengths.length != batch || tokens.rows() != batch * perSample || text.rows() % batch != 0) {
            throw new IllegalArgumentException(
                    "batch of %d with tokens %s, text %s, %d text lengths, %d tokens a sample".formatted(
                    batch, tokens.shape(), text.shape(), textLengths.length, perSample));
        }
    }

    public int batch() {
        return timesteps.length;
    }

    /// Tokens of one sample, controls included.
    public int tokensPerSample() {
        return tokens.rows() / batch();
    }

    /// Tokens of one sample's target.
    public int targetTokens() {
        return grids.getFirst().tokens();
    }

    /// Text rows of one sample, padding included.
    public int textRows() {
        return text.rows() / batch();
    }
}
