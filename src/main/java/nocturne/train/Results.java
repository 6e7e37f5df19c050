package nocturne.train;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import nocturne.adapter.Lora;
import nocturne.dataset.Dataset;
import nocturne.event.Event;
import nocturne.event.EventLog;
import nocturne.image.Picture;
import nocturne.image.PngWriter;
import nocturne.io.AtomicFiles;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.Notice;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.ResolvedRecipe;
import nocturne.recipe.Severity;
import nocturne.report.ContactSheet;
import nocturne.report.LossCurve;
import nocturne.report.LossHistory;
import nocturne.report.ReportPage;
import nocturne.report.RunSummary;
import nocturne.tensor.Backend;
import org.jspecify.annotations.Nullable;

/// What a person finds at the end beside the checkpoints: sheet, curve, table of losses, report.
final class Results {
    private final JobFolder folder;
    private final ResolvedRecipe resolved;
    private final Recipe recipe;
    private final Dataset dataset;
    private final String device;
    private final String version;
    private final List<Notice> notices;

    Results(JobFolder folder, ResolvedRecipe resolved, Dataset dataset, String device, String version,
            List<Notice> notices) {
        this.folder = folder;
        this.resolved = resolved;
        this.recipe = resolved.recipe();
        this.dataset = dataset;
        this.device = device;
        this.version = version;
        this.notices = notices;
    }

    /// Writes `loss.csv`, `loss.png`, `samples.png` and `report.html`.
    ///
    /// @param heldOut held-out loss by step
    /// @param time    how long the run has been at it, all attempts together
    /// @return what the report says
    RunSummary publish(List<Checkpoints.Saved> saved, Map<Integer, Double> heldOut, Gallery gallery, Lora lora,
            EventLog events, Duration time) {
        LossHistory losses = LossReplay.of(events);
        AtomicFiles.writeString(folder.root().resolve("loss.csv"), losses.csv());
        byte[] curve = png("loss.png", LossCurve.draw(losses));

        List<RunSummary.Checkpoint> checkpoints = checkpoints(saved, heldOut, losses);
        RunSummary draft = summary(checkpoints, losses, gallery, lora, time, null, curve);
        OptionalLong best = draft.recommendation()
                .map(r -> OptionalLong.of(r.checkpoint().step())).orElse(OptionalLong.empty());
        byte[] sheet = sheet(gallery, best);
        RunSummary summary = summary(checkpoints, losses, gallery, lora, time, sheet, curve);
        write(summary);
        return summary;
    }

    private void write(RunSummary summary) {
        AtomicFiles.writeString(folder.root().resolve("report.html"), ReportPage.of(summary));
    }

    /// Tries the recommended checkpoint out, where the recipe asks for it, and adds to the report what comes of it.
    /// The adapter does not depend on any of this: whatever goes wrong is said, and the run is complete without it.
    ///
    /// @param published what the report says so far
    /// @return false if it was asked to stop before all was drawn
    boolean probe(RunSummary published, TrainingLoop.Parts parts, Backend backend, TransformerConfig config,
            Path bundle, Stop stop) {
        ProbeRecipe asked = recipe.probe();
        Optional<RunSummary.Recommendation> best = published.recommendation();
        if (asked == null || best.isEmpty()) return true;
        RunSummary.Checkpoint checkpoint = best.get().checkpoint();
        try {
            Probe probe = new Probe(parts, asked, backend, config, bundle);
            // A run that its time has ended has said so, and that nothing more follows.
            boolean cutShort = published.checkpoints().getLast().step() < recipe.train().steps();
            if (!cutShort && !draw(probe, checkpoint, parts, stop)) return false;
            parts.heartbeat().phase(Heartbeat.Phase.SAVING);
            probe.showing(checkpoint, drawn -> {
                byte[] sheet = drawn.sheet().map(picture -> png("grid.png", picture)).orElse(null);
                write(published.with(
                        new RunSummary.Probe(sheet, drawn.pictures().size(), drawn.wanted(), drawn.drift())));
            });
        } catch (RuntimeException | Error failure) {
            probeFailed(failure, parts);
        }
        return true;
    }

