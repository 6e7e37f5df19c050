package nocturne.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import nocturne.adapter.AdapterFile;
import nocturne.adapter.AdapterMetadata;
import nocturne.adapter.AdapterModule;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.io.ContentHash;
import nocturne.io.DType;
import nocturne.problem.SickMachine;
import nocturne.recipe.Recipe;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;

/// Writes the adapters a person downloads, and keeps as many as the recipe asks for.
///
/// `<name>_000000100.safetensors` after 100 steps, `<name>.safetensors` at the end, as in ai-toolkit. With a moving
/// average that is what these files hold, and `<name>_000000100_raw.safetensors` holds the adapter as trained.
final class Checkpoints {
    private final Path folder;
    private final Recipe recipe;
    private final Lora lora;
    private final Backend backend;
    private final AdapterMetadata template;
    private final long stepsPerEpoch;

    /// A file that was written.
    record Saved(int step, String file, long bytes, String sha256) {}

    /// @param template metadata of the files; name, step and epoch are filled in
    Checkpoints(Path folder, Recipe recipe, Lora lora, Backend backend, AdapterMetadata template, long stepsPerEpoch) {
        this.folder = folder;
        this.recipe = recipe;
        this.lora = lora;
        this.backend = backend;
        this.template = template;
        this.stepsPerEpoch = stepsPerEpoch;
    }

    /// Writes the adapter after a step.
    ///
    /// @param isFinal   whether it is the one that the run ends with
    /// @param values    what the main file holds: the average where there is one
    /// @param average   whether `values` are an average, so that the adapter as trained gets a file too
    /// @param untrained whether the adapter may still change nothing, as after a warm-up's first step of rate 0
    Saved write(int step, boolean isFinal, Tensor values, boolean average, boolean untrained) {
        String name = isFinal ? recipe.name() : name(step);
        if (average) write(name + "_raw", step, lora.values(), untrained);
        return write(name, step, values, untrained);
    }

    private String name(int step) {
        return step == recipe.train().steps() ? recipe.name() : "%s_%09d".formatted(recipe.name(), step);
    }

    private Saved write(String name, int step, Tensor values, boolean untrained) {
        float[] numbers = backend.toArray(values);
        List<AdapterModule.LowRank> modules = new ArrayList<>();
        int rank = lora.layout().rank();
        for (LoraLayout.Slot slot : lora.layout().slots()) {
            modules.add(new AdapterModule.LowRank(slot.module(), rank, slot.in(), slot.out(),
                    slice(numbers, slot.downAt(), rank * slot.in()), slice(numbers, slot.upAt(), slot.out() * rank),
                    lora.scale()));
        }
        AdapterMetadata.Training training = template.training();
        AdapterMetadata metadata = new AdapterMetadata(name, template.trigger(), template.baseModel(),
                template.family(), training.at(step, stepsPerEpoch), template.version(), template.provenance());
        Path file = folder.resolve(name + ".safetensors");
        AdapterFile.write(file, modules, dtype(), metadata, untrained);
        return saved(step, file);
    }

    private static float[] slice(float[] numbers, long from, int count) {
        float[] part = new float[count];
        System.arraycopy(numbers, (int) from, part, 0, count);
        return part;
    }

    private DType dtype() {
        return switch (recipe.save().dtype()) {
            case F16 -> DType.F16;
            case BF16 -> DType.BF16;
            case F32 -> DType.F32;
        };
    }

    /// The checkpoints that earlier runs of the job left, up to a step, ascending.
    List<Saved> upTo(int done) {
        List<Saved> found = new ArrayList<>();
        for (int step = 1; step <= done; step++) {
            Path file = folder.resolve(name(step) + ".safetensors");
            if (Files.isRegularFile(file)) found.add(saved(step, file));
        }
        return found;
    }

    private static Saved saved(int step, Path file) {
        try {
            return new Saved(step, String.valueOf(file.getFileName()), Files.size(file), ContentHash.ofFile(file));
        } catch (IOException e) {
            throw new SickMachine("OUTPUT_UNUSABLE", "looking at " + file + ": " + e, e);
        }
    }

    /// Removes the oldest numbered checkpoints beyond the number the recipe keeps; the best so far always stays.
    ///
    /// @param heldOut held-out loss by step, where it was measured
    /// @return the steps whose files were removed
    List<Integer> prune(List<Saved> saved, Map<Integer, Double> heldOut) {
        List<Saved> numbered =
                new ArrayList<>(saved.stream().filter(s -> s.file().startsWith(name(s.step()) + "."))
                        .filter(s -> s.step() != recipe.train().steps()).toList());
        int best = numbered.stream()
                .filter(s -> heldOut.containsKey(s.step()))
                .min(Comparator.comparingDouble(s -> heldOut.getOrDefault(s.step(), Double.POSITIVE_INFINITY)))
                .map(Saved::step)
                .orElse(-1);
        List<Integer> removed = new ArrayList<>();
        int excess = numbered.size() - recipe.save().keep();
        for (Saved old : numbered) {
            if (excess <= 0) break;
            if (old.step() == best) continue;
            // In this order: after a kill in between, the file that is still there brings us here again.
            remove(name(old.step()) + "_raw");
            remove(name(old.step()));
            removed.add(old.step());
            excess--;
        }
        return removed;
    }

    private void remove(String name) {
        Path file = folder.resolve(name + ".safetensors");
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new SickMachine("OUTPUT_UNUSABLE", "removing the old checkpoint " + file + ": " + e, e);
        }
    }

    /// Our own entries of the files' metadata.
    static Map<String, String> provenance(String job, String bundleHash, String recipeHash) {
        Map<String, String> provenance = new LinkedHashMap<>();
        provenance.put("job", job);
        provenance.put("bundle_sha256", bundleHash);
        provenance.put("recipe_sha256", recipeHash);
        return provenance;
    }
}
