package nocturne.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
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
///
/// A step whose loss or gradient is not finite changes nothing. After too many of them the run goes back to a state
/// that is known to have led to finite numbers, once, in case it was the machine; the second time it is the recipe.
final class TrainingLoop {
    /// What was set up for the run.
    ///
    /// @param average null where the recipe wants none
    /// @param heldOut null where no pictures are kept out
    record Parts(Recipe recipe, QwenImageTransformer base, Lora lora, Learner learner, AdamWOptimizer optimizer,
            @Nullable MovingAverage average, LearningRate learningRate, Batches batches, @Nullable HeldOut heldOut,
            Gallery gallery, Checkpoints checkpoints, Snapshots snapshots, JobFolder folder, EventLog events,
            Progress progress, Heartbeat heartbeat, RunTime time) {}

    /// How a run ended.
    ///
    /// @param completed false where it was asked to stop; it can be resumed
    /// @param notices   what the person who reads the report should know
    record Outcome(boolean completed, int step, List<Checkpoints.Saved> saved, List<String> notices) {}

    /// Whose noise levels are announced together.
    static final int MICRO_BATCHES_AHEAD = 64;

    private final Parts parts;
    private final Recipe recipe;
    private final int steps;
    private final Map<Integer, Double> heldOutLosses = new LinkedHashMap<>();
    private final List<Checkpoints.Saved> saved = new ArrayList<>();
    private final NoiseThirds byNoise = new NoiseThirds();
    private Health health;
    private double lastLoss = Double.NaN;
    private double lastNorm = Double.NaN;

    /// @param health      of the numbers, as earlier runs left them
    /// @param savedBefore checkpoints that an earlier run of the job left
    TrainingLoop(Parts parts, Health health, List<Checkpoints.Saved> savedBefore) {
        this.parts = parts;
        this.recipe = parts.recipe();
        this.steps = recipe.train().steps();
        this.health = health;
        saved.addAll(savedBefore);
        LossReplay.of(parts.events()).heldOut().forEach(point -> heldOutLosses.put((int) point.step(), point.loss()));
    }

    /// @param done steps made by earlier runs
    /// @param stop asked between steps
    Outcome run(int done, Stop stop) {
        parts.heartbeat().phase(Heartbeat.Phase.TRAINING);
        if (done == 0) measure(0);
        if (!draw(done, stop)) return interrupted(done);
        for (int step = done + 1; step <= steps; step++) {
            if (stop.isRequested()) return interrupted(step - 1);
            step(step);
            if (step == LongWait.SETTLED) warnOfALongWait(step);
            boolean timeIsUp = step < steps && parts.time().isUp();
            boolean isLast = step == steps || timeIsUp;
            boolean saves = isLast || step % recipe.save().everySteps() == 0;
            if (health.isLost(step) || saves && !isFinite() || isLast && !endsWell(step)) {
                step = goBack(step);
                continue;
            }
            if (saves || isMeasureDue(step)) measure(step);
            if (saves) save(step, isLast);
            if (timeIsUp) return outOfTime(step);
            if (!draw(step, stop)) return interrupted(step);
        }
        return new Outcome(true, steps, saved, notices());
    }

    private void warnOfALongWait(int step) {
        OptionalDouble pace = parts.progress().secondsPerStep();
        if (pace.isEmpty()) return;
        LongWait.notice(step, steps, recipe.train().accumulation(), pace.getAsDouble(), parts.time().left())
                .ifPresent(notice -> {
                    parts.events().append(new Event.NoticeGiven("S1-77", notice));
                    parts.progress().say("note: " + notice);
                });
    }

    private Outcome interrupted(int step) {
        parts.heartbeat().phase(Heartbeat.Phase.SAVING);
        // Numbers that are lost are not worth keeping: the state before them leads here again.
        if (isFinite()) {
            parts.snapshots().write(step, health, parts.time().soFar());
            parts.folder().note("interrupted", step, steps);
        }
        return new Outcome(false, step, saved, notices());
    }

    private Outcome outOfTime(int step) {
        String notice = "the time allowed for the run was over after step %d of %d; the adapter is as it was then%s."
                .formatted(step, steps, recipe.probe() == null ? "" : ", and is not tried out");
        parts.events().append(new Event.NoticeGiven("TIME_LIMIT", notice));
        parts.progress().say("note: " + notice);
        List<String> notices = new ArrayList<>(notices());
        notices.add(notice);
        return new Outcome(true, step, saved, notices);
    }

    private List<String> notices() {
        List<String> notices = new ArrayList<>();
        if (health.skipped() > 0) {
            notices.add("%d update%s left out, because the loss or its gradient was not finite."
                    .formatted(health.skipped(), health.skipped() == 1 ? " was" : "s were"));
        }
        if (health.wentBack()) {
            notices.add("the run went back to an earlier state once, because its numbers were lost.");
        }
        return notices;
    }

