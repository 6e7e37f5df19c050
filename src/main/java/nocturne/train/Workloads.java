package nocturne.train;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.adapter.LoraLayout;
import nocturne.dataset.Dataset;
import nocturne.dataset.Sample;
import nocturne.dataset.TrainingPicture;
import nocturne.memory.PassShape;
import nocturne.memory.Workload;
import nocturne.qwen.Grid;
import nocturne.qwen.ModelSizes;
import nocturne.qwen.PictureSize;
import nocturne.qwen.PromptEmbedding;
import nocturne.qwen.PromptTemplate;
import nocturne.qwen.TransformerConfig;
import nocturne.qwen.VisionPatches.PatchGrid;
import nocturne.recipe.Optimizer;
import nocturne.recipe.Recipe;
import nocturne.recipe.SamplePrompt;
import org.jspecify.annotations.Nullable;

/// What a recipe and its pictures ask of a device's memory.
///
/// @param config of the transformer
record Workloads(Recipe recipe, ModelSizes model, TransformerConfig config, FrozenWeights frozen, LoraLayout layout) {
    /// Patches that become one token, along each side.
    private static final int MERGED = 2;
    /// Pixels of the language model's patches, two by two.
    private static final double CELL = 28;

    /// Tokens of the prompts, which are known when they have been encoded.
    ///
    /// @param training of the longest caption, as the transformer is given it
    /// @param heldOut  likewise
    /// @param drawings of the longer text of each sample, then of the longest text of the probe
    /// @param prompts  of all, as the text encoder is given them
    record Tokens(int training, int heldOut, List<Integer> drawings, List<Integer> prompts) {
        /// What the shortest words take.
        private static final int LEAST = TextLengths.CLOSING;
        /// Of the template before the words.
        private static final int MOST_TEMPLATE = 64;

        static Tokens of(Recipe recipe, List<Example> training, List<Example> heldOut, Studio studio) {
            // Training pictures' captions go through the encoder together, those of the others in groups of their own.
            List<Integer> prompts = embeddings(training).collect(Collectors.toCollection(ArrayList::new));
            int longest = Stream.concat(studio.tokens().stream(), embeddings(heldOut))
                    .mapToInt(count -> count).max().orElse(0);
            prompts.add(longest);
            prompts.replaceAll(count -> count + MOST_TEMPLATE);
            return new Tokens(longest(training), longest(heldOut), drawings(recipe, studio.tokens()), prompts);
        }

        private static Stream<Integer> embeddings(List<Example> examples) {
            return examples.stream().flatMap(example -> Stream.of(example.prompt(), example.emptyPrompt()))
                    .collect(Collectors.toCollection(() -> Collections.newSetFromMap(new IdentityHashMap<>())))
                    .stream().map(PromptEmbedding::tokens);
        }

        private static int longest(List<Example> examples) {
            return embeddings(examples).mapToInt(count -> count).max().orElse(LEAST);
        }

        /// Of the longest texts that will be trained and drawn, as far as is known before they are encoded.
        static Tokens expected(Recipe recipe, Dataset dataset, @Nullable Dataset heldOut, TextLengths texts) {
            int training = longest(recipe, dataset, texts);
            int kept = heldOut == null ? LEAST : longest(recipe, heldOut, texts);
            // How large the controls of samples are is not looked at here.
            int control = promptTokens(recipe, new PictureSize(1, 1));
            List<Integer> drawings = drawings(recipe, recipe.drawn().stream()
                    .map(prompt -> Math.max(drawn(prompt, prompt.prompt(), control, texts),
                            drawn(prompt, prompt.negative(), control, texts)))
                    .toList());
            List<Integer> prompts = Stream.concat(Stream.of(training, kept), drawings.stream())
                    .map(count -> count + MOST_TEMPLATE).toList();
            return new Tokens(training, kept, drawings, prompts);
        }

        private static int longest(Recipe recipe, Dataset dataset, TextLengths texts) {
            return dataset.samples().stream().mapToInt(sample -> {
                List<TrainingPicture> controls = sample.controls();
                return controls.isEmpty() ? texts.alone(sample.caption())
                        : texts.behind(controls.size(), controls.stream()
                                .mapToInt(control -> promptTokens(recipe,
                                        new PictureSize(control.width(), control.height()))).sum(), sample.caption());
            }).max().orElse(LEAST);
        }

        private static int drawn(SamplePrompt prompt, String text, int control, TextLengths texts) {
            int controls = prompt.controls().size();
            // Where there are no words, a blank is drawn with.
            String words = text.isEmpty() ? " " : text;
            return controls == 0 ? texts.alone(words) : texts.behind(controls, controls * control, words);
        }

        /// Of the samples' texts, and of the longest of the probe's.
        private static List<Integer> drawings(Recipe recipe, List<Integer> drawn) {
            int samples = recipe.sample().prompts().size();
            List<Integer> drawings = new ArrayList<>(drawn.subList(0, samples));
            drawn.stream().skip(samples).max(Comparator.naturalOrder()).ifPresent(drawings::add);
            return drawings;
        }
    }

