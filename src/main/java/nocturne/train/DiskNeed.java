package nocturne.train;

import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import nocturne.adapter.LinearShape;
import nocturne.adapter.LoraTargets;
import nocturne.dataset.Sample;
import nocturne.memory.MemoryPlan;
import nocturne.memory.Workload;
import nocturne.plan.Inspection;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.ModelSizes;
import nocturne.qwen.TextEncoderConfig;
import nocturne.qwen.TransformerConfig;
import nocturne.qwen.VisionTowerConfig;
import nocturne.recipe.Recipe;
import nocturne.recipe.WeightFormat;

/// What a job writes, in bytes. Files of tensors are counted without their headers, which take some ten thousand bytes.
///
/// @param adapter     one file of the adapter
/// @param checkpoints all that are kept at the same time, with the raw adapter beside each average
/// @param state       what the run needs to go on after an interruption: the three files that may be there
/// @param cache       latents and embeddings, at most
/// @param weights     the cache of weights in a smaller format, where it is not there yet
public record DiskNeed(long adapter, long checkpoints, long state, long cache, long weights) {
    static DiskNeed of(Workloads workloads, Workload work, MemoryPlan memory, Inspection found) {
        Recipe recipe = workloads.recipe();
        int width = switch (recipe.save().dtype()) {
            case F16, BF16 -> Short.BYTES;
            case F32 -> Float.BYTES;
        };
        long adapter = workloads.layout().parameters() * width;
        long each = adapter * (recipe.train().ema().on() ? 2 : 1);
        long numbered = Math.min(recipe.save().keep(),
                Math.max(0, (recipe.train().steps() - 1) / recipe.save().everySteps()));
        long state = memory.standing().adapter() + memory.standing().optimizer() + memory.standing().average();
        return new DiskNeed(adapter, (numbered + 1) * each, Snapshots.MOST * state, cache(workloads, work, found),
                transformer(workloads) + textEncoder(recipe, workloads.model()));
    }

    private static long cache(Workloads workloads, Workload work, Inspection found) {
        Stream<Sample> samples = found.heldOut() == null ? found.training().samples().stream()
                : Stream.concat(found.training().samples().stream(), found.heldOut().samples().stream());
        TransformerConfig config = work.transformer();
        long prompt = (long) work.training().textRows() * config.textWidth();
        return samples.mapToLong(sample -> {
            long tokens = workloads.grids(sample).stream().mapToLong(Grid::tokens).sum();
            // With controls, the empty prompt of caption dropout is another one for each picture.
            int prompts = sample.controls().isEmpty() ? 1 : 2;
            return Float.BYTES * (tokens * config.tokenWidth() + prompts * prompt);
        }).sum();
    }

    /// Of the layers that are brought to a format, and do not lie in it.
    private static long transformer(Workloads workloads) {
        TransformerConfig config = workloads.config();
        SequencedMap<String, LinearShape> layers = LoraTargets.of(config.layers(), config.width());
        layers.putAll(LoraTargets.outside(config.width(), config.textWidth(), config.tokenWidth()));
        Map<String, WeightType> stored = workloads.frozen().stored().types();
        long bytes = 0;
        for (Map.Entry<String, WeightType> layer : workloads.frozen().wanted().types().entrySet()) {
            LinearShape shape = layers.get(layer.getKey());
            boolean lies = stored.containsKey(layer.getKey()) && layer.getValue().isFloat8();
            if (shape != null && !lies) bytes += layer.getValue().bytes(shape.out(), shape.in());
        }
        return bytes;
    }

    private static long textEncoder(Recipe recipe, ModelSizes sizes) {
        WeightFormat format = recipe.model().textEncoderFormat();
        if (format == null || !format.type().isApplied()) return 0;
        WeightType type = format.type();
        TextEncoderConfig text = sizes.textEncoderConfig();
        int heads = text.heads() * text.headDim();
        int keys = text.kvHeads() * text.headDim();
        List<LinearShape> layer = List.of(new LinearShape(heads, text.width()), new LinearShape(keys, text.width()),
                new LinearShape(keys, text.width()), new LinearShape(text.width(), heads),
                new LinearShape(text.mlpWidth(), text.width()), new LinearShape(text.mlpWidth(), text.width()),
                new LinearShape(text.width(), text.mlpWidth()));
        return text.layers() * bytes(type, layer) + (recipe.model().architecture().edits() ? vision(type, sizes) : 0);
    }

    private static long vision(WeightType type, ModelSizes sizes) {
        VisionTowerConfig vision = sizes.visionConfig();
        int width = vision.width();
        int merged = width * vision.mergeSize() * vision.mergeSize();
        List<LinearShape> block = List.of(new LinearShape(3 * width, width), new LinearShape(width, width),
                new LinearShape(vision.mlpWidth(), width), new LinearShape(vision.mlpWidth(), width),
                new LinearShape(width, vision.mlpWidth()));
        return vision.layers() * bytes(type, block) + bytes(type,
                List.of(new LinearShape(merged, merged), new LinearShape(vision.outWidth(), merged)));
    }

    private static long bytes(WeightType type, List<LinearShape> layers) {
        return layers.stream().mapToLong(shape -> type.bytes(shape.out(), shape.in())).sum();
    }

    public long bytes() {
        return checkpoints + state + cache + weights;
    }
}
