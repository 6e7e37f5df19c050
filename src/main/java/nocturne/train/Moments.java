package nocturne.train;

import java.util.List;
import java.util.SequencedMap;
import nocturne.adapter.Lora;
import nocturne.tensor.Optimisation.AdamW;
import nocturne.tensor.Tensor;

/// What AdamW remembers about each parameter of a LoRA: the means of its gradient and of the gradient's square.
sealed interface Moments permits FloatMoments, ByteMoments {
    /// Updates every parameter that has a gradient; the others stay as they are, weight decay included.
    ///
    /// @param number of this update, from 1
    void update(Lora lora, AdamW settings, int number, float gradientFactor);

    /// All of it by name, as the state of a run holds it: float32 and bytes.
    SequencedMap<String, Tensor> tensors();

    /// The float32 numbers in it, which must stay finite.
    List<Tensor> numbers();
}
