package nocturne.qwen;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import nocturne.image.Picture;
import nocturne.image.Resample;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.qwen.PromptTemplate.Encoded;
import nocturne.qwen.TextEncoder.Input;
import nocturne.qwen.VisionPatches.PatchGrid;
import nocturne.tensor.Backend;
import org.jspecify.annotations.Nullable;

/// From words and control pictures to the transformer's text input: template, tokenizer, vision tower, language model,
/// and the template's prefix dropped again.
///
/// Source: `encode_prompt` of diffusers' Qwen-Image pipelines. Owns what it opened until closed. Not thread-safe.
public final class PromptEncoder implements AutoCloseable {
    // The model's layers are read once for each group of prompts, so groups are large; the activations of a group at
    // the released width stay around 300 MB.
    private static final int GROUP_TOKENS = 16_384;
    private static final int GROUP_PATCHES = 16_384;

    private final PromptTemplate template;
    private final Tokenizer tokenizer;
    private final TextEncoder encoder;
    private final @Nullable Vision vision;

    /// What control pictures need beyond words.
    private record Vision(VisionPreprocessor preprocessor, VisionTower tower) {}

    /// @param controls control pictures as the user gave them, in order; empty for text to image
    public record Prompt(String text, List<Picture> controls) {
        public Prompt {
            controls = List.copyOf(controls);
        }

        public static Prompt ofWords(String text) {
            return new Prompt(text, List.of());
        }
    }

    /// A prompt that has been measured and templated but not computed.
    private record Prepared(Prompt prompt, Encoded encoded, List<PatchGrid> grids) {
        int patches() {
            return grids.stream().mapToInt(PatchGrid::patches).sum();
        }
    }

    private PromptEncoder(PromptTemplate template, Tokenizer tokenizer, TextEncoder encoder, @Nullable Vision vision) {
        this.template = template;
        this.tokenizer = tokenizer;
        this.encoder = encoder;
        this.vision = vision;
    }

    /// Opens `tokenizer/` and `text_encoder/` of a pipeline folder, and for the edit templates `processor/` and the
    /// vision tower.
    ///
    /// @param backend where it computes; not closed with the encoder
    /// @throws UserMistake with the problems of all these parts at once, and if they do not belong together
    public static PromptEncoder open(Path pipeline, PromptTemplate template, Backend backend) {
        return open(pipeline, template, EncoderLoading.PLAIN, backend);
    }

    /// The same with the models' weights in a smaller format.
    public static PromptEncoder open(
            Path pipeline, PromptTemplate template, EncoderLoading loading, Backend backend) {
        List<Problem> problems = new ArrayList<>();
        Path folder = pipeline.resolve("text_encoder");
        boolean sees = template != PromptTemplate.TEXT_TO_IMAGE;
        Tokenizer tokenizer = attempt(problems, () -> Tokenizer.open(pipeline.resolve("tokenizer")));
        TextEncoder encoder = attempt(problems, () -> TextEncoder.open(folder, loading, backend));
        VisionPreprocessor preprocessor =
                sees ? attempt(problems, () -> VisionPreprocessor.open(pipeline.resolve("processor"))) : null;
        VisionTower tower = sees ? attempt(problems, () -> VisionTower.open(folder, loading, backend)) : null;
        if (tokenizer != null && encoder != null) {
            attempt(problems, () -> template.dropped(tokenizer));
            checkTogether(problems, pipeline, tokenizer, encoder.config());
        }
        if (encoder != null && preprocessor != null && tower != null) {
            checkTogether(problems, pipeline, encoder.config(), preprocessor.settings(), tower.config());
        }
        if (problems.isEmpty() && tokenizer != null && encoder != null) {
            Vision vision = preprocessor == null || tower == null ? null : new Vision(preprocessor, tower);
            return new PromptEncoder(template, tokenizer, encoder, vision);
        }
        if (encoder != null) encoder.close();
        if (tower != null) tower.close();
        throw new UserMistake("%s cannot encode prompts: %d problem%s.".formatted(
                pipeline, problems.size(), problems.size() == 1 ? "" : "s"), problems);
    }

