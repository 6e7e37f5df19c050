package nocturne.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Supplier;
import nocturne.adapter.LoraLayout;
import nocturne.bundle.Bundle;
import nocturne.dataset.findings.CaptionTokens;
import nocturne.dataset.findings.DatasetReport;
import nocturne.hub.ModelId;
import nocturne.memory.ActivationPlan;
import nocturne.memory.MemoryPlan;
import nocturne.memory.Workload;
import nocturne.plan.Inspection;
import nocturne.plan.ModelSearch;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.ModelSizes;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.Notice;
import nocturne.recipe.Recipe;
import nocturne.recipe.Severity;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape.Keep;
import org.jspecify.annotations.Nullable;

/// What a job will need, found out without a device, without computing, and without the model's weights.
///
/// @param found    the bundle: recipe, pictures
/// @param pictures what was found in them
/// @param notices  everything the person should know
/// @param layout   of the adapter
/// @param memory   of the device
/// @param disk     of the job's folders
/// @param work     of the arithmetic
/// @param seconds  as long as it takes if steps are computed as fast as those of earlier jobs on such a device; empty
///                 where there were none
public record Forecast(Inspection found, DatasetReport pictures, List<Notice> notices, LoraLayout layout,
        MemoryPlan memory, DiskNeed disk, WorkNeed work, OptionalDouble seconds) {
    public Forecast {
        notices = List.copyOf(notices);
    }

    /// A device as far as a forecast needs it.
    ///
    /// @param name      see [Backend#name]; empty for a card that is not here
    /// @param cardBytes a card's memory; 0 for the processor, which has the machine's
    /// @param rehearse  makes a device that takes memory as it does, see [Backend#rehearsal]
    public record Device(String name, long cardBytes, Supplier<Backend> rehearse) {
        /// What may be used: of a card a part is the driver's.
        private OptionalLong budget(@Nullable Long limit) {
            if (cardBytes == 0) return OptionalLong.empty();
            try (Backend card = rehearse.get()) {
                return MemoryBudget.of(cardBytes).limitedTo(limit).on(card);
            }
        }
    }

    /// @param model a pipeline instead of the one the recipe names; null for the recipe's
    /// @param models finds the one or the other
    /// @param cache the folder of caches, where earlier jobs have left how fast they were
    /// @throws UserMistake with everything that is wrong about bundle, recipe, pictures or model; `DEVICE_TOO_SMALL`
    public static Forecast of(
            Bundle bundle, String name, @Nullable String model, ModelSearch models, Path cache, Device device) {
        Optional<ModelFolder> folder;
        Inspection found;
        try {
            found = inspection(bundle, name, model, models, device);
            folder = Optional.of(ModelFolder.open(found.model()));
        } catch (UserMistake mistake) {
            boolean absent = mistake.problems().stream()
                    .allMatch(problem -> problem.code().equals(ModelSearch.NOT_FOUND));
            if (!absent || model != null) throw mistake;
            found = inspection(bundle, name, null, new ModelSearch.Unseen(models.folders()), device);
            Optional<ModelId> id = ModelId.of(found.resolved().recipe().model().nameOrPath());
            if (id.isEmpty() || !ModelId.KNOWN.contains(id.get())) throw mistake;
            folder = Optional.empty();
        }
        return of(found, folder, cache, device);
    }

    private static Inspection inspection(
            Bundle bundle, String name, @Nullable String model, ModelSearch models, Device device) {
        return device.cardBytes() == 0 ? Inspection.of(bundle, name, model, models)
                : Inspection.forCard(bundle, name, model, models, CardClass.of(device.cardBytes()).gigabytes());
    }

    private static Forecast of(Inspection found, Optional<ModelFolder> folder, Path cache, Device device) {
        Recipe recipe = found.resolved().recipe();
        ModelSizes sizes = folder.<ModelSizes>map(it -> it).orElse(ModelSizes.RELEASED);
        TransformerConfig config = sizes.transformerConfig();
        DatasetReport pictures =
                found.report(folder.<CaptionTokens>map(TokensOfModel::new).orElse(CaptionTokens.UNKNOWN));
        List<Notice> notices = new ArrayList<>(found.notices(pictures));
        if (folder.isEmpty()) {
            notices.add(new Notice("MODEL_NOT_FOUND", Severity.WARNING, "model.name_or_path",
                    "%s is not here; it is planned with the sizes it was released with, and cannot be trained yet."
                            .formatted(recipe.model().nameOrPath())));
        }
        FrozenWeights frozen = FrozenWeights.of(recipe.model(), found.recovery(), config,
                folder.map(ModelFolder::storedFormats).orElse(LayerFormats.NONE));
        LoraLayout layout = Settings.layout(recipe, config);
        Workloads workloads = new Workloads(recipe, sizes, config, frozen, layout);
        Workload workload = workloads.of(found.training(), found.heldOut(),
                Workloads.Tokens.expected(recipe, found.training(), pictures));
        OptionalLong budget = device.budget(recipe.vramLimit());
        MemoryPlan memory = budget.isPresent()
                ? MemoryPlan.within(budget.getAsLong(), workload, device.rehearse())
                : MemoryPlan.of(workload, Residency.ALL, ActivationPlan.of(config.layers(),
                        recipe.train().gradientCheckpointing() ? Keep.INPUTS : Keep.ALL), MemoryPlan.Arenas.GROWING,
                        device.rehearse());
        WorkNeed work = WorkNeed.of(recipe, config, workload, memory);
        OptionalDouble pace = new PastPace(cache).of(device.name());
        return new Forecast(found, pictures, notices, layout, memory,
                DiskNeed.of(workloads, workload, memory, found), work,
                pace.isPresent() ? OptionalDouble.of(work.secondsAt(pace.getAsDouble())) : OptionalDouble.empty());
    }
}
