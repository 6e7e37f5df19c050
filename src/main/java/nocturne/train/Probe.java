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
import nocturne.qwen.QwenImageTransformer;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.ProbeShot;
import nocturne.recipe.SampleFormat;
import nocturne.recipe.SamplePrompt;
import nocturne.report.RunSummary.Checkpoint;
import nocturne.sample.Guidance;
import nocturne.sample.SampleRequest;
import nocturne.tensor.Backend;

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

    /// @param parts of a run that has made its last step
    /// @param legal the layers that a checkpoint may have
    Probe(TrainingLoop.Parts parts, ProbeRecipe recipe, Backend backend, SequencedMap<String, LinearShape> legal) {
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
                if (!mayTry(shot)) continue;
                if (!loaded) load(parts.folder().root().resolve(checkpoint.file()));
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

    private void load(Path file) {
        float[] values = new float[Math.toIntExact(parts.lora().layout().parameters())];
        StartingAdapter.put(file, legal, parts.lora(), values);
        backend.write(values, parts.lora().values());
    }

    private void paint(Checkpoint checkpoint, ProbeShot shot, Path file) {
        int text = firstText + shot.text();
        SamplePrompt picture = shot.picture();
        SampleRequest like = parts.gallery().studio().request(text);
        SampleRequest request = new SampleRequest(like.prompt(), like.negative(), like.width(), like.height(),
                like.steps(), new Guidance(picture.guidanceScale(), picture.restoreNorm()), picture.seed(),
                picture.strength(), like.controls());
        QwenImageTransformer model = shot.isBare() ? parts.base()
                : parts.base().with(parts.lora().frozen(parts.lora().values(), (float) picture.strength()));
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
