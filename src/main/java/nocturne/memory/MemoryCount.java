package nocturne.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import nocturne.adapter.LinearShape;
import nocturne.adapter.LoraTargets;
import nocturne.quant.WeightType;
import nocturne.qwen.QwenImageTransformer.Streamed;
import nocturne.qwen.Residency;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape.Keep;
import nocturne.tensor.TensorArena;

/// Counts what a run takes by letting it run on rehearsals of its device.
final class MemoryCount {
    private final Workload work;
    private final MemoryPlan.Arenas arenas;
    private final Supplier<Backend> device;

    MemoryCount(Workload work, MemoryPlan.Arenas arenas, Supplier<Backend> device) {
        this.work = work;
        this.arenas = arenas;
        this.device = device;
    }

    /// The frozen weights on the device alone, the ring's slots included.
    long weights(Residency residency) {
        try (ModelRehearsal rehearsal = new ModelRehearsal(work, device)) {
            rehearsal.load(residency);
            return size(rehearsal.weights()) + rehearsal.streamed().slots();
        }
    }

    /// What a step's passes take, whatever stays on the device.
    long work(ActivationPlan activations, Residency residency) {
        try (ModelRehearsal rehearsal = new ModelRehearsal(work, device)) {
            rehearsal.load(residency);
            try (TensorArena passes = rehearsal.newArena()) {
                rehearsal.step(activations, passes);
                return size(passes);
            }
        }
    }

    private long size(TensorArena arena) {
        return switch (arenas) {
            case RESERVED -> arena.peakBytes();
            case GROWING -> arena.reservedBytes();
        };
    }

    /// All of it.
    MemoryPlan plan(Residency residency, ActivationPlan activations, long budgetBytes) {
        try (ModelRehearsal rehearsal = new ModelRehearsal(work, device)) {
            Phase.Need caching = caching(rehearsal);
            rehearsal.load(residency);
            List<Phase.Need> passes = arenas == MemoryPlan.Arenas.GROWING ? inOneArena(rehearsal, activations)
                    : inArenasOfTheirOwn(rehearsal, activations);
            Streamed streamed = rehearsal.streamed();
            Standing standing = standing(rehearsal, residency);
            Phase.Need loading = new Phase.Need(Phase.LOADING, standing.bytes() - standing.ring(), streamed.loading(),
                    caching.scratch());
            List<Phase.Need> needs = new ArrayList<>(List.of(caching, loading));
            for (Phase.Need need : passes) {
                needs.add(new Phase.Need(need.phase(), standing.bytes(), need.work(), need.scratch()));
            }
            return new MemoryPlan(standing, needs, residency, activations,
                    new MemoryPlan.Host(streamed.pinned(), streamed.tables()), budgetBytes);
        }
    }

    /// Where the arena is given its size, it is that of the phase which needs most.
    private List<Phase.Need> inArenasOfTheirOwn(ModelRehearsal rehearsal, ActivationPlan activations) {
        return List.of(passes(Phase.TRAINING, rehearsal, arena -> rehearsal.step(activations, arena)),
                passes(Phase.HELD_OUT, rehearsal, rehearsal::measure),
                passes(Phase.SAMPLING, rehearsal, rehearsal::draw));
    }

    private Phase.Need passes(Phase phase, ModelRehearsal rehearsal, ToLongFunction<TensorArena> work) {
        try (TensorArena arena = rehearsal.newArena()) {
            long scratch = work.applyAsLong(arena);
            return new Phase.Need(phase, 0, size(arena), scratch);
        }
    }

    /// Where it grows, what it holds in the end is not what one phase needs: tensors of one do not fill the blocks that
    /// were taken for another. So all go through the same, in their order, for what is held out is measured and samples
    /// are drawn before the first step, too.
    private List<Phase.Need> inOneArena(ModelRehearsal rehearsal, ActivationPlan activations) {
        try (TensorArena arena = rehearsal.newArena()) {
            long scratch = rehearsal.measure(arena);
            Phase.Need measuring = new Phase.Need(Phase.HELD_OUT, 0, size(arena), scratch);
            scratch = rehearsal.draw(arena);
            Phase.Need drawing = new Phase.Need(Phase.SAMPLING, 0, size(arena), scratch);
            scratch = rehearsal.step(activations, arena);
            return List.of(new Phase.Need(Phase.TRAINING, 0, size(arena), scratch), measuring, drawing);
        }
    }

    private Phase.Need caching(ModelRehearsal rehearsal) {
        Phase.Need grown = rehearsal.cache();
        // An arena that was given back remembers its peak alone.
        long standing = arenas == MemoryPlan.Arenas.GROWING ? grown.standing()
                : size(rehearsal.trained()) + size(rehearsal.autoencoder());
        return new Phase.Need(Phase.CACHING, standing, grown.work(), grown.scratch());
    }

    private Standing standing(ModelRehearsal rehearsal, Residency residency) {
        TrainedBytes trained = TrainedBytes.of(work.trained());
        long values = Float.BYTES * work.trained().layout().parameters();
        long coded = codedBytes(residency, rehearsal.streamed());
        long recovery = rehearsal.recoveryBytes();
        long weights = rehearsal.weights().peakBytes();
        long autoencoder = work.draws() ? rehearsal.autoencoder().peakBytes() : 0;
        Standing tight = new Standing(coded, weights - coded - recovery, rehearsal.streamed().slots(), recovery, values,
                values, trained.optimizer(), Float.BYTES * trained.average(), autoencoder, 0);
        long taken = size(rehearsal.trained()) + size(rehearsal.weights()) + rehearsal.streamed().slots()
                + (work.draws() ? size(rehearsal.autoencoder()) : 0);
        return new Standing(tight.coded(), tight.plain(), tight.ring(), tight.recovery(), tight.adapter(),
                tight.gradients(), tight.optimizer(), tight.average(), tight.autoencoder(), taken - tight.bytes());
    }

    /// Of blocks that stay; none where the device keeps what the codes mean.
    private long codedBytes(Residency residency, Streamed streamed) {
        if (!keepsCodes()) return 0;
        int layers = work.transformer().layers();
        long bytes = 0;
        for (int layer = 0; layer < layers; layer++) {
            if (residency.isStreamed(layer, layers) && streamed.slots() > 0) continue;
            for (Map.Entry<String, LinearShape> linear : LoraTargets.ofBlock(work.transformer().width()).entrySet()) {
                if (residency.tabulates() && streamed.slots() > 0 && linear.getKey().contains("_mod.")) continue;
                LinearShape shape = linear.getValue();
                String module = "transformer_blocks." + layer + "." + linear.getKey();
                bytes += work.formats().of(module, shape.in())
                        .map((WeightType type) -> type.bytes(shape.out(), shape.in())).orElse(0L);
            }
        }
        return bytes;
    }

    private boolean keepsCodes() {
        try (Backend backend = device.get()) {
            return backend.weightStream(2).isPresent();
        }
    }

    /// The step that keeps least.
    ActivationPlan least() {
        return ActivationPlan.of(work.transformer().layers(), Keep.INPUTS);
    }
}