    /// What encoding prompts takes of a device: does on a [Backend#rehearsal] what encoding them does on a real one.
    ///
    /// @param vision   null where no prompt has control pictures
    /// @param tokens   of each prompt, with the template's
    /// @param pictures the control pictures' patches
    /// @param after    done while the encoders still hold their memory
    public static void rehearse(TextEncoderConfig config, @Nullable VisionTowerConfig vision, List<Integer> tokens,
            List<PatchGrid> pictures, Backend backend, Runnable after) {
        try (TextEncoder encoder = TextEncoder.empty(config, backend)) {
            List<Input> inputs = leading(tokens, count -> count, GROUP_TOKENS).stream()
                    .map(count -> Input.ofWords(new int[count])).toList();
            if (vision == null || pictures.isEmpty()) {
                encoder.encode(inputs);
                after.run();
                return;
            }
            try (VisionTower tower = VisionTower.empty(vision, backend)) {
                List<PatchGrid> group = leading(pictures, PatchGrid::patches, GROUP_PATCHES);
                int patches = group.stream().mapToInt(PatchGrid::patches).sum();
                float[] numbers = new float[Math.multiplyExact(patches, vision.patchLength())];
                tower.encode(new VisionPatches(numbers, vision.patchLength(), group));
                encoder.encode(inputs);
                after.run();
            }
        }
    }

    /// The largest, as many as go together.
    private static <T> List<T> leading(List<T> all, ToIntFunction<T> size, int most) {
        List<T> group = new ArrayList<>();
        int sum = 0;
        for (T next : all.stream().sorted(Comparator.comparingInt(size).reversed()).toList()) {
            sum += size.applyAsInt(next);
            if (!group.isEmpty() && sum > most) break;
            group.add(next);
        }
        return group;
    }

    private static <T> @Nullable T attempt(List<Problem> problems, Supplier<T> open) {
        try {
            return open.get();
        } catch (UserMistake mistake) {
            mistake.problems().stream().filter(problem -> !problems.contains(problem)).forEach(problems::add);
            return null;
        }
    }

    private static void checkTogether(List<Problem> problems, Path pipeline, Tokenizer tokenizer,
            TextEncoderConfig config) {
        int placeholder = tokenizer.special(Tokenizer.IMAGE_PAD);
        if (tokenizer.size() > config.vocabulary() || placeholder != config.imageToken()) {
            problems.add(new Problem("MODEL_INVALID", pipeline.toString(), ("tokenizer/ and text_encoder/ are of "
                    + "different models: %d tokens with %s as number %d, a model of %d tokens with number %d")
                    .formatted(tokenizer.size(), Tokenizer.IMAGE_PAD, placeholder, config.vocabulary(),
                            config.imageToken())));
        }
    }

    private static void checkTogether(List<Problem> problems, Path pipeline, TextEncoderConfig text,
            VisionPreprocessor.Settings settings, VisionTowerConfig tower) {
        if (tower.outWidth() != text.width()) {
            problems.add(new Problem("MODEL_INVALID", pipeline.resolve("text_encoder/config.json").toString(),
                    "vision_config out_hidden_size %d is not the language model's hidden_size %d".formatted(
                            tower.outWidth(), text.width())));
        }
        if (settings.patchSize() != tower.patchSize() || settings.mergeSize() != tower.mergeSize()
                || settings.frames() != tower.frames()) {
            problems.add(new Problem("MODEL_INVALID", pipeline.resolve("processor").toString(),
                    "cuts pictures into other patches than the vision tower in text_encoder/ takes in"));
        }
    }

    /// The tokens the transformer will see of this prompt, without computing it.
    ///
    /// @throws UserMistake as [#encode]
    public int tokens(Prompt prompt) {
        return prepare(prompt).encoded.kept();
    }

