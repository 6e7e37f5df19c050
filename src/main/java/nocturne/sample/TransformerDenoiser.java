package nocturne.sample;

import java.util.List;
import nocturne.qwen.Grid;
import nocturne.qwen.PromptEmbedding;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerInput;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;

/// The transformer, with whatever adapters it has, as the loop's model.
///
/// @param arena for the work of each pass, all of it given back to the arena after it; not closed here
public record TransformerDenoiser(QwenImageTransformer model, Backend backend, TensorArena arena) implements Denoiser {
    @Override
    public float[] velocity(float[] tokens, List<Grid> grids, float sigma, PromptEmbedding prompt) {
        try (TensorArena.Scope scope = arena.scope()) {
            int width = model.config().tokenWidth();
            TransformerInput input = new TransformerInput(
                    backend.tensor(arena, tokens, tokens.length / width, width),
                    backend.tensor(arena, prompt.rows(), prompt.tokens(), prompt.width()),
                    new int[] {prompt.tokens()},
                    new float[] {sigma},
                    grids);
            return backend.toArray(model.forward(Tape.inference(backend, arena), input, Tape.Keep.INPUTS));
        }
    }

    @Override
    public void announce(float[] sigmas) {
        model.announce(arena, sigmas);
    }
}
