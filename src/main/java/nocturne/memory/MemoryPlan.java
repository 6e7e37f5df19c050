package nocturne.memory;

import java.util.List;
import java.util.function.Supplier;
import nocturne.qwen.Residency;
import nocturne.tensor.Backend;

/// How a run uses a device's memory: what of the model stays there, what blocks keep, and what that takes.
///
/// @param standing    what is there from loading on
/// @param needs       of every phase, at its peak
/// @param residency   of the frozen weights
/// @param activations what each block keeps for its backward pass
/// @param host        what streaming takes of the machine's own memory
/// @param budgetBytes that were given; [Long#MAX_VALUE] for any number
public record MemoryPlan(Standing standing, List<Phase.Need> needs, Residency residency, ActivationPlan activations,
        Host host, long budgetBytes) {
    /// What a mistake is called whose remedy is a larger device or a smaller job.
    public static final String TOO_SMALL = "DEVICE_TOO_SMALL";

    public MemoryPlan {
        needs = List.copyOf(needs);
    }

    /// Memory of the machine, in bytes.
    ///
    /// @param pinned all frozen weights that come and go
    /// @param tables what the modulation layers answer to the timesteps that are coming, at most
    public record Host(long pinned, long tables) {}

    /// How the arenas of a run come to their size.
    public enum Arenas {
        /// Taken in one piece, as this plan says.
        RESERVED,
        /// As tensors come: up to a quarter more than those take.
        GROWING
    }

    /// What just this takes, whatever there is.
    ///
    /// @param device makes the rehearsal of a device, see [Backend#rehearsal]
    public static MemoryPlan of(Workload work, Residency residency, ActivationPlan activations, Arenas arenas,
            Supplier<Backend> device) {
        return new MemoryCount(work, arenas, device).plan(residency, activations, Long.MAX_VALUE);
    }

    /// The plan that costs the least time. First as many blocks of the model stay on the device as fit beside a step
    /// that keeps least, because bringing weights costs more than computing activations twice; then blocks keep what
    /// there is room for. The modulation layers never stay: what they answer is known beforehand.
    ///
    /// What encoding needs is told and changes nothing: a cache may have the answers.
    ///
    /// @param budgetBytes for all that is taken of the device from loading on
    /// @throws nocturne.problem.UserMistake `DEVICE_TOO_SMALL` with the numbers of the plan that takes least
    public static MemoryPlan within(long budgetBytes, Workload work, Supplier<Backend> device) {
        return new MemoryChoice(new MemoryCount(work, Arenas.RESERVED, device), work, budgetBytes).plan();
    }

    /// The plan that takes least, whatever it costs: what does not fit here fits in no way.
    ///
    /// @throws nocturne.problem.UserMistake as [#within]
    public static MemoryPlan smallest(long budgetBytes, Workload work, Supplier<Backend> device) {
        return new MemoryChoice(new MemoryCount(work, Arenas.RESERVED, device), work, budgetBytes).smallest();
    }

    /// The largest of the phases after loading, whose work is done in one arena.
    public long workBytes() {
        return needs.stream().filter(need -> need.phase().compareTo(Phase.LOADING) > 0).mapToLong(Phase.Need::work)
                .max().orElse(0);
    }

    /// Of the arena for what is trained, alignment included.
    public long trainedBytes() {
        return standing.trained() + standing.slack();
    }

    /// Of the arena for frozen weights that stay.
    public long weightBytes() {
        return standing.coded() + standing.plain() + standing.recovery();
    }

    /// Of the autoencoder's weights, whether they stay or not.
    public long autoencoderBytes() {
        return need(Phase.CACHING).standing() - trainedBytes();
    }

    public long scratchBytes() {
        return needs.stream().mapToLong(Phase.Need::scratch).max().orElse(0);
    }

    /// What is taken of the device from loading on: arenas and scratch memory keep the size of the phase that needs
    /// most.
    public long runBytes() {
        return Math.max(need(Phase.LOADING).bytes(), standing.bytes() + workBytes() + scratchBytes());
    }

    /// The most that is taken of the device at once.
    public long peakBytes() {
        return Math.max(need(Phase.CACHING).bytes(), runBytes());
    }

    public Phase.Need need(Phase phase) {
        return needs.stream().filter(need -> need.phase() == phase).findFirst().orElseThrow();
    }

    /// For people: how the memory is used, in a sentence.
    @Override
    public String toString() {
        int layers = activations.layers();
        String weights = residency.residentBlocks() >= layers ? "all %d blocks stay on the device".formatted(layers)
                : "%d of %d blocks stay on the device, the others come and go".formatted(
                        residency.residentBlocks(), layers);
        String computed = activations.inputs() + activations.products() == 0 ? "nothing is computed twice"
                : "in the backward pass %d are computed again, %d in part".formatted(
                        activations.inputs(), activations.products());
        String of = budgetBytes == Long.MAX_VALUE ? "" : " of %s".formatted(MemoryTable.size(budgetBytes));
        long caching = need(Phase.CACHING).bytes();
        String encoding = caching == 0 ? "" : ", %s while encoding".formatted(MemoryTable.size(caching));
        return "%s; %s; %s%s%s".formatted(weights, computed, MemoryTable.size(runBytes()), of, encoding);
    }
}
