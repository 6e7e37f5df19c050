package nocturne.adapter;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Where each factor of a LoRA lies in one long vector of parameters.
///
/// All factors are trained by one optimiser call over contiguous memory; the vector is also what checkpoints store.
///
/// @param slots      one for each adapted layer, in model order
/// @param parameters length of the vector
public record LoraLayout(List<Slot> slots, int rank, long parameters) {
    public LoraLayout {
        slots = List.copyOf(slots);
    }

    /// One adapted layer: A is `[rank, in]` at `downAt`, B is `[out, rank]` at `upAt`.
    public record Slot(String module, int in, int out, long downAt, long upAt) {}

    /// @param targets the layers to adapt by name, in model order; at least one
    /// @param rank    at least 1, the same for every layer
    public static LoraLayout of(SequencedMap<String, LinearShape> targets, int rank) {
        if (targets.isEmpty() || rank < 1) {
            throw new IllegalArgumentException("a LoRA of rank %d on %d layers".formatted(rank, targets.size()));
        }
        List<Slot> slots = new ArrayList<>();
        long at = 0;
        for (Map.Entry<String, LinearShape> target : targets.entrySet()) {
            LinearShape shape = target.getValue();
            long upAt = at + (long) rank * shape.in();
            slots.add(new Slot(target.getKey(), shape.in(), shape.out(), at, upAt));
            at = upAt + (long) shape.out() * rank;
        }
        return new LoraLayout(slots, rank, at);
    }
}