    private void step(int step) {
        long started = System.nanoTime();
        parts.heartbeat().phase(Heartbeat.Phase.TRAINING);
        int accumulation = recipe.train().accumulation();
        parts.lora().clearGradients();
        double loss = 0;
        byNoise.clear();
        for (int j = 0; j < accumulation; j++) {
            long number = microBatch(step) + j;
            announce(number);
            MicroBatch batch = parts.batches().microBatch(number);
            if (parts.batches().stepsAhead()) {
                batch = parts.learner().stepAhead(batch, parts.batches().following(number));
            }
            double one = parts.learner().accumulate(batch, 1f / accumulation);
            byNoise.add(batch.timesteps(), one);
            loss += one / accumulation;
        }
        double rate = parts.learningRate().at(step - 1);
        double norm = parts.optimizer().norm(parts.lora());
        lastLoss = loss;
        lastNorm = norm;
        if (Double.isFinite(loss) && Double.isFinite(norm)) {
            health = health.afterSound(step);
            int update = health.updates(step);
            parts.optimizer().update(parts.lora(), update, rate, norm);
            MovingAverage average = parts.average();
            if (average != null) average.follow(parts.lora().values(), update);
            parts.events().append(new Event.Stepped(step, steps, loss, rate, norm,
                    (System.nanoTime() - started) / 1e9, accumulation, byNoise.means()));
        } else {
            health = health.afterSkipped();
            String notice = "step %d: the loss is %s and the gradient's norm %s; the update was left out"
                    .formatted(step, loss, norm);
            String count = " (%d in a row, %d altogether)".formatted(health.inARow(step), health.skipped());
            if (health.isWorthTelling()) parts.events().append(new Event.NoticeGiven("STEP_SKIPPED", notice + count));
        }
        parts.progress().step(step, loss);
        parts.heartbeat().step(step, steps);
    }

    /// Tells the model which noise levels are coming when it does not know the next ones. How far ahead changes no
    /// number, so that it need not be the same when a run goes on.
    private void announce(long number) {
        if (!parts.base().wantsAnnouncements() || parts.base().isReadyFor(parts.batches().levels(number, 1))) return;
        parts.learner().announce(parts.batches().levels(number, MICRO_BATCHES_AHEAD));
    }

    /// The number of a step's first micro-batch.
    private long microBatch(int step) {
        return (long) (step - 1) * recipe.train().accumulation();
    }

    /// Whether what would be written holds finite numbers only.
    private boolean isFinite() {
        MovingAverage average = parts.average();
        return parts.optimizer().isFinite(parts.lora()) && (average == null || average.isFinite());
    }

    /// Whether the numbers that the run would end with are good for anything: where the last steps were left out, they
    /// are tried on the last pictures that gave a finite loss.
    private boolean endsWell(int step) {
        if (health.inARow(step) == 0) return true;
        if (health.sound() == 0) return false;
        MicroBatch batch = parts.batches().microBatch(microBatch(health.sound()));
        return Double.isFinite(parts.learner().evaluate(batch, parts.lora().values()));
    }

    /// Goes back to the newest state that is known to have led to finite numbers.
    ///
    /// @return the step of that state
    /// @throws nocturne.problem.UserMistake `TRAINING_DIVERGED` if there is none, or the run has been there before
    private int goBack(int step) {
        int first = health.sound() + 1;
        boolean again = health.wentBack();
        Snapshots.Restored before =
                again ? Snapshots.Restored.NOTHING : parts.snapshots().restoreBefore(health.sound());
        if (!before.isThere()) {
            throw Diverged.at(first, step, lastLoss, lastNorm, parts.learningRate().at(first - 1), again,
                    parts.batches().pictures(microBatch(Math.min(first, steps))));
        }
        int to = before.step();
        health = before.health().havingGoneBack();
        String notice = "from step %d to step %d the numbers were not finite; going back to step %d, once"
                .formatted(first, step, to);
        parts.events().append(new Event.NoticeGiven("WENT_BACK", notice));
        parts.events().append(new Event.Resumed(to, notice));
        parts.progress().say("note: " + notice);
        heldOutLosses.keySet().removeIf(measured -> measured > to);
        saved.removeIf(checkpoint -> checkpoint.step() > to);
        parts.gallery().forgetAfter(to);
        parts.snapshots().removeAfter(to);
        parts.snapshots().write(to, health, parts.time().soFar());
        parts.folder().note("running", to, steps);
        return to;
    }

    private boolean isMeasureDue(int step) {
        var validation = recipe.train().validation();
        return validation != null && step % validation.everySteps() == 0;
    }

    private void measure(int step) {
        HeldOut heldOut = parts.heldOut();
        if (heldOut == null) return;
        double loss = heldOut.loss(parts.learner(), published());
        parts.progress().say("step %d: held-out loss %.4f".formatted(step, loss));
        if (!Double.isFinite(loss)) return;
        heldOutLosses.put(step, loss);
        parts.events().append(new Event.HeldOutMeasured(step, loss));
    }

    private void save(int step, boolean isLast) {
        parts.heartbeat().phase(Heartbeat.Phase.SAVING);
        boolean untrained = health.updates(step) == 0
                || health.updates(step) == 1 && parts.learningRate().at(health.sound() - 1) == 0;
        Checkpoints.Saved file =
                parts.checkpoints().write(step, isLast, published(), parts.average() != null, untrained);
        saved.removeIf(earlier -> earlier.step() == step);
        saved.add(file);
        double[] smoothed = LossReplay.of(parts.events()).smoothed();
        parts.events().append(new Event.CheckpointWritten(step, file.file(), file.bytes(), file.sha256(),
                smoothed.length == 0 ? Double.NaN : smoothed[smoothed.length - 1],
                heldOutLosses.getOrDefault(step, Double.NaN)));
        parts.progress().say("step %d: saved %s".formatted(step, file.file()));
        List<Integer> removed = parts.checkpoints().prune(saved, heldOutLosses);
        saved.removeIf(earlier -> removed.contains(earlier.step()));
        parts.snapshots().write(step, health, parts.time().soFar());
        parts.folder().note("running", step, steps);
    }

    /// Draws the samples that are due after a step, if any.
    ///
    /// @return false if the run was asked to stop before all were there
    private boolean draw(int step, Stop stop) {
        if (!recipe.sample().isDueAfter(step, steps)) return true;
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

    Parts parts() {
        return parts;
    }

    Gallery gallery() {
        return parts.gallery();
    }

    /// Held-out losses by step, as measured so far.
    Map<Integer, Double> heldOutLosses() {
        return heldOutLosses;
    }
}
