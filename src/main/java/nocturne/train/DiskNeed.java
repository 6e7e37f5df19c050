package nocturne.train;

import java.util.stream.Stream;
import nocturne.adapter.LoraLayout;
import nocturne.dataset.Sample;
import nocturne.memory.MemoryPlan;
import nocturne.memory.Workload;
import nocturne.plan.Inspection;
import nocturne.qwen.Grid;
import nocturne.recipe.Recipe;

/// What a job writes, in bytes. Files of tensors are counted without their headers, which take some ten thousand bytes.
///
/// @param adapter     one file of the adapter
/// @param checkpoints all that are kept at the same time, with the raw adapter beside each average
/// @param state       what the run needs to go on after an interruption: the three files that may be there
/// @param cache       latents and embeddings, at most
/// @param weights     the cache of weights in a smaller format
public record DiskNeed(long adapter, long checkpoints, long state, long cache, long weights) {
    private static final int STATES = 3;
    private static final int LATENT_CHANNELS = 64;

    static DiskNeed of(Recipe recipe, LoraLayout layout, MemoryPlan memory, Workload work, Inspection found) {
        int width = switch (recipe.save().dtype()) {
            case F16, BF16 -> Short.BYTES;
            case F32 -> Float.BYTES;
        };
        long adapter = layout.parameters() * width;
        long each = adapter * (recipe.train().ema().on() ? 2 : 1);
        long numbered = Math.min(recipe.save().keep(),
                Math.max(0, (recipe.train().steps() - 1) / recipe.save().everySteps()));
        long state = memory.standing().adapter() + memory.standing().optimizer() + memory.standing().average();
        return new DiskNeed(adapter, (numbered + 1) * each, STATES * state, cache(found, work),
                work.formats().modules().isEmpty() ? 0 : memory.standing().coded() + memory.host().pinned());
    }

    private static long cache(Inspection found, Workload work) {
        Stream<Sample> samples = found.heldOut() == null ? found.training().samples().stream()
                : Stream.concat(found.training().samples().stream(), found.heldOut().samples().stream());
        int text = work.training().textRows();
        return samples.mapToLong(sample -> {
            long tokens = Grid.ofPixels(sample.width(), sample.height()).tokens() * (1L + sample.controls().size());
            return Float.BYTES * (tokens * LATENT_CHANNELS + (long) text * work.transformer().textWidth());
        }).sum();
    }

    public long bytes() {
        return checkpoints + state + cache + weights;
    }
}