    /// Where something goes wrong, what has been drawn before is still shown.
    private static boolean draw(Probe probe, RunSummary.Checkpoint checkpoint, TrainingLoop.Parts parts, Stop stop) {
        try {
            return probe.draw(checkpoint, stop);
        } catch (RuntimeException | Error failure) {
            probeFailed(failure, parts);
            return true;
        }
    }

    private static void probeFailed(Throwable failure, TrainingLoop.Parts parts) {
        String what = failure instanceof RuntimeException ? failure.getMessage() : failure.toString();
        String notice = "the recommended checkpoint could not be tried out to the end: %s. The adapter is complete."
                .formatted(what);
        parts.events().append(new Event.NoticeGiven("PROBE_FAILED", notice, Severity.WARNING.word()));
        parts.progress().say("warning: " + notice);
    }

    /// Says that all is there.
    void complete(List<Checkpoints.Saved> saved, EventLog events) {
        Checkpoints.Saved last = saved.getLast();
        double[] smoothed = LossReplay.of(events).smoothed();
        events.append(new Event.Completed(last.step(), last.file(), last.sha256(),
                smoothed.length == 0 ? Double.NaN : smoothed[smoothed.length - 1], "report.html"));
    }

    private byte @Nullable [] sheet(Gallery gallery, OptionalLong recommended) {
        TreeSet<Integer> steps = new TreeSet<>();
        for (int step = 0; step <= recipe.train().steps(); step++) {
            if (recipe.sample().isDueAfter(step, recipe.train().steps())) steps.add(step);
        }
        List<ContactSheet.Sample> samples = gallery.all(steps);
        return samples.isEmpty() ? null : png("samples.png", ContactSheet.draw(samples, recommended));
    }

    private byte[] png(String name, Picture picture) {
        byte[] png = PngWriter.png(picture, new LinkedHashMap<>());
        Path file = folder.root().resolve(name);
        AtomicFiles.write(file, out -> out.write(png));
        return png;
    }

    private static List<RunSummary.Checkpoint> checkpoints(
            List<Checkpoints.Saved> saved, Map<Integer, Double> heldOut, LossHistory losses) {
        // By step, not by position: a step whose update was left out has no loss.
        TreeMap<Long, Double> smoothed = new TreeMap<>();
        double[] values = losses.smoothed();
        for (int i = 0; i < values.length; i++) smoothed.put(losses.training().get(i).step(), values[i]);
        List<RunSummary.Checkpoint> checkpoints = new ArrayList<>();
        for (Checkpoints.Saved file : saved) {
            var nearest = smoothed.floorEntry((long) file.step());
            double training = nearest == null ? Double.NaN : nearest.getValue();
            checkpoints.add(new RunSummary.Checkpoint(file.step(), training,
                    heldOut.getOrDefault(file.step(), Double.NaN), file.file(), file.bytes(), file.sha256()));
        }
        return checkpoints;
    }

    private List<RunSummary.Remark> remarks() {
        return notices.stream().map(notice -> new RunSummary.Remark(notice.isWarning(), notice.toString())).toList();
    }

    @SuppressWarnings("NullAway") // it does not see that the record's component, so its constructor too, takes null
    private RunSummary summary(List<RunSummary.Checkpoint> checkpoints, LossHistory losses, Gallery gallery, Lora lora,
            Duration time, byte @Nullable [] sheet, byte[] curve) {
        String trigger = recipe.triggerWord() == null ? "" : recipe.triggerWord();
        return new RunSummary(recipe.name(), trigger, recipe.model().nameOrPath(), device, "Nocturne " + version, "",
                time, dataset.pictures(),
                new RunSummary.Adapter("LoRA", lora.layout().rank(), lora.alpha(), lora.layout().slots().size()),
                checkpoints, losses, Tools.of(recipe), gallery.prompts(), remarks(), resolved.yaml(), sheet,
                curve, null);
    }
}