    /// Encodes every prompt by itself, in order. Many in one call are much cheaper than one by one.
    ///
    /// @throws UserMistake `PROMPT_INVALID` or `PICTURE_UNUSABLE` for a prompt or control picture that cannot be taken
    public List<PromptEmbedding> encode(List<Prompt> prompts) {
        List<Prepared> all = prompts.stream().map(this::prepare).toList();
        List<PromptEmbedding> results = new ArrayList<>();
        int from = 0;
        while (from < all.size()) {
            int to = from;
            long tokens = 0;
            long patches = 0;
            // At least one, however long it is.
            do {
                tokens += all.get(to).encoded.ids().length;
                patches += all.get(to).patches();
                to++;
            } while (to < all.size() && tokens + all.get(to).encoded.ids().length <= GROUP_TOKENS
                    && patches + all.get(to).patches() <= GROUP_PATCHES);
            results.addAll(encodeGroup(all.subList(from, to)));
            from = to;
        }
        return results;
    }

    public PromptEmbedding encode(Prompt prompt) {
        return encode(List.of(prompt)).getFirst();
    }

    private Prepared prepare(Prompt prompt) {
        List<PatchGrid> grids = new ArrayList<>();
        int[] pictureTokens = new int[prompt.controls.size()];
        for (int i = 0; vision != null && i < pictureTokens.length; i++) {
            PictureSize size = conditionSize(prompt.controls.get(i));
            grids.add(vision.preprocessor.grid(size.width(), size.height()));
            pictureTokens[i] = vision.preprocessor.tokens(size.width(), size.height());
        }
        return new Prepared(prompt, template.encode(tokenizer, prompt.text, pictureTokens), grids);
    }

    private List<PromptEmbedding> encodeGroup(List<Prepared> group) {
        int width = encoder.config().width();
        float[] pictureRows = lookAt(group);
        List<Input> inputs = new ArrayList<>();
        int at = 0;
        for (Prepared one : group) {
            int[] ids = one.encoded.ids();
            if (vision == null || one.grids.isEmpty()) {
                inputs.add(Input.ofWords(ids));
                continue;
            }
            int merge = vision.tower.config().mergeSize();
            int numbers = one.grids.stream().mapToInt(grid -> grid.tokens(merge)).sum() * width;
            inputs.add(Input.withPictures(ids, Arrays.copyOfRange(pictureRows, at, at + numbers), one.grids, merge,
                    encoder.config().imageToken()));
            at += numbers;
        }
        List<float[]> features = encoder.encode(inputs);
        List<PromptEmbedding> results = new ArrayList<>();
        for (int i = 0; i < group.size(); i++) {
            Encoded encoded = group.get(i).encoded;
            float[] rows = features.get(i);
            results.add(new PromptEmbedding(encoded.kept(), width,
                    Arrays.copyOfRange(rows, encoded.dropped() * width, rows.length)));
        }
        return results;
    }

    /// The vision tower's rows of all pictures of a group, one after the other.
    private float[] lookAt(List<Prepared> group) {
        List<Picture> pictures = new ArrayList<>();
        for (Prepared one : group) {
            for (Picture control : one.prompt.controls) {
                PictureSize size = conditionSize(control);
                pictures.add(Resample.pillow(control, size.width(), size.height(), Resample.Filter.LANCZOS,
                        Resample.Order.HORIZONTAL_FIRST));
            }
        }
        if (vision == null || pictures.isEmpty()) return new float[0];
        return vision.tower.encode(vision.preprocessor.patches(pictures));
    }

    /// The size of the copy that the language model is shown, before the tower's own rounding.
    private PictureSize conditionSize(Picture control) {
        return new PictureSize(control.width(), control.height()).ofArea(
                template == PromptTemplate.EDIT ? PictureSize.VAE_AREA : PictureSize.CONDITION_AREA);
    }

    @Override
    public void close() {
        encoder.close();
        if (vision != null) vision.tower.close();
    }
}
