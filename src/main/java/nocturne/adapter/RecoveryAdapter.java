package nocturne.adapter;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import nocturne.adapter.AdapterModule.LowRank;
import nocturne.problem.UserMistake;
import nocturne.tensor.Adapters;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// An accuracy recovery adapter (ARA): trained to give back what a format of few bits takes from the layers it names.
///
/// Exactly these layers are kept in the format; all others stay as they are. The adapter stands beside its layers,
/// frozen, in training and in sampling; it is never merged and never becomes part of what is trained or saved.
///
/// Source: ai-toolkit's `accuracy_recovery_adapter`, which gives a LoRA the scale 1 whatever alpha the file holds.
///
/// @param modules by layer, in the model's order; LoRA or LoKr
public record RecoveryAdapter(SequencedMap<String, AdapterModule> modules) {
    /// Reads a file in any of the dialects of [AdapterFile#read].
    ///
    /// @param legal the layers of the model, by name
    /// @throws UserMistake as [AdapterFile#read]
    public static RecoveryAdapter read(Path file, Map<String, LinearShape> legal) {
        SequencedMap<String, AdapterModule> modules = new LinkedHashMap<>();
        AdapterFile.read(file, legal).modules().forEach((name, module) -> modules.put(name, switch (module) {
            case LowRank low -> new LowRank(name, low.rank(), low.in(), low.out(), low.down(), low.up(), 1);
            case AdapterModule.Kronecker kronecker -> kronecker;
        }));
        return new RecoveryAdapter(modules);
    }

    /// The layers that are to be kept in the format.
    public Set<String> names() {
        return modules.keySet();
    }

    /// The adapter as tensors.
    ///
    /// @param arena where they stay as long as the model does
    public Adapters beside(Backend backend, TensorArena arena) {
        Map<String, List<Linear.Adapter>> tensors = new LinkedHashMap<>();
        modules.forEach((name, module) -> tensors.put(name, List.of(switch (module) {
            case LowRank low -> new Linear.LowRank(
                    backend.floats(arena, low.down(), low.rank(), low.in()),
                    backend.floats(arena, low.up(), low.out(), low.rank()),
                    low.scale());
            case AdapterModule.Kronecker lokr -> new Linear.Kronecker(
                    tensor(lokr.first(), backend, arena), tensor(lokr.second(), backend, arena), lokr.scale());
        })));
        return module -> tensors.getOrDefault(module, List.of());
    }

    private static Tensor tensor(AdapterModule.Factor factor, Backend backend, TensorArena arena) {
        return backend.floats(arena, factor.values(), factor.rows(), factor.columns());
    }
}
