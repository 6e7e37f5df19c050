package nocturne.tensor;

import java.util.HashMap;
import java.util.Map;

/// Memory for results that are used at once and computed again when a gradient asks for them: one place for each kind,
/// which the blocks of a model share.
final class BriefResults {
    private final TensorArena arena;
    private final Map<Integer, Tensor> places = new HashMap<>();

    BriefResults(TensorArena arena) {
        this.arena = arena;
    }

    /// A tensor in a place; what lay there before is lost.
    Tensor at(int place, Shape shape) {
        Tensor memory = places.get(place);
        if (memory == null || memory.elements() < shape.elements()) {
            memory = arena.allocate(shape);
            places.put(place, memory);
        }
        return memory.slice(0, shape.toArray());
    }
}