    /// The samples, and once the probe's pictures, which differ in their texts alone.
    private static List<SamplePrompt> shapes(Recipe recipe) {
        List<SamplePrompt> shapes = new ArrayList<>(recipe.sample().prompts());
        if (recipe.probe() != null) shapes.add(recipe.probe().prompt());
        return shapes;
    }

    Workload of(Dataset training, @Nullable Dataset heldOut, Tokens tokens) {
        int batch = recipe.train().batchSize();
        return new Workload(config, frozen.formats(), frozen.recovery(),
                new Workload.Trained(layout, recipe.train().optimizer().optimizer() == Optimizer.ADAMW8BIT,
                        recipe.train().ema().on()),
                new PassShape(batch, largest(training), tokens.training, batch > 1),
                heldOut == null ? null : new PassShape(1, largest(heldOut), tokens.heldOut, false),
                encoders(training, heldOut, tokens));
    }

    private Workload.Encoders encoders(Dataset training, @Nullable Dataset heldOut, Tokens tokens) {
        List<Sample> samples = heldOut == null ? training.samples()
                : Stream.concat(training.samples().stream(), heldOut.samples().stream()).toList();
        List<PictureSize> pictures = new ArrayList<>();
        List<PatchGrid> controls = new ArrayList<>();
        for (Sample sample : samples) {
            pictures.add(new PictureSize(sample.width(), sample.height()));
            for (TrainingPicture control : sample.controls()) {
                PictureSize size = new PictureSize(control.width(), control.height());
                pictures.add(size.ofArea(controlArea(sample.width(), sample.height())));
                controls.add(shown(size));
            }
        }
        List<Workload.Drawing> drawings = new ArrayList<>();
        List<SamplePrompt> drawn = shapes(recipe);
        boolean stacked = recipe.probe() != null && recipe.probe().secondLora() != null;
        for (int i = 0; i < drawn.size(); i++) {
            SamplePrompt prompt = drawn.get(i);
            PictureSize size = new PictureSize(prompt.width(), prompt.height());
            // How large the controls are is not looked at here; about this, whatever their proportions.
            PictureSize control = new PictureSize(1, 1).ofArea(controlArea(prompt.width(), prompt.height()));
            List<Grid> grids = new ArrayList<>(List.of(Grid.ofPixels(prompt.width(), prompt.height())));
            for (int c = 0; c < prompt.controls().size(); c++) {
                grids.add(Grid.ofPixels(control.width(), control.height()));
                pictures.add(control);
                controls.add(shown(control));
            }
            // The probe's comes last.
            drawings.add(new Workload.Drawing(new PassShape(1, grids, tokens.drawings.get(i), false), size,
                    stacked && i == drawn.size() - 1 ? 2 : 1));
        }
        return new Workload.Encoders(model.vaeConfig(), model.textEncoderConfig(),
                controls.isEmpty() ? null : model.visionConfig(), tokens.prompts, controls,
                List.of(largestOf(pictures)), drawings);
    }

    private static PictureSize largestOf(List<PictureSize> pictures) {
        return pictures.stream().max(Comparator.comparingLong(size -> (long) size.width() * size.height()))
                .orElseThrow();
    }

    private long controlArea(int width, int height) {
        return recipe.model().matchTargetResolution() ? (long) width * height : PictureSize.VAE_AREA;
    }

    /// The copy of a control picture that the language model is shown.
    private PatchGrid shown(PictureSize control) {
        return shown(recipe, control);
    }

    private static PatchGrid shown(Recipe recipe, PictureSize control) {
        PictureSize size = control.ofArea(Settings.editTemplate(recipe) == PromptTemplate.EDIT
                ? PictureSize.VAE_AREA : PictureSize.CONDITION_AREA);
        return new PatchGrid(patches(size.height()), patches(size.width()));
    }

    private static int patches(int pixels) {
        return Math.toIntExact(2 * Math.max(1, Math.round(pixels / CELL)));
    }

    /// Tokens of a control picture in the prompt.
    static int promptTokens(Recipe recipe, PictureSize control) {
        return shown(recipe, control).tokens(MERGED);
    }

    /// The token sizes of the sample with most tokens.
    private List<Grid> largest(Dataset dataset) {
        return dataset.samples().stream().map(this::grids)
                .max(Comparator.comparingInt(grids -> grids.stream().mapToInt(Grid::tokens).sum())).orElseThrow();
    }

    /// The token sizes of a sample's picture and of its controls.
    List<Grid> grids(Sample sample) {
        List<Grid> grids = new ArrayList<>(List.of(Grid.ofPixels(sample.width(), sample.height())));
        for (TrainingPicture control : sample.controls()) {
            grids.add(Examples.control(control.width(), control.height(),
                    controlArea(sample.width(), sample.height())).grid());
        }
        return grids;
    }
}
