package nocturne.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import nocturne.adapter.AdapterFile;
import nocturne.adapter.AdapterModule;
import nocturne.adapter.AdapterWeights;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Lets a training begin where another one's LoRA ended.
final class StartingAdapter {
    private StartingAdapter() {}

    /// Puts a file's LoRA among the initial values, such that the model begins with exactly the file's effect.
    ///
    /// A file of a smaller rank fills the first rows; the rest keeps its fresh start, which adds nothing. Layers the
    /// file does not have keep theirs too.
    ///
    /// @param legal  the layers a file may have
    /// @param values the fresh start, changed here
    /// @throws UserMistake `ADAPTER_INVALID` if the file is broken or cannot be continued under this recipe
    static void put(Path file, SequencedMap<String, LinearShape> legal, Lora lora, float[] values) {
        AdapterWeights weights = AdapterFile.read(file, legal);
        LoraLayout layout = lora.layout();
        Map<String, AdapterModule> modules = weights.modules();
        List<Problem> problems = new ArrayList<>();
        for (LoraLayout.Slot slot : layout.slots()) {
            AdapterModule module = modules.get(slot.module());
            if (module instanceof AdapterModule.LowRank low && low.rank() <= layout.rank()) {
                put(low, slot, layout.rank(), lora.scale(), values);
            } else if (module instanceof AdapterModule.LowRank low) {
                problems.add(problem(file, slot.module(), "has rank %d; set network.linear to at least that, not %d"
                        .formatted(low.rank(), layout.rank())));
            } else if (module instanceof AdapterModule.Kronecker) {
                problems.add(problem(file, slot.module(),
                        "is a LoKr, which a LoRA cannot continue; start from a LoRA"));
            }
        }
        for (String module : modules.keySet()) {
            if (layout.slots().stream().noneMatch(slot -> slot.module().equals(module))) {
                problems.add(problem(file, module, "is in the file, but the recipe's layer filters leave it out;"
                        + " its effect would be lost"));
            }
        }
        if (!problems.isEmpty()) {
            throw new UserMistake("%s cannot be continued: %d problem%s.".formatted(
                    file, problems.size(), problems.size() == 1 ? "" : "s"), problems);
        }
    }

    private static Problem problem(Path file, String module, String what) {
        return new Problem("ADAPTER_INVALID", String.valueOf(file.getFileName()) + " " + module, what);
    }

    private static void put(AdapterModule.LowRank low, LoraLayout.Slot slot, int rank, float scale, float[] values) {
        System.arraycopy(low.down(), 0, values, (int) slot.downAt(), low.down().length);
        for (int o = 0; o < slot.out(); o++) {
            for (int r = 0; r < low.rank(); r++) {
                values[(int) slot.upAt() + o * rank + r] = low.up()[o * low.rank() + r] * low.scale() / scale;
            }
        }
    }
}
