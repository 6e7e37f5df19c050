package nocturne.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import nocturne.dataset.Dataset;
import nocturne.dataset.Sample;
import nocturne.dataset.SamplePictures;
import nocturne.image.Picture;
import nocturne.image.Resample;
import nocturne.qwen.Grid;
import nocturne.qwen.PictureSize;
import nocturne.qwen.PromptEmbedding;
import nocturne.qwen.PromptTemplate;
import nocturne.train.Encoders.Prompt;

/// Turns the samples of a dataset into [Example]s: latents of targets and controls, embeddings of captions.
final class Examples {
    private final Encoders encoders;
    private final SamplePictures pictures;
    private final PromptTemplate editTemplate;
    private final boolean controlsAtTargetSize;
    // Many samples share a picture (repeats, dropout) or a caption: each array is kept once.
    private final Map<String, float[]> latents = new LinkedHashMap<>();

    /// Told about the progress of the slow parts.
    interface Progress {
        void done(String what, int done, int total);
    }

    /// @param editTemplate         for samples with control pictures
    /// @param controlsAtTargetSize controls are encoded at the target's area instead of about one megapixel
    Examples(Encoders encoders, SamplePictures pictures, PromptTemplate editTemplate, boolean controlsAtTargetSize) {
        this.encoders = encoders;
        this.pictures = pictures;
        this.editTemplate = editTemplate;
        this.controlsAtTargetSize = controlsAtTargetSize;
    }

    /// @return one for each sample, in order
    List<Example> of(Dataset dataset, Progress progress) {
        List<Sample> samples = dataset.samples();
        List<Prompt> prompts = new ArrayList<>();
        for (Sample sample : samples) {
            prompts.add(prompt(sample, sample.caption()));
            prompts.add(prompt(sample, ""));
        }
        progress.done("text embeddings", 0, prompts.size());
        List<PromptEmbedding> embeddings = shared(prompts, encoders.prompts(prompts));
        progress.done("text embeddings", prompts.size(), prompts.size());

        List<Example> examples = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            progress.done("latents", i, samples.size());
            Sample sample = samples.get(i);
            List<Grid> grids = new ArrayList<>(List.of(Grid.ofPixels(sample.width(), sample.height())));
            float[] target = latents.computeIfAbsent(sample.pixelsHash(),
                    hash -> encoders.latents(hash, () -> pictures.target(sample)));
            float[] controls = controls(sample, grids);
            examples.add(new Example(target, controls, grids, embeddings.get(2 * i), embeddings.get(2 * i + 1),
                    sample.captionDropoutRate(), sample.lossMultiplier()));
        }
        progress.done("latents", samples.size(), samples.size());
        return examples;
    }

    /// Equal prompts get the same embedding object.
    private static List<PromptEmbedding> shared(List<Prompt> prompts, List<PromptEmbedding> embeddings) {
        Map<List<Object>, PromptEmbedding> first = new LinkedHashMap<>();
        List<PromptEmbedding> shared = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            Prompt prompt = prompts.get(i);
            PromptEmbedding own = embeddings.get(i);
            shared.add(first.computeIfAbsent(
                    List.of(prompt.template(), prompt.text(), prompt.controlHashes()), key -> own));
        }
        return shared;
    }

    private Prompt prompt(Sample sample, String text) {
        if (sample.controls().isEmpty()) return Prompt.ofWords(text);
        List<String> hashes = new ArrayList<>();
        for (int i = 0; i < sample.controls().size(); i++) hashes.add(sample.controlHash(i));
        return new Prompt(editTemplate, text, hashes, () -> controlPictures(sample));
    }

    private List<Picture> controlPictures(Sample sample) {
        List<Picture> controls = new ArrayList<>();
        for (int i = 0; i < sample.controls().size(); i++) controls.add(pictures.control(sample, i));
        return controls;
    }

    /// All controls' packed latents one after another; their grids are appended to `grids`.
    private float[] controls(Sample sample, List<Grid> grids) {
        List<float[]> parts = new ArrayList<>();
        for (int i = 0; i < sample.controls().size(); i++) {
            int index = i;
            long area = controlsAtTargetSize ? (long) sample.width() * sample.height() : PictureSize.VAE_AREA;
            Control control = control(sample.controls().get(i).width(), sample.controls().get(i).height(), area);
            grids.add(control.grid());
            parts.add(latents.computeIfAbsent(control.hash(sample.controlHash(i)),
                    hash -> encoders.latents(hash, () -> control.scaled(pictures.control(sample, index)))));
        }
        return joined(parts);
    }

    static float[] joined(List<float[]> parts) {
        float[] joined = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, joined, at, part.length);
            at += part.length;
        }
        return joined;
    }

    /// The copy of a control picture that the transformer sees: about `area` pixels at the picture's proportions.
    static Control control(int width, int height, long area) {
        return new Control(new PictureSize(width, height).ofArea(area));
    }

    /// @param size sides are multiples of 32
    record Control(PictureSize size) {
        Grid grid() {
            return Grid.ofPixels(size.width(), size.height());
        }

        String hash(String pixelsHash) {
            return pixelsHash + " at " + size.width() + "x" + size.height();
        }

        Picture scaled(Picture picture) {
            if (picture.width() == size.width() && picture.height() == size.height()) return picture;
            return Resample.pillow(picture, size.width(), size.height(), Resample.Filter.LANCZOS,
                    Resample.Order.HORIZONTAL_FIRST);
        }
    }
}
