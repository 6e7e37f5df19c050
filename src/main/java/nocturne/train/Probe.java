package nocturne.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import nocturne.adapter.LinearShape;
import nocturne.adapter.LoraTargets;
import nocturne.event.Event;
import nocturne.io.ContentHash;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.ProbeShot;
import nocturne.recipe.SampleFormat;
import nocturne.recipe.SamplePrompt;
import nocturne.report.RunSummary.Checkpoint;
import nocturne.sample.Guidance;
import nocturne.sample.SampleRequest;
import nocturne.sample.Sampler;
import nocturne.tensor.Adapters;
import nocturne.tensor.Backend;
import org.jspecify.annotations.Nullable;

/// Draws the recommended checkpoint at several settings when all else is done, as `samples/grid/<name>_<step>_...png`
/// (S2-74).
///
/// The checkpoint is read back from the file that a person downloads. A picture that is there is not drawn again, so
/// that a run which was interrupted goes on with what is missing.
final class Probe {
    /// Within the folder of samples.
    static final String FOLDER = "grid";
    /// What of the work is no picture, where it is noted as begun.
    private static final String SHEET = "sheet";

    private final TrainingLoop.Parts parts;
    private final ProbeRecipe recipe;
    private final List<ProbeShot> shots;
    private final int firstText;
    private final Backend backend;
    private final SequencedMap<String, LinearShape> legal;
    private final BegunPictures begun;
    /// What the recipe wants beside the new one; null for nothing, or what proved to be of no use.
    private @Nullable SecondLora asked;
    /// What the gradients' memory is good for when no step is made any more; nothing until it is needed.
    private Adapters second = Adapters.NONE;
    private boolean loaded;

    /// @param parts  of a run that has made its last step
    /// @param bundle where a second LoRA lies
    Probe(TrainingLoop.Parts parts, ProbeRecipe recipe, Backend backend, TransformerConfig config, Path bundle) {
        this.parts = parts;
        this.recipe = recipe;
        this.shots = recipe.shots();
        this.firstText = parts.recipe().sample().prompts().size();
        this.backend = backend;
        this.legal = LoraTargets.of(config.layers(), config.width());
        this.asked = SecondLora.of(parts.recipe(), bundle, config);
        this.begun = BegunPictures.in(parts.folder().state().resolve("probe"));
    }

    /// Draws what is not there yet, until the time is up or the run is asked to stop. The adapter in training is
    /// overwritten with the checkpoint.
    ///
    /// @return false if it was asked to stop before all were there
    boolean draw(Checkpoint checkpoint, Stop stop) {
        parts.heartbeat().phase(Heartbeat.Phase.SAMPLING);
        if (begun.areTooMany()) {
            give("PROBE_FAILED", "the process ended %d times while pictures of the probe were drawn (%s); what is"
                    .formatted(begun.deaths().size(), String.join(", ", begun.deaths())) + " missing is left out.");
        }
        // What a process died of comes last: the others may be drawn before it does so again.
        List<ProbeShot> inOrder =
                shots.stream().sorted(Comparator.comparing(shot -> begun.diedOf(shot.name()))).toList();
        for (int i = 0; i < inOrder.size(); i++) {
            ProbeShot shot = inOrder.get(i);
            parts.progress().doing("grid", i, shots.size());
            Path file = file(checkpoint, shot);
            if (!Files.isRegularFile(file)) {
                if (stop.isRequested()) return false;
                if (begun.areTooMany()) continue;
                if (parts.time().isUp()) {
                    give("TIME_LIMIT", "the time allowed for the run was over after %d of %d pictures of the probe."
                            .formatted(i, shots.size()));
                    return true;
                }
                if (!paint(checkpoint, shot, file, stop)) continue;
            }
            Path relative = parts.folder().root().relativize(file);
            parts.events().append(new Event.SampleWritten(checkpoint.step(), firstText + shot.text(),
                    relative.toString().replace('\\', '/'), ContentHash.ofFile(file)));
            parts.heartbeat().worked();
        }
        parts.progress().doing("grid", shots.size(), shots.size());
        return true;
    }

    /// @return false where it needs what cannot be used
    private boolean paint(Checkpoint checkpoint, ProbeShot shot, Path file, Stop stop) {
        begun.begin(shot.name());
        try {
            if (!hasSecond(shot)) return false;
            if (!loaded) load(parts.folder().root().resolve(checkpoint.file()));
            loaded = true;
            paint(checkpoint, shot, file, (done, steps, latents) -> {
                // Who asked may lose patience before the picture is there; that says nothing about the picture.
                if (stop.isRequested()) begun.end();
            });
            return true;
        } finally {
            begun.end();
        }
    }

    private void load(Path file) {
        float[] values = new float[Math.toIntExact(parts.lora().layout().parameters())];
        StartingAdapter.put(file, legal, parts.lora(), values);
        backend.write(values, parts.lora().values());
    }

    /// Loads the second LoRA for the first picture that shows it. One that cannot be used costs its own pictures only.
    private boolean hasSecond(ProbeShot shot) {
        if (shot.part() != ProbeShot.Part.SECOND_LORA || second != Adapters.NONE) return true;
        if (asked == null) return false;
        float[] values = new float[Math.toIntExact(parts.lora().layout().parameters())];
        Optional<String> why = asked.read(parts.lora(), values);
        if (why.isPresent()) {
            give("PROBE_FAILED", "%s: %s; the two pictures with it are left out.".formatted(
                    SecondLora.KEY, why.get()));
            asked = null;
            return false;
        }
        backend.write(values, parts.lora().gradients());
        second = parts.lora().frozen(parts.lora().gradients(), 1);
        return true;
    }

    private void paint(Checkpoint checkpoint, ProbeShot shot, Path file, Sampler.Progress steps) {
        int text = firstText + shot.text();
        SamplePrompt picture = shot.picture();
        SampleRequest like = parts.gallery().studio().request(text);
        SampleRequest request = new SampleRequest(like.prompt(), like.negative(), like.width(), like.height(),
                like.steps(), new Guidance(picture.guidanceScale(), picture.restoreNorm()), picture.seed(),
                picture.strength(), like.controls());
        Adapters own = picture.strength() == 0 ? Adapters.NONE
                : parts.lora().frozen(parts.lora().values(), (float) picture.strength());
        Adapters all = shot.part() == ProbeShot.Part.SECOND_LORA ? own.and(second) : own;
        QwenImageTransformer model = all == Adapters.NONE ? parts.base() : parts.base().with(all);
        String name = checkpoint.file().replaceFirst("\\.safetensors$", "");
        parts.gallery().studio().paint(text, request, model, (int) checkpoint.step(), shot.isBare() ? "base" : name,
                SampleFormat.PNG, file, steps);
    }

    private void give(String code, String notice) {
        parts.events().append(new Event.NoticeGiven(code, notice));
        parts.progress().say("note: " + notice);
    }

    private Path file(Checkpoint checkpoint, ProbeShot shot) {
        return parts.folder().samples().resolve(FOLDER).resolve("%s_%09d_%s.png".formatted(
                parts.recipe().name(), checkpoint.step(), shot.name()));
    }

    /// What there is of the pictures now, put together by `work`; not where a process has died of that.
    void showing(Checkpoint checkpoint, Consumer<ProbePictures> work) {
        if (begun.diedOf(SHEET)) {
            give("PROBE_FAILED", "the process ended while the sheet of the probe was drawn; it is left out.");
            return;
        }
        begun.begin(SHEET);
        try {
            work.accept(ProbePictures.read(recipe, checkpoint.file(), shot -> file(checkpoint, shot)));
        } finally {
            begun.end();
        }
    }
}
