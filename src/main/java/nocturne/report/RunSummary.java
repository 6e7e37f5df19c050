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
/// @param losses       everything that was measured along the way, at saved steps and between them
/// @param tools        what can keep a run from learning its pictures by heart, and whether it was used
/// @param prompts      of the samples, in the order of the contact sheet's rows
/// @param notices      every silent reinterpretation and everything odd that happened
/// @param recipe       the resolved recipe, as text
/// @param contactSheet a PNG, or null if no samples were drawn
/// @param lossCurve    a PNG, or null
/// @param probe        what the recommended checkpoint was tried on, or null if it was not
public record RunSummary(String jobName, String trigger, String baseModel, String device, String program,
                         String finished, Duration trainingTime, int pictures, Adapter adapter,
                         List<Checkpoint> checkpoints, LossHistory losses, List<Tool> tools,
                         List<String> prompts, List<Remark> notices, String recipe, byte @Nullable [] contactSheet,
                         byte @Nullable [] lossCurve, @Nullable Probe probe) {
    /// A run's best checkpoint is usually one of those that were saved in this part of it (S2-24).
    private static final double LIKELY_FROM = 0.5;
    private static final double LIKELY_TO = 0.7;

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

    /// @param name as people call it
    /// @param how  its setting, or what it would take to have it
    public record Tool(String name, boolean on, String how) {}

    /// Pictures of the recommended checkpoint at several settings.
    ///
    /// @param sheet  a PNG of them all, or null if none is there
    /// @param drawn  how many pictures there are
    /// @param wanted how many there should be
    /// @param drift  null if it was not measured
    public record Probe(byte @Nullable [] sheet, int drawn, int wanted, @Nullable Drift drift) {}

    /// How far pictures move from those of the untrained model: root mean square of the differences of RGB values.
    ///
    /// @param without of a prompt without the trigger word
    /// @param with    of one with it
    public record Drift(double without, double with) {}

    /// @param warning whether the run is probably worse for it; if not, it is good to know
    /// @param text    as it is printed
    public record Remark(boolean warning, String text) {}

    /// @param checkpoint which to try first
    /// @param reason     one or two sentences that say why
    public record Recommendation(Checkpoint checkpoint, String reason) {}

    public RunSummary {
        checkpoints = List.copyOf(checkpoints);
        tools = List.copyOf(tools);
        prompts = List.copyOf(prompts);
        notices = List.copyOf(notices);
    }

    /// The same with what came of the probe.
    @SuppressWarnings("NullAway") // it does not see that an array component, so the constructor too, takes null
    public RunSummary with(Probe probed) {
        return new RunSummary(jobName, trigger, baseModel, device, program, finished, trainingTime, pictures, adapter,
                checkpoints, losses, tools, prompts, notices, recipe, contactSheet, lossCurve, probed);
    }

    /// Whether a checkpoint is of the part of the run in which the best one usually is.
    boolean isLikely(Checkpoint checkpoint) {
        double share = (double) checkpoint.step() / checkpoints.getLast().step();
        return share >= LIKELY_FROM && share <= LIKELY_TO;
    }

    private String likely() {
        List<String> files = checkpoints.stream().filter(this::isLikely).map(Checkpoint::file).toList();
        return files.isEmpty() ? "compare the samples."
                : "compare the samples, those of %s first: the best is usually found at 50 to 70 %% of a run."
                        .formatted(String.join(", ", files));
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
                    + likely()));
        }
        String figure = Numbers.loss(lowest.heldOutLoss());
        if (measured == 1) {
            return Optional.of(new Recommendation(lowest,
                    "It is the only one whose loss on held-out pictures was measured (" + figure + ")."));
        }
        String reason = "It has the lowest loss on the pictures held out of training: " + figure;
        LossHistory.HeldOut between = losses.lowestHeldOut().orElse(null);
        if (between != null && between.loss() < lowest.heldOutLoss()) {
            return Optional.of(new Recommendation(lowest, reason + " among the saved ones. Between them it was lower: "
                    + Numbers.loss(between.loss()) + " at step " + between.step()
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
