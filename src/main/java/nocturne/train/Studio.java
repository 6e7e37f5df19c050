package nocturne.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.image.Background;
import nocturne.image.Generation;
import nocturne.image.JpegWriter;
import nocturne.image.Picture;
import nocturne.image.PictureReader;
import nocturne.image.PngWriter;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.PictureSize;
import nocturne.qwen.PromptEmbedding;
import nocturne.qwen.PromptTemplate;
import nocturne.qwen.QwenImageTransformer;
import nocturne.recipe.SampleFormat;
import nocturne.recipe.SamplePrompt;
import nocturne.sample.Conditions;
import nocturne.sample.Guidance;
import nocturne.sample.Painter;
import nocturne.sample.SampleRequest;
import nocturne.sample.Sampler;
import nocturne.sample.TransformerDenoiser;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;
import nocturne.train.Encoders.Prompt;

/// All prompts that are ever drawn, encoded, and what it takes to draw them.
final class Studio {
    private final List<SampleRequest> requests = new ArrayList<>();
    private final List<Conditions> conditions = new ArrayList<>();
    private final Encoders encoders;
    private final FlowMatchConfig schedule;
    private final Backend backend;
    private final TensorArena passes;

    /// Encodes every prompt and control picture now, so that the text encoder can go before training begins.
    ///
    /// @param bundle               where control pictures lie
    /// @param controlsAtTargetSize as in [Examples]: samples show the model what training showed it
    /// @param passes               for the work; empty when [#paint] is called, and after it
    Studio(List<SamplePrompt> prompts, Path bundle, Encoders encoders, PromptTemplate editTemplate,
            boolean controlsAtTargetSize, FlowMatchConfig schedule, Backend backend, TensorArena passes) {
        this.encoders = encoders;
        this.schedule = schedule;
        this.backend = backend;
        this.passes = passes;
        List<Prompt> wanted = new ArrayList<>();
        for (SamplePrompt prompt : prompts) {
            SampleRequest request = request(prompt, bundle);
            requests.add(request);
            wanted.add(prompt(request, request.prompt(), editTemplate));
            // The released pipelines need some negative prompt to guide at all; a blank is what people give.
            wanted.add(prompt(request, request.negative().isEmpty() ? " " : request.negative(), editTemplate));
        }
        List<PromptEmbedding> embeddings = encoders.prompts(wanted);
        for (int i = 0; i < requests.size(); i++) {
            conditions.add(new Conditions(embeddings.get(2 * i), embeddings.get(2 * i + 1),
                    controls(requests.get(i), controlsAtTargetSize)));
        }
    }

    private static SampleRequest request(SamplePrompt prompt, Path bundle) {
        List<Picture> controls = new ArrayList<>();
        for (String control : prompt.controls()) {
            controls.add(PictureReader.standard().read(bundle.resolve(control), Background.BLACK));
        }
        return new SampleRequest(prompt.prompt(), prompt.negative(), prompt.width(), prompt.height(), prompt.steps(),
                new Guidance(prompt.guidanceScale(), prompt.restoreNorm()), prompt.seed(), prompt.strength(), controls);
    }

    private static Prompt prompt(SampleRequest request, String text, PromptTemplate editTemplate) {
        if (request.controls().isEmpty()) return Prompt.ofWords(text);
        return new Prompt(editTemplate, text, request.controls().stream().map(Studio::hash).toList(),
                request::controls);
    }

    private static String hash(Picture picture) {
        return new ContentHash().add("picture").add(picture.width()).add(picture.height()).add(picture.rgb()).hex();
    }

    private List<Conditions.Control> controls(SampleRequest request, boolean atTargetSize) {
        List<Conditions.Control> controls = new ArrayList<>();
        for (Picture picture : request.controls()) {
            long area = atTargetSize ? (long) request.width() * request.height() : PictureSize.VAE_AREA;
            Examples.Control control = Examples.control(picture.width(), picture.height(), area);
            controls.add(new Conditions.Control(control.grid(),
                    encoders.latents(control.hash(hash(picture)), () -> control.scaled(picture))));
        }
        return controls;
    }

    int size() {
        return requests.size();
    }

    /// A prompt as the recipe asks for it.
    SampleRequest request(int prompt) {
        return requests.get(prompt);
    }

    /// Tokens of each picture's longer prompt.
    List<Integer> tokens() {
        return conditions.stream()
                .map(condition -> Math.max(condition.prompt().tokens(), condition.negative().tokens())).toList();
    }

    /// Draws a picture and writes it, with its settings, under its final name.
    ///
    /// @param prompt     whose words and controls are drawn
    /// @param request    with which settings
    /// @param model      with whatever adapter it shall have
    /// @param step       updates made
    /// @param checkpoint what the adapter is called
    /// @param steps      told about each denoising step
    void paint(int prompt, SampleRequest request, QwenImageTransformer model, int step, String checkpoint,
            SampleFormat format, Path file, Sampler.Progress steps) {
        Sampler sampler = new Sampler(new TransformerDenoiser(model, backend, passes), schedule);
        Picture picture = new Painter(sampler, encoders.vae().workingIn(passes))
                .paint(request, conditions.get(prompt), steps);
        Generation generation = new Generation(request.prompt(), request.negative(), request.seed(), step,
                request.steps(), request.guidance().scale(), request.width(), request.height(), request.strength(),
                checkpoint);
        byte[] encoded = format == SampleFormat.JPEG
                ? JpegWriter.jpeg(picture, generation.parameters()) : PngWriter.png(picture, generation.texts());
        AtomicFiles.write(file, out -> out.write(encoded));
    }
}
