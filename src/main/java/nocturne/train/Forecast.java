package nocturne.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Supplier;
import nocturne.adapter.LoraLayout;
import nocturne.bundle.Bundle;
import nocturne.dataset.findings.DatasetReport;
import nocturne.hub.ModelId;
import nocturne.memory.MemoryPlan;
import nocturne.plan.Inspection;
import nocturne.plan.Inspector;
import nocturne.plan.ModelSearch;
import nocturne.problem.UserMistake;
import nocturne.qwen.ModelFolder;
import nocturne.recipe.Adaptation;
import nocturne.recipe.Notice;
import nocturne.tensor.Backend;
import nocturne.tensor.DeviceMemory;
import org.jspecify.annotations.Nullable;

/// What a job will need, found out before it computes; it needs neither a device nor the model's weights.
///
/// @param found    the bundle: recipe, pictures
/// @param device   what of the recipe follows from the device, and what is given up for its memory
/// @param pictures what was found in them
/// @param notices  everything the person should know
/// @param layout   of the adapter
/// @param memory   of the device
/// @param disk     of the job's folders
/// @param work     of the arithmetic
/// @param seconds  as long as it takes if steps are computed as fast as those of earlier jobs on such a device; empty
///                 where there were none
public record Forecast(Inspection found, Adaptation device, DatasetReport pictures, List<Notice> notices,
        LoraLayout layout, MemoryPlan memory, DiskNeed disk, WorkNeed work, OptionalDouble seconds) {
    public Forecast {
        notices = List.copyOf(notices);
    }

    /// A device as far as a forecast needs it.
    ///
    /// @param name      see [Backend#name]; empty for a card that is not here
    /// @param cardBytes a card's memory, or how much of it there is said to be; 0 for the processor, which has the
    ///                  machine's
    /// @param budget    of that
    /// @param known     how its memory stands; empty where it is not here, or has none of its own
    /// @param hostBytes the memory of the machine that it is in; empty where that is not this one
    /// @param rehearse  makes a device that takes memory as it does, see [Backend#rehearsal]
    public record Device(String name, long cardBytes, MemoryBudget budget, Optional<DeviceMemory> known,
            OptionalLong hostBytes, Supplier<Backend> rehearse) {
        /// A card that need not be here.
        public static Device card(long bytes, Supplier<Backend> rehearse) {
            return new Device("", bytes, MemoryBudget.of(bytes), Optional.empty(), OptionalLong.empty(), rehearse);
        }

        /// The processor of this machine.
        public static Device processor(String name, Supplier<Backend> rehearse) {
            return new Device(name, 0, MemoryBudget.FREE, Optional.empty(), OptionalLong.of(HostMemory.bytes()),
                    rehearse);
        }

        /// One that is there and will be computed on.
        static Device of(Backend backend, MemoryBudget budget) {
            Optional<DeviceMemory> memory = backend.memory();
            long bytes = memory.map(known -> Math.min(known.totalBytes(), budget.asked().orElse(known.totalBytes())))
                    .orElse(0L);
            return new Device(backend.name(), bytes, budget, memory, OptionalLong.of(HostMemory.bytes()),
                    backend::rehearsal);
        }

        /// To which a recipe is adapted where there is room for everything.
        Adaptation adaptation() {
            return cardBytes == 0 ? Adaptation.NONE : Adaptation.toCard(CardClass.of(cardBytes).gigabytes());
        }

        /// What may be used: of a card a part is the driver's. Of the processor's memory the recipe says nothing.
        OptionalLong budget(@Nullable Long limit) {
            return (cardBytes == 0 ? budget : budget.limitedTo(limit)).on(known);
        }
    }

    /// @param model a pipeline instead of the one the recipe names; null for the recipe's
    /// @param models finds the one or the other
    /// @param cache the folder of caches, where earlier jobs have left how fast they were
    /// @throws UserMistake with everything that is wrong about bundle, recipe, pictures or model; `DEVICE_TOO_SMALL`
    public static Forecast of(
            Bundle bundle, String name, @Nullable String model, ModelSearch models, Path cache, Device device) {
        Inspector here = inspector(bundle, name, model, models);
        try {
            Inspection asked = here.inspect(device.adaptation());
            return new Forecaster(here, asked, ModelFolder.open(asked.model()), cache, device).forecast();
        } catch (UserMistake mistake) {
            boolean absent = mistake.problems().stream()
                    .allMatch(problem -> problem.code().equals(ModelSearch.NOT_FOUND));
            if (!absent || model != null) throw mistake;
            Inspector unseen = inspector(bundle, name, null, new ModelSearch.Unseen(models.folders()));
            Inspection asked = unseen.inspect(device.adaptation());
            Optional<ModelId> id = ModelId.of(asked.resolved().recipe().model().nameOrPath());
            if (id.isEmpty() || !ModelId.KNOWN.contains(id.get())) throw mistake;
            return new Forecaster(unseen, asked, null, cache, device).forecast();
        }
    }

    private static Inspector inspector(Bundle bundle, String name, @Nullable String model, ModelSearch models) {
        return new Inspector(bundle, name, model, new ModelSearch.WithoutRecovery(models));
    }
}
