package nocturne.train;

import java.util.function.IntFunction;
import nocturne.adapter.LoraLayout;
import nocturne.io.DType;
import nocturne.quant.LayerFormats;
import nocturne.qwen.Residency;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Tape.Keep;

/// How a run uses a device's memory: first as many blocks of the model stay there as fit beside a step that keeps
/// least, because bringing weights costs more than computing activations twice; then blocks keep what there is room
/// for.
///
/// @param residency   of the frozen weights; their modulation layers never stay
/// @param activations what each block keeps
record DevicePlan(Residency residency, ActivationPlan activations) {
    private static final int SLOTS = 2;
    /// Of a trained parameter: itself, its gradient, two moments and an average, in float32.
    private static final int BYTES_OF_A_PARAMETER = 20;

    /// @param budgetBytes  of the device that may be used
    /// @param reserveBytes of those, for the driver, the kernels and their scratch memory
    /// @param type         of the device's activations
    /// @param batch        of the largest shape that there will be
    /// @throws nocturne.problem.UserMistake `DEVICE_TOO_SMALL`
    static DevicePlan within(long budgetBytes, long reserveBytes, TransformerConfig config, LayerFormats formats,
            LoraLayout layout, DType type, MicroBatch batch) {
        ModelBytes model = ModelBytes.of(config, formats, type);
        IntFunction<Keep> least = block -> Keep.INPUTS;
        long fixed = reserveBytes + model.rest() + BYTES_OF_A_PARAMETER * layout.parameters();
        long step = ActivationPlan.bytes(least, config, layout, type, batch);
        // A slot holds either a block or a block's modulation layers.
        long slot = Math.max(model.block(), model.modulation());
        long all = fixed + step + config.layers() * model.block() + SLOTS * model.modulation();
        int resident = config.layers();
        if (all > budgetBytes) {
            long beside = fixed + step + SLOTS * (slot - model.block());
            Residency some = ResidencyPlan.within(budgetBytes, beside, model.block(), config.layers(), SLOTS);
            // The blocks alone may fit, but not with the slots that the modulation layers go through.
            long room = (budgetBytes - beside) / model.block() - SLOTS;
            resident = Math.toIntExact(Math.min(config.layers() - 1L, Math.min(some.residentBlocks(), room)));
        }
        long slots = SLOTS * (resident == config.layers() ? model.modulation() : slot);
        long left = budgetBytes - fixed - resident * model.block() - slots;
        return new DevicePlan(new Residency(resident, SLOTS, true),
                ActivationPlan.within(left, config, layout, type, batch));
    }

    /// For people.
    @Override
    public String toString() {
        int layers = activations.layers();
        return "%d of %d blocks stay on the device; in the backward pass %d are computed again, %d in part".formatted(
                residency.residentBlocks(), layers, activations.inputs(), activations.products());
    }
}
