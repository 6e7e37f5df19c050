package nocturne.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import nocturne.dataset.findings.CaptionTokens;
import nocturne.dataset.findings.DatasetReport;
import nocturne.memory.ActivationPlan;
import nocturne.memory.MemoryPlan;
import nocturne.memory.MemoryTable;
import nocturne.memory.Workload;
import nocturne.plan.Inspection;
import nocturne.plan.Inspector;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.ModelSizes;
import nocturne.qwen.Residency;
import nocturne.recipe.Adaptation;
import nocturne.recipe.Notice;
import nocturne.recipe.Recipe;
import nocturne.recipe.Severity;
import nocturne.tensor.Tape.Keep;
import org.jspecify.annotations.Nullable;

/// Makes the [Forecast] of a bundle on a device.
final class Forecaster {
    private final Inspector bundle;
    private final Inspection asked;
    private final @Nullable ModelFolder folder;
    private final Path cache;
    private final Forecast.Device device;
    private final DatasetReport pictures;

    /// What follows from a recipe.
    private record Needs(Workloads workloads, Workload workload, OptionalLong budget) {}

    /// @param asked  the bundle where the device has room for everything
    /// @param folder of the model; null where it is not here, and planned with the sizes it was released with
    Forecaster(Inspector bundle, Inspection asked, @Nullable ModelFolder folder, Path cache, Forecast.Device device) {
        this.bundle = bundle;
        this.asked = asked;
        this.folder = folder;
        this.cache = cache;
        this.device = device;
        this.pictures = report(asked);
    }

    /// @throws UserMistake `DEVICE_TOO_SMALL`
    Forecast forecast() {
        MemoryLadder ladder = new MemoryLadder(bundle, this::mustFit);
        MemoryLadder.Fitted fitted = ladder.fitted(asked, device.adaptation());
        return forecast(fitted.found(), fitted.device());
    }

    /// The same for a run that has begun, and can only go on as it did.
    ///
    /// @throws SickMachine `MEMORY_TAKEN` where there is no room for that now
    Forecast forecast(Adaptation begun) {
        try {
            return forecast(begun.equals(device.adaptation()) ? asked : bundle.inspect(begun), begun);
        } catch (UserMistake mistake) {
            if (!mistake.problems().getFirst().code().equals(MemoryPlan.TOO_SMALL)) throw mistake;
            throw new SickMachine("MEMORY_TAKEN", "the run began when %s had more room, and can only go on as it"
                    .formatted(device.name()) + " began: " + mistake.getMessage()
                    + " End what else uses the device, or start the job anew.", mistake);
        }
    }

    private DatasetReport report(Inspection found) {
        return found.report(folder == null ? CaptionTokens.UNKNOWN : new TokensOfModel(folder));
    }

    private Needs needs(Inspection found) {
        Recipe recipe = found.resolved().recipe();
        ModelSizes sizes = folder == null ? ModelSizes.RELEASED : folder;
        FrozenWeights frozen = FrozenWeights.of(recipe.model(), found.recovery(), sizes.transformerConfig(),
                folder == null ? LayerFormats.NONE : folder.storedFormats());
        Workloads workloads = new Workloads(recipe, sizes, sizes.transformerConfig(), frozen,
                Settings.layout(recipe, sizes.transformerConfig()));
        // Of texts no rung changes anything, so the report of what was asked does.
        Workload workload = workloads.of(found.training(), found.heldOut(),
                Workloads.Tokens.expected(recipe, found.training(), pictures));
        return new Needs(workloads, workload, device.budget(recipe.vramLimit()));
    }

    private void mustFit(Inspection found) {
        Needs needs = needs(found);
        if (needs.budget.isEmpty()) return;
        MemoryPlan.smallest(needs.budget.getAsLong(), needs.workload, device.rehearse());
    }

    private Forecast forecast(Inspection found, Adaptation adaptation) {
        Recipe recipe = found.resolved().recipe();
        Needs needs = needs(found);
        int layers = needs.workload.transformer().layers();
        MemoryPlan memory = needs.budget.isPresent()
                ? MemoryPlan.within(needs.budget.getAsLong(), needs.workload, device.rehearse())
                : MemoryPlan.of(needs.workload, Residency.ALL, ActivationPlan.of(layers,
                        recipe.train().gradientCheckpointing() ? Keep.INPUTS : Keep.ALL), MemoryPlan.Arenas.GROWING,
                        device.rehearse());
        // Sizes and counts of pictures are told as they are trained.
        DatasetReport report = adaptation.rungs().isEmpty() ? pictures : report(found);
        WorkNeed work = WorkNeed.of(recipe, needs.workloads.config(), needs.workload, memory);
        OptionalDouble pace = new PastPace(cache).of(device.name());
        return new Forecast(found, adaptation, report, notices(found, report, memory, needs),
                needs.workloads.layout(), memory, DiskNeed.of(needs.workloads, needs.workload, memory, found), work,
                pace.isPresent() ? OptionalDouble.of(work.secondsAt(pace.getAsDouble())) : OptionalDouble.empty());
    }

    private List<Notice> notices(Inspection found, DatasetReport report, MemoryPlan memory, Needs needs) {
        List<Notice> notices = new ArrayList<>(found.notices(report));
        if (folder == null) {
            notices.add(new Notice("MODEL_NOT_FOUND", Severity.WARNING, "model.name_or_path",
                    "%s is not here; it is planned with the sizes it was released with, and cannot be trained yet."
                            .formatted(found.resolved().recipe().model().nameOrPath())));
        }
        hostIsTooSmall(memory).ifPresent(notices::add);
        SecondLora second = SecondLora.of(found.resolved().recipe(), found.bundle().root(), needs.workloads.config());
        if (second != null) second.warning(needs.workloads.layout()).ifPresent(notices::add);
        return notices;
    }

    /// A machine that is short of memory moves it to its disk, or ends a program.
    private Optional<Notice> hostIsTooSmall(MemoryPlan memory) {
        boolean onCard = device.cardBytes() > 0;
        long bytes = onCard ? memory.host().pinned() + memory.host().tables() : memory.peakBytes();
        if (device.hostBytes().isEmpty() || bytes <= device.hostBytes().getAsLong()) return Optional.empty();
        return Optional.of(new Notice("HOST_MEMORY", Severity.WARNING, "memory of the machine",
                "the run takes %s of the machine's own memory%s, and there are %s in all: it will be very slow, or be"
                        .formatted(MemoryTable.size(bytes), onCard ? " for weights that come and go" : "",
                                MemoryTable.size(device.hostBytes().getAsLong()))
                        + " ended by the system. " + (onCard
                                ? "Fewer bits (model.qtype) lower it, or a machine with more."
                                : "A model of this size is for a card; check --gpu SIZE plans for one.")));
    }
}
