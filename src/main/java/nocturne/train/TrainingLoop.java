package nocturne.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import nocturne.adapter.Lora;
import nocturne.event.Event;
import nocturne.event.EventLog;
import nocturne.io.ContentHash;
import nocturne.qwen.QwenImageTransformer;
import nocturne.recipe.Recipe;
import nocturne.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// The steps of one run, and what is due after them: measuring, saving, sampling, and the state to resume from.
///
/// The state is written after the files it speaks of: whatever a kill leaves unfinished before it is made again from
/// the state before, with the same result. Only samples come after it, because they can take longer than a person waits
/// for a process to stop; whoever goes on from a state draws first what is missing.
final class TrainingLoop {
    /// What was set up for the run.
    ///
    /// @param average null where the recipe wants none
    /// @param heldOut null where no pictures are kept out
    record Parts(Recipe recipe, QwenImageTransformer base, Lora lora, Learner learner, AdamWOptimizer optimizer,
            @Nullable MovingAverage average, LearningRate learningRate, Batches batches, @Nullable HeldOut heldOut,
            Gallery gallery, Checkpoints checkpoints, Snapshots snapshots, JobFolder folder, EventLog events,
            Progress progress, Heartbeat heartbeat) {}

    /// How a run ended.
    ///
    /// @param completed false where it was asked to stop; it can be resumed
    record Outcome(boolean completed, int step, List<Checkpoints.Saved> saved) {}

    private final Parts parts;
    private final Recipe recipe;
    private final Map<Integer, Double> heldOutLosses = new LinkedHashMap<>();
    private final List<Checkpoints.Saved> saved = new ArrayList<>();

    /// @param savedBefore checkpoints that an earlier run of the job left
    TrainingLoop(Parts parts, List<Checkpoints.Saved> savedBefore) {
        this.parts = parts;
        this.recipe = parts.recipe();
        saved.addAll(savedBefore);
        LossReplay.of(parts.events()).heldOut().forEach(point -> heldOutLosses.put((int) point.step(), point.loss()));
    }

    /// @param done updates made by earlier runs
    /// @param stop asked between steps
    Outcome run(int done, Stop stop) {
        parts.heartbeat().phase(Heartbeat.Phase.TRAINING);
        if (done == 0) measure(0);
        if (!draw(done, stop)) return interrupted(done);
        for (int step = done + 1; step <= recipe.train().steps(); step++) {
            if (stop.isRequested()) return interrupted(step - 1);
            step(step);
            boolean saves = isSaveDue(step);
            if (saves || isMeasureDue(step)) measure(step);
            if (saves) {
                parts.heartbeat().phase(Heartbeat.Phase.SAVING);
                save(step);
                parts.snapshots().write(step);
                parts.folder().note("running", step, recipe.train().steps());
            }
            if (!draw(step, stop)) return interrupted(step);
        }
        return new Outcome(true, recipe.train().steps(), saved);
    }

    private Outcome interrupted(int step) {
        parts.heartbeat().phase(Heartbeat.Phase.SAVING);
        parts.snapshots().write(step);
        parts.folder().note("interrupted", step, recipe.train().steps());
        return new Outcome(false, step, saved);
    }

    private void step(int step) {
        long started = System.nanoTime();
        parts.heartbeat().phase(Heartbeat.Phase.TRAINING);
        int accumulation = recipe.train().accumulation();
        parts.lora().clearGradients();
        double loss = 0;
        for (int j = 0; j < accumulation; j++) {
            long number = (long) (step - 1) * accumulation + j;
            MicroBatch batch = parts.batches().microBatch(number);
            if (parts.batches().stepsAhead()) {
                batch = parts.learner().stepAhead(batch, parts.batches().following(number));
            }
            loss += parts.learner().accumulate(batch, 1f / accumulation) / accumulation;
        }
        double rate = parts.learningRate().at(step - 1);
        double norm = parts.optimizer().update(parts.lora(), step, rate);
        MovingAverage average = parts.average();
        if (average != null) average.follow(parts.lora().values(), step);
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) throw Diverged.at(step, loss, norm);
        parts.events().append(new Event.Stepped(step, recipe.train().steps(), loss, rate, norm,
                (System.nanoTime() - started) / 1e9));
        parts.progress().step(step, loss);
        parts.heartbeat().step(step, recipe.train().steps());
    }

    private boolean isSaveDue(int step) {
        return step == recipe.train().steps() || step % recipe.save().everySteps() == 0;
    }

    private boolean isMeasureDue(int step) {
        var validation = recipe.train().validation();
        return validation != null && step % validation.everySteps() == 0;
    }

    private void measure(int step) {
        HeldOut heldOut = parts.heldOut();
        if (heldOut == null) return;
        double loss = heldOut.loss(parts.learner(), published());
        heldOutLosses.put(step, loss);
        parts.events().append(new Event.HeldOutMeasured(step, loss));
        parts.progress().say("step %d: held-out loss %.4f".formatted(step, loss));
    }

    private void save(int step) {
        boolean untrained = step == 1 && parts.learningRate().at(0) == 0;
        Checkpoints.Saved file =
                parts.checkpoints().write(step, published(), parts.average() != null, untrained);
        saved.removeIf(earlier -> earlier.step() == step);
        saved.add(file);
        double[] smoothed = LossReplay.of(parts.events()).smoothed();
        parts.events().append(new Event.CheckpointWritten(step, file.file(), file.bytes(), file.sha256(),
                smoothed.length == 0 ? Double.NaN : smoothed[smoothed.length - 1],
                heldOutLosses.getOrDefault(step, Double.NaN)));
        parts.progress().say("step %d: saved %s".formatted(step, file.file()));
        List<Integer> removed = parts.checkpoints().prune(saved, heldOutLosses);
        saved.removeIf(earlier -> removed.contains(earlier.step()));
    }

    /// Draws the samples that are due after a step, if any.
    ///
    /// @return false if the run was asked to stop before all were there
    private boolean draw(int step, Stop stop) {
        if (!recipe.sample().isDueAfter(step, recipe.train().steps())) return true;
        parts.heartbeat().phase(Heartbeat.Phase.SAMPLING);
        return parts.gallery().draw(step, parts.base(), parts.lora(), published(), (prompt, file) -> {
            Path relative = parts.folder().root().relativize(file);
            parts.events().append(new Event.SampleWritten(
                    step, prompt, relative.toString().replace('\\', '/'), ContentHash.ofFile(file)));
        }, (what, part, total) -> {
            parts.progress().doing(what, part, total);
            parts.heartbeat().worked();
        }, stop::isRequested);
    }

    /// What samples show and files hold: the average where there is one.
    private Tensor published() {
        MovingAverage average = parts.average();
        return average == null ? parts.lora().values() : average.values();
    }

    Gallery gallery() {
        return parts.gallery();
    }

    /// Held-out losses by step, as measured so far.
    Map<Integer, Double> heldOutLosses() {
        return heldOutLosses;
    }
}
