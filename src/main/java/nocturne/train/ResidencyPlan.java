package nocturne.train;

import java.util.Locale;
import nocturne.problem.UserMistake;
import nocturne.qwen.Residency;

/// How many blocks stay on a card, by the memory there is.
final class ResidencyPlan {
    private static final double GIB = 1L << 30;

    private ResidencyPlan() {}

    /// As many blocks as fit: all of them, or some and the slots through which the others go.
    ///
    /// @param budgetBytes of the card that may be used
    /// @param fixedBytes  that are needed whatever stays: the rest of the model, the LoRA, the passes
    /// @param blockBytes  of one block's weights
    /// @param blocks      of the model
    /// @param slots       at least 2
    /// @throws UserMistake `DEVICE_TOO_SMALL` if not even the slots fit
    static Residency within(long budgetBytes, long fixedBytes, long blockBytes, int blocks, int slots) {
        long room = Math.floorDiv(budgetBytes - fixedBytes, blockBytes);
        if (room >= blocks) return Residency.ALL;
        if (room >= slots) return new Residency(Math.toIntExact(room - slots), slots);
        String numbers = String.format(Locale.ROOT, "%.2f GiB are not enough: %.2f GiB are needed beside the model's %d"
                + " blocks of %.2f GiB, and at least %d blocks at once, together %.2f GiB.",
                budgetBytes / GIB, fixedBytes / GIB, blocks, blockBytes / GIB, slots,
                (fixedBytes + slots * blockBytes) / GIB);
        throw new UserMistake("DEVICE_TOO_SMALL", "--vram", numbers
                + " Choose a format with fewer bits (model.qtype), a smaller resolution, batch size or rank.");
    }
}
