package nocturne.adapter;

import java.util.ArrayList;
import java.util.List;

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

    /// @param targets the layers to adapt, in model order; at least one
    /// @param rank    at least 1, the same for every layer
    public static LoraLayout of(List<LoraTarget> targets, int rank) {
        if (targets.isEmpty() || rank < 1) {
            throw new IllegalArgumentException("a LoRA of rank %d on %d layers".formatted(rank, targets.size()));
        }
        List<Slot> slots = new ArrayList<>();
        long at = 0;
        for (LoraTarget target : targets) {
            long upAt = at + (long) rank * target.in();
            slots.add(new Slot(target.module(), target.in(), target.out(), at, upAt));
            at = upAt + (long) target.out() * rank;
        }
        return new LoraLayout(slots, rank, at);
    }
}
