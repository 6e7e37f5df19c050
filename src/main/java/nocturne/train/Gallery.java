package nocturne.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import nocturne.adapter.Lora;
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
import nocturne.recipe.SampleRecipe;
import nocturne.report.ContactSheet;
import nocturne.sample.Conditions;
import nocturne.sample.Guidance;
import nocturne.sample.Painter;
import nocturne.sample.SampleRequest;
import nocturne.sample.Sampler;
import nocturne.sample.TransformerDenoiser;
import nocturne.tensor.Backend;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.train.Encoders.Prompt;

/// Draws the recipe's sample pictures at a step, as `samples/<name>_<step>_<prompt>.png`, or `.jpg`.
///
/// The same prompt starts from the same noise at every step, so that the pictures differ by the training alone.
final class Gallery {
    /// The end of a sample's name: step and prompt.
    private static final Pattern DRAWN = Pattern.compile("_(\\d{9})_\\d+\\.(png|jpg)$");

    private final Path folder;
    private final String name;
    private final SampleFormat format;
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
    /// @param passes               for the work; empty when [#draw] is called, and after it
    Gallery(Path folder, String name, SampleRecipe asked, Path bundle, Encoders encoders, PromptTemplate editTemplate,
            boolean controlsAtTargetSize, FlowMatchConfig schedule, Backend backend, TensorArena passes) {
        this.folder = folder;
        this.name = name;
        format = asked.format();
        this.encoders = encoders;
        this.schedule = schedule;
        this.backend = backend;
        this.passes = passes;
        List<Prompt> wanted = new ArrayList<>();
        for (SamplePrompt prompt : asked.prompts()) {
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
        return new Prompt(editTemplate, text, request.controls().stream().map(Gallery::hash).toList(),
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

    /// Tokens of each picture's longer prompt.
    List<Integer> tokens() {
        return conditions.stream()
                .map(condition -> Math.max(condition.prompt().tokens(), condition.negative().tokens())).toList();
    }

    List<String> prompts() {
        return requests.stream().map(SampleRequest::prompt).toList();
    }

    /// Draws what is not there yet; a file that is there is whole, and the same picture would be drawn again.
    /// Between two pictures it may be asked to leave off.
    ///
    /// @param step    updates made; 0 is the untrained model
    /// @param values  the adapter's, under the layout of `lora`
    /// @param present told the prompt's number and the file, for each picture that is there now: a kill may have come
    ///     between drawing one and telling of it
    /// @param doing   told how many pictures are done
    /// @return whether all are there
    boolean draw(int step, QwenImageTransformer base, Lora lora, Tensor values, BiConsumer<Integer, Path> present,
            Examples.Progress doing, BooleanSupplier stop) {
        for (int i = 0; i < requests.size(); i++) {
            doing.done("samples", i, requests.size());
            Path file = file(step, i);
            if (!Files.isRegularFile(file)) {
                if (stop.getAsBoolean()) return false;
                paint(requests.get(i), conditions.get(i), step, base, lora, values, file);
            }
            present.accept(i, file);
        }
        doing.done("samples", requests.size(), requests.size());
        return true;
    }

    private void paint(SampleRequest request, Conditions condition, int step, QwenImageTransformer base, Lora lora,
            Tensor values, Path file) {
        // Before training it is the base model itself, whatever LoRA the training goes on from.
        QwenImageTransformer model =
                step == 0 ? base : base.with(lora.frozen(values, (float) request.strength()));
        Sampler sampler = new Sampler(new TransformerDenoiser(model, backend, passes), schedule);
        Picture picture = new Painter(sampler, encoders.vae().workingIn(passes))
                .paint(request, condition, Sampler.Progress.NONE);
        Generation generation = new Generation(request.prompt(), request.negative(), request.seed(), step,
                request.steps(), request.guidance().scale(), request.width(), request.height(),
                request.strength(), step == 0 ? "base" : "%s_%09d".formatted(name, step));
        byte[] encoded = format == SampleFormat.JPEG
                ? JpegWriter.jpeg(picture, generation.parameters()) : PngWriter.png(picture, generation.texts());
        AtomicFiles.write(file, out -> out.write(encoded));
    }

    private Path file(int step, int prompt) {
        return folder.resolve("%s_%09d_%d.%s".formatted(name, step, prompt, format.spelling()));
    }

    /// Removes what was drawn after a step: the run has gone back to it, and they may come out differently.
    void forgetAfter(int step) {
        if (!Files.isDirectory(folder)) return;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Matcher drawn = DRAWN.matcher(String.valueOf(file.getFileName()));
                if (drawn.find() && Integer.parseInt(drawn.group(1)) > step) Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw AtomicFiles.explained(e, folder);
        }
    }

    /// The pictures that lie in the folder, for the contact sheet.
    ///
    /// @param steps the steps at which pictures may have been drawn, ascending
    List<ContactSheet.Sample> all(Iterable<Integer> steps) {
        List<ContactSheet.Sample> samples = new ArrayList<>();
        for (int step : steps) {
            for (int i = 0; i < requests.size(); i++) {
                Path file = file(step, i);
                if (!Files.isRegularFile(file)) continue;
                Picture picture = PictureReader.standard().read(file, Background.BLACK);
                samples.add(new ContactSheet.Sample(i, requests.get(i).prompt(), step, picture));
            }
        }
        return samples;
    }
}
