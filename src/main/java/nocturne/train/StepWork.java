package nocturne.train;

import nocturne.memory.PassShape;
import nocturne.qwen.TransformerConfig;

/// Floating point operations that a training step cannot do without, for one sample: products of the frozen layers and
/// attention. Adapters add about one per cent, and what is computed a second time to save memory is not counted.
///
/// @param linear    of the blocks' linear layers, forward; their backward pass, towards the activations alone, is as
///     much again
/// @param attention forward; backward it is 2.5 times that (arXiv:2307.08691, section 4)
record StepWork(double linear, double attention) {
    /// Multiplications and additions.
    private static final double EACH = 2;
    /// Products of attention: scores and values.
    private static final double ATTENTION_PRODUCTS = 2;
    private static final double ATTENTION_BACKWARD = 2.5;
    /// Weights of a stream in units of width squared: queries, keys, values, output, and the MLP's two times four.
    private static final int STREAM = 12;
    /// Of the last block's text only queries, keys and values have an effect.
    private static final int LAST_TEXT = 3;

    static StepWork of(TransformerConfig config, int pictureTokens, int textTokens) {
        double square = (double) config.width() * config.width();
        double perLayer = STREAM * (double) config.layers();
        double weighed = perLayer * pictureTokens + (perLayer - STREAM + LAST_TEXT) * textTokens;
        double rows = pictureTokens + textTokens;
        return new StepWork(EACH * square * weighed,
                EACH * ATTENTION_PRODUCTS * rows * rows * config.width() * config.layers());
    }

    /// Of one sample of a pass.
    static StepWork of(TransformerConfig config, PassShape pass) {
        return of(config, pass.tokens() - pass.textRows(), pass.textRows());
    }

    /// Forward and backward.
    double step() {
        return 2 * linear + (1 + ATTENTION_BACKWARD) * attention;
    }
}
