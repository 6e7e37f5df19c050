package nocturne.report;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Everything `report.html` says about a finished run. Plain data: whoever fills it has checked it.
///
/// @param jobName      as the user knows it
/// @param trigger      the word that calls the concept, empty if there is none
/// @param baseModel    the model trained on, as diffusers would find it: a hub name or a folder
/// @param device       what it ran on, such as `cpu, 8 threads`
/// @param program      our name and version
/// @param finished     when it ended, as it shall be printed; empty to leave it out
/// @param trainingTime from the first step to the last, with samples and checkpoints
/// @param pictures     how many pictures were trained on
/// @param adapter      what kind of adapter it is
/// @param checkpoints  ascending by step, the final one last; empty if none was written
/// @param lowestHeldOut the lowest held-out loss measured at any step, saved or not; null if none was measured
/// @param prompts      of the samples, in the order of the contact sheet's rows
/// @param notices      every silent reinterpretation and everything odd that happened
/// @param recipe       the resolved recipe, as text
/// @param contactSheet a PNG, or null if no samples were drawn
/// @param lossCurve    a PNG, or null
public record RunSummary(String jobName, String trigger, String baseModel, String device, String program,
                         String finished, Duration trainingTime, int pictures, Adapter adapter,
                         List<Checkpoint> checkpoints, LossHistory.@Nullable HeldOut lowestHeldOut,
                         List<String> prompts, List<Remark> notices, String recipe, byte @Nullable [] contactSheet,
                         byte @Nullable [] lossCurve) {
    /// @param kind    such as `LoRA`
    /// @param rank    of the update
    /// @param alpha   strength as trained; already folded into the file
    /// @param targets how many layers it changes
    public record Adapter(String kind, int rank, double alpha, int targets) {}

    /// @param step         optimizer updates
    /// @param trainingLoss smoothed, NaN if unknown
    /// @param heldOutLoss  NaN if not measured
    /// @param file         name within the output folder
    /// @param bytes        size of the file
    /// @param sha256       of the file, 64 hex digits
    public record Checkpoint(long step, double trainingLoss, double heldOutLoss, String file, long bytes,
                             String sha256) {}

    /// @param warning whether the run is probably worse for it; if not, it is good to know
    /// @param text    as it is printed
    public record Remark(boolean warning, String text) {}

    /// @param checkpoint which to try first
    /// @param reason     one or two sentences that say why
    public record Recommendation(Checkpoint checkpoint, String reason) {}

    public RunSummary {
        checkpoints = List.copyOf(checkpoints);
        prompts = List.copyOf(prompts);
        notices = List.copyOf(notices);
    }

    /// The checkpoint with the lowest held-out loss, the earlier of two that are equal; without held-out pictures
    /// the final one; none if no checkpoint was written.
    public Optional<Recommendation> recommendation() {
        if (checkpoints.isEmpty()) return Optional.empty();
        Checkpoint last = checkpoints.getLast();
        Checkpoint lowest = null;
        int measured = 0;
        for (Checkpoint checkpoint : checkpoints) {
            if (!Double.isFinite(checkpoint.heldOutLoss())) continue;
            measured++;
            if (lowest == null || checkpoint.heldOutLoss() < lowest.heldOutLoss()) lowest = checkpoint;
        }
        if (lowest == null) {
            return Optional.of(new Recommendation(last, "It is the final one. No pictures were held out of "
                    + "training, so nothing was measured that could tell whether an earlier one is better: "
                    + "compare the samples."));
        }
        String figure = Numbers.loss(lowest.heldOutLoss());
        if (measured == 1) {
            return Optional.of(new Recommendation(lowest,
                    "It is the only one whose loss on held-out pictures was measured (" + figure + ")."));
        }
        String reason = "It has the lowest loss on the pictures held out of training: " + figure;
        if (lowestHeldOut != null && lowestHeldOut.loss() < lowest.heldOutLoss()) {
            return Optional.of(new Recommendation(lowest, reason + " among the saved ones. Between them it was lower: "
                    + Numbers.loss(lowestHeldOut.loss()) + " at step " + lowestHeldOut.step()
                    + "; saving more often (save.save_every) would have kept that one."));
        }
        reason += lowest.equals(last)
                ? ". The loss was still at its lowest at the end, so a longer run might improve it further."
                : Double.isFinite(last.heldOutLoss()) && last.heldOutLoss() > lowest.heldOutLoss()
                ? ", against " + Numbers.loss(last.heldOutLoss()) + " at the end. What was learned after step "
                        + lowest.step() + " did not carry over to pictures it had not seen."
                : ".";
        return Optional.of(new Recommendation(lowest, reason));
    }
}
