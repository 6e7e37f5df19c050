package nocturne.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import nocturne.adapter.LinearShape;
import nocturne.event.Event;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import nocturne.qwen.QwenImageTransformer;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.ProbeShot;
import nocturne.recipe.SampleFormat;
import nocturne.recipe.SamplePrompt;
import nocturne.report.RunSummary.Checkpoint;
import nocturne.sample.Guidance;
import nocturne.sample.SampleRequest;
import nocturne.tensor.Adapters;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;

/// Draws the recommended checkpoint at several settings when all else is done, as `samples/grid/<name>_<step>_...png`
/// (S2-74).
///
/// The checkpoint is read back from the file that a person downloads. A picture that is there is not drawn again, so
/// that a run which was interrupted goes on with what is missing.
final class Probe {
    /// Within the folder of samples.
    static final String FOLDER = "grid";
    /// Of one picture that ended the process each time; then it is left out. Fewer than the attempts of a job.
    private static final int MOST_TRIES = 2;

    private final TrainingLoop.Parts parts;
    private final ProbeRecipe recipe;
    private final List<ProbeShot> shots;
    private final int firstText;
    private final Backend backend;
    private final SequencedMap<String, LinearShape> legal;
    private final Path bundle;
    /// What the gradients' memory is good for when no step is made any more; nothing until it is needed.
    private Adapters second = Adapters.NONE;

    /// @param parts  of a run that has made its last step
    /// @param legal  the layers that a checkpoint may have
    /// @param bundle where a second LoRA lies
    Probe(TrainingLoop.Parts parts, ProbeRecipe recipe, Backend backend, SequencedMap<String, LinearShape> legal,
            Path bundle) {
        this.bundle = bundle;
        this.parts = parts;
        this.recipe = recipe;
        this.shots = recipe.shots();
        this.firstText = parts.recipe().sample().prompts().size();
        this.backend = backend;
        this.legal = legal;
    }

    /// Draws what is not there yet, until the time is up or the run is asked to stop. The adapter in training is
    /// overwritten with the checkpoint.
    ///
    /// @return false if it was asked to stop before all were there
    boolean draw(Checkpoint checkpoint, Stop stop) {
        parts.heartbeat().phase(Heartbeat.Phase.SAMPLING);
        boolean loaded = false;
        for (int i = 0; i < shots.size(); i++) {
            ProbeShot shot = shots.get(i);
            parts.progress().doing("grid", i, shots.size());
            Path file = file(checkpoint, shot);
            if (!Files.isRegularFile(file)) {
                if (stop.isRequested()) return false;
                if (parts.time().isUp()) {
                    give("TIME_LIMIT", "the time allowed for the run was over after %d of %d pictures of the probe."
                            .formatted(i, shots.size()));
                    return true;
                }
                if (!mayTry(shot) || !hasSecond(shot)) continue;
                if (!loaded) load(parts.folder().root().resolve(checkpoint.file()), parts.lora().values());
                loaded = true;
                paint(checkpoint, shot, file);
            }
            Path relative = parts.folder().root().relativize(file);
            parts.events().append(new Event.SampleWritten(checkpoint.step(), firstText + shot.text(),
                    relative.toString().replace('\\', '/'), ContentHash.ofFile(file)));
            parts.heartbeat().worked();
        }
        parts.progress().doing("grid", shots.size(), shots.size());
        return true;
    }

    private void load(Path file, Tensor place) {
        float[] values = new float[Math.toIntExact(parts.lora().layout().parameters())];
        StartingAdapter.put(file, legal, parts.lora(), values);
        backend.write(values, place);
    }

    /// Loads the second LoRA for the first picture that shows it. One that cannot be used costs its own pictures only.
    private boolean hasSecond(ProbeShot shot) {
        String file = recipe.secondLora();
        if (shot.part() != ProbeShot.Part.SECOND_LORA || file == null || second != Adapters.NONE) return true;
        try {
            load(bundle.resolve(file), parts.lora().gradients());
            second = parts.lora().frozen(parts.lora().gradients(), 1);
            return true;
        } catch (UserMistake unusable) {
            give("PROBE_FAILED", "probe.second_lora: " + unusable.report());
            return false;
        }
    }

    private void paint(Checkpoint checkpoint, ProbeShot shot, Path file) {
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
                SampleFormat.PNG, file);
    }

    /// Notes that a picture is begun: one that ends the process does so again, and must not keep the job from ending.
    private boolean mayTry(ProbeShot shot) {
        Path begun = parts.folder().state().resolve("probe");
        try {
            String before = Files.isRegularFile(begun) ? Files.readString(begun) : "";
            if (before.lines().filter(shot.name()::equals).count() >= MOST_TRIES) {
                give("PROBE_FAILED", "the picture %s of the probe is left out: the process ended %d times while drawing"
                        .formatted(shot.name(), MOST_TRIES) + " it.");
                return false;
            }
            AtomicFiles.writeString(begun, before + shot.name() + "\n");
            return true;
        } catch (IOException e) {
            throw new SickMachine("STATE_UNREADABLE", "reading " + begun + ": " + e, e);
        }
    }

    private void give(String code, String notice) {
        parts.events().append(new Event.NoticeGiven(code, notice));
        parts.progress().say("note: " + notice);
    }

    private Path file(Checkpoint checkpoint, ProbeShot shot) {
        return parts.folder().samples().resolve(FOLDER).resolve("%s_%09d_%s.png".formatted(
                parts.recipe().name(), checkpoint.step(), shot.name()));
    }

    /// What there is of the pictures now.
    ProbePictures pictures(Checkpoint checkpoint) {
        return ProbePictures.read(recipe, checkpoint.file(), shot -> file(checkpoint, shot));
    }
}
