package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import nocturne.adapter.AdapterFile;
import nocturne.adapter.AdapterMetadata;
import nocturne.adapter.AdapterModule;
import nocturne.adapter.AdapterModule.LowRank;
import nocturne.adapter.AdapterWeights;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.cpu.CpuBackend;
import nocturne.dataset.CacheFolder;
import nocturne.dataset.Dataset;
import nocturne.dataset.DatasetSpec;
import nocturne.dataset.SamplePictures;
import nocturne.image.Background;
import nocturne.image.Picture;
import nocturne.image.PictureReader;
import nocturne.image.PngWriter;
import nocturne.image.Resample;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.PromptTemplate;
import nocturne.tensor.Backend;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a recipe can ask for beyond the example, each in a run of a few steps on pictures made here: before, a coloured
/// shape (the control picture), and after, the same shape in red.
class EditTrainingTest {
    private static final Path MODEL = Path.of("models/qwen-image-tiny").toAbsolutePath();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int THREADS = Runtime.getRuntime().availableProcessors();
    private static final int RED = 0xdc3230;
    private static final long STANDARD_SEED = 42;
    private static final Map<String, LinearShape> LAYERS = LoraTargets.of(6, 128);
    /// Four shapes, four colours, two captions of different lengths.
    private static final String EDITS = """
            datasets:
              - folder_path: after
                control_path: before
                resolution: 64
                caption_dropout_rate: 0
            """;

    @TempDir
    private static Path home;
    private static int bundles;

    private Path bundle;

    @BeforeAll
    static void makePictures() throws IOException {
        int[] colours = {0x2850c8, 0x30a046, 0xf5cd32, 0x823caa};
        for (int i = 0; i < 4; i++) {
            write("pictures/before/%d.png".formatted(i), shape(64, 64, i, colours[i]));
            write("pictures/wide/%d.png".formatted(i), shape(96, 64, i, colours[(i + 1) % 4]));
            write("pictures/after/%d.png".formatted(i), shape(64, 64, i, RED));
            Files.writeString(home.resolve("pictures/after/%d.txt".formatted(i)),
                    i % 2 == 0 ? "make the shape red" : "make the shape red and leave everything else as it is");
        }
    }

    /// The loss on the four pairs at fixed noise falls from 0.49 to 0.39, measured.
    @Test
    void learnsAnEditInBatchesOfUnequalCaptions() throws IOException {
        Path out = train(EDITS, """
                  steps: 30
                  batch_size: 2
                  lr: 1e-3
                """, """
                sample:
                  sample_every: 30
                  sample_steps: 4
                  samples:
                    - {prompt: make the shape red, ctrl_img_1: before/0.png, seed: 5}
                    - {prompt: make the shape red, ctrl_img_1: before/1.png, seed: 5}
                """);
        assertThat(losses(out)).hasSize(30).allSatisfy(loss -> assertThat(loss).isFinite().isPositive());
        double untrained = loss(AdapterOf.NOTHING, Controls.OWN);
        double trained = loss(new AdapterOf(out.resolve("edit.safetensors")), Controls.OWN);
        assertThat(trained).as("loss on the pairs, from %.4f", untrained).isLessThan(0.9 * untrained);
        Picture first = picture(out, "samples/edit_000000030_0.png");
        assertThat(first.width()).isEqualTo(64);
        assertThat(picture(out, "samples/edit_000000000_0.png").rgb()).isNotEqualTo(first.rgb());
        assertThat(picture(out, "samples/edit_000000030_1.png").rgb())
                .as("same prompt and noise, another control picture").isNotEqualTo(first.rgb());
    }

    /// The base can edit, so a picture is easier to predict beside its own control than beside another shape: a loss of
    /// 0.490 against 0.534, measured.
    @Test
    void seesTheControlPictures() throws IOException {
        bundleOf("");
        double own = loss(AdapterOf.NOTHING, Controls.OWN);
        double others = loss(AdapterOf.NOTHING, Controls.ANOTHER_SAMPLES);
        assertThat(others).isGreaterThan(1.04 * own);
    }

    @Test
    void takesSeveralControlPicturesOfDifferentSizes() throws IOException {
        Path out = train("""
                datasets:
                  - folder_path: after
                    control_path: [before, wide]
                    resolution: 64
                """, "  steps: 2\n  batch_size: 2\n", """
                sample:
                  sample_steps: 2
                  samples:
                    - {prompt: make it red, ctrl_img_1: before/0.png, ctrl_img_2: wide/1.png, width: 96, height: 64}
                """);
        assertThat(losses(out)).hasSize(2).allSatisfy(loss -> assertThat(loss).isFinite());
        assertThat(picture(out, "samples/edit_000000002_0.png").width()).isEqualTo(96);
    }

    /// The model of 2511: its control tokens are modulated as if at noise level 0, which this one was not trained for.
    @Test
    void trainsAModelWithZeroCondT() throws IOException {
        Path variant = home.resolve("variant/qwen-image-tiny");
        copyTree(MODEL, variant);
        Path config = variant.resolve("transformer/config.json");
        String json = Files.readString(config);
        Files.writeString(config, json.replace("\"zero_cond_t\": false", "\"zero_cond_t\": true"));
        assertThat(Files.readString(config)).isNotEqualTo(json);
        List<Double> plain = losses(train(EDITS, "  steps: 2\n", ""));
        Path out = train(EDITS, "  steps: 2\n", "", "qwen_image_edit_plus:2511", variant);
        List<Double> zero = losses(out);
        assertThat(notices(out)).noneMatch(notice -> notice.contains("zero_cond_t"));
        assertThat(zero).hasSize(2).allSatisfy(loss -> assertThat(loss).isFinite());
        assertThat(zero.getFirst()).isNotCloseTo(plain.getFirst(), within(1e-4));
    }

    @Test
    void saysWhereRecipeAndModelDisagreeAndWhatIsNotMeasured() throws IOException {
        Path out = train(EDITS, """
                  steps: 1
                  validation_config: {validation_folder: heldout}
                """, "", "qwen_image_edit_plus:2511", MODEL);
        assertThat(notices(out))
                .anyMatch(notice -> notice.contains("the model's own zero_cond_t is false"))
                .anyMatch(notice -> notice.contains("held-out pictures are measured without control pictures"));
    }

    @Test
    void trainsAnEditModelOnPicturesAlone() throws IOException {
        Path out = train("""
                datasets:
                  - folder_path: after
                    resolution: 64
                """, "  steps: 2\n", "");
        assertThat(losses(out)).hasSize(2).allSatisfy(loss -> assertThat(loss).isFinite());
    }

    /// Pairs and single pictures, in two sizes, mirrored or not, in batches larger than any group of equal shapes.
    @Test
    void mixesDatasetsSizesAndFlips() throws IOException {
        Path out = train("""
                datasets:
                  - folder_path: after
                    control_path: before
                    resolution: [32, 64]
                    flip_x: true
                  - folder_path: wide
                    default_caption: a shape
                    resolution: 64
                    loss_multiplier: 0.5
                """, "  steps: 6\n  batch_size: 64\n", "");
        assertThat(events(out, "job.started").getFirst().at("/data/pictures").intValue()).isEqualTo(4 * 2 * 2 + 4);
        assertThat(losses(out)).hasSize(6).allSatisfy(loss -> assertThat(loss).isFinite());
    }

    /// The same pictures, seed and steps; only the noise levels differ, so no two types may see the same losses.
    @Test
    void hearsEveryTimestepType() throws IOException {
        Map<List<Double>, TimestepType> seen = new LinkedHashMap<>();
        for (TimestepType type : TimestepType.values()) {
            String spelling = type.name().toLowerCase(Locale.ROOT);
            List<Double> losses = losses(
                    train(EDITS, "  steps: 2\n  batch_size: 4\n  timestep_type: %s\n".formatted(spelling), ""));
            assertThat(losses).as("losses of %s", type).hasSize(2).allSatisfy(loss -> assertThat(loss).isFinite());
            assertThat(seen.put(losses, type)).as("another type with the losses of %s", type).isNull();
        }
    }

    /// Eight steps at 1e-3; rates by hand from the schedules' definitions, warm-up starting from 0.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            constant             | {}                                   | 1    1   1 1 1   1 1   1
            constant_with_warmup | {num_warmup_steps: 4}                | 0  .25  .5 .75 1 1 1   1
            linear               | {eta_min: 2e-4}                      | 1   .9  .8 .7 .6 .5 .4 .3
            linear               | {num_warmup_steps: 4}                | 0  .25  .5 .75 1 .75 .5 .25
            cosine               | {num_warmup_steps: 4, eta_min: 2e-4} | 0  .25  .5 .75 1 .8828427 .6 .3171573
            cosine_with_restarts | {num_cycles: 2}                      | 1  .8535534 .5 .1464466 1 .8535534 .5 .1464466
            """)
    void followsEverySchedule(String schedule, String settings, String rates) throws IOException {
        Path out = train(EDITS, """
                  steps: 8
                  lr: 1e-3
                  lr_scheduler: %s
                  lr_scheduler_params: %s
                """.formatted(schedule, settings), "");
        List<Double> heard = events(out, "job.stepped").stream()
                .map(event -> event.at("/data/learningRate").doubleValue()).toList();
        List<Double> expected =
                Stream.of(rates.strip().split(" +")).map(rate -> Double.parseDouble(rate) / 1000).toList();
        assertThat(heard).hasSameSizeAs(expected);
        for (int i = 0; i < heard.size(); i++) {
            assertThat(heard.get(i)).as("step %d of %s", i + 1, schedule).isCloseTo(expected.get(i), within(1e-9));
        }
    }

    @ParameterizedTest
    @CsvSource({"float16, F16", "bf16, BF16", "float32, F32"})
    void savesInTheTypeThatWasAskedFor(String dtype, DType stored) throws IOException {
        Path out = train(EDITS, "  steps: 2\n", "save: {dtype: %s}\n".formatted(dtype));
        try (Safetensors file = Safetensors.open(out.resolve("edit.safetensors"))) {
            assertThat(file.tensors().values()).hasSize(2 * LAYERS.size())
                    .allSatisfy(entry -> assertThat(entry.dtype()).isEqualTo(stored));
        }
    }

    @Test
    void adaptsOnlyTheLayersThatTheFiltersLeave() throws IOException {
        Path out = train(EDITS, "  steps: 2\n", """
                network:
                  linear: 3
                  linear_alpha: 6
                  network_kwargs:
                    only_if_contains: [attn.to_q, img_mlp]
                    ignore_if_contains: [blocks.4, net.2]
                """);
        List<String> expected = new ArrayList<>();
        for (int block : new int[] {0, 1, 2, 3, 5}) {
            expected.add("transformer_blocks.%d.attn.to_q".formatted(block));
            expected.add("transformer_blocks.%d.img_mlp.net.0.proj".formatted(block));
        }
        Map<String, AdapterModule> modules = AdapterFile.read(out.resolve("edit.safetensors"), LAYERS).modules();
        assertThat(modules.keySet()).containsExactlyElementsOf(expected);
        assertThat(modules.values()).allSatisfy(module -> assertThat(((LowRank) module).rank()).isEqualTo(3));
    }

    /// A LoRA of rank 4 under a recipe of rank 6 with another alpha: before the first step the model does what the file
    /// says, no more and no less, and training goes on from there.
    @Test
    void goesOnFromAnotherLora() throws IOException {
        Path start = home.resolve("start.safetensors");
        List<LowRank> modules = new ArrayList<>();
        LAYERS.forEach((module, shape) -> modules.add(new LowRank(module, 4, shape.in(), shape.out(),
                normal(module + " down", 4 * shape.in()), normal(module + " up", 4 * shape.out()), 0.01f)));
        AdapterFile.write(start, modules, DType.F32, metadata(), false);
        Path out = train("""
                datasets:
                  - folder_path: after
                    resolution: 64
                """, """
                  steps: 2
                  validation_config: {validation_folder: heldout, validate_every_n_steps: 2, validation_sigmas: [0.5]}
                """, """
                network: {linear: 6, linear_alpha: 3, pretrained_lora_path: start.safetensors}
                """, "qwen_image_edit_plus", MODEL, start);
        List<JsonNode> measured = events(out, "job.measured");
        double before = measured.getFirst().at("/data/loss").doubleValue();
        double file = heldOutLoss(new AdapterOf(start));
        double bare = heldOutLoss(AdapterOf.NOTHING);
        assertThat(before).isCloseTo(file, within(1e-6)).isNotCloseTo(bare, within(1e-3));
        assertThat(measured.getLast().at("/data/loss").doubleValue()).isNotEqualTo(before);
    }

    /// So fast a rate spoils the adapter soon; of five numbered checkpoints two stay, the newest and the best.
    @Test
    void keepsTheBestCheckpointBesideTheNewest() throws IOException {
        Path out = train("""
                datasets:
                  - folder_path: after
                    resolution: 64
                """, """
                  steps: 6
                  lr: 5e-2
                  ema_config: {use_ema: false}
                  validation_config: {validation_folder: heldout, validate_every_n_steps: 1, validation_sigmas: [0.5]}
                """, "save: {save_every: 1, max_step_saves_to_keep: 2}\n");
        List<JsonNode> measured = events(out, "job.measured");
        int best = 1;
        for (int step = 1; step <= 5; step++) {
            if (loss(measured.get(step)) < loss(measured.get(best))) best = step;
        }
        assertThat(best).as("the best must not be the newest for this to say anything").isLessThan(5);
        try (Stream<Path> files = Files.list(out)) {
            assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".safetensors")))
                    .containsExactlyInAnyOrder("edit_%09d.safetensors".formatted(best), "edit_000000005.safetensors",
                            "edit.safetensors");
        }
    }

    private static double loss(JsonNode event) {
        return event.at("/data/loss").doubleValue();
    }

    private static AdapterMetadata metadata() {
        AdapterMetadata.Training training =
                new AdapterMetadata.Training(4, 4, 1, 1, 1, 1e-4, "adamw", "constant", "sigmoid", 4, 1, 64, 42);
        return new AdapterMetadata("start", "", "qwen-image-tiny", AdapterMetadata.Family.QWEN_IMAGE_EDIT_PLUS,
                training, "test", Map.of());
    }

    private static float[] normal(String stream, int count) {
        float[] values = new float[count];
        Philox.stream(7, stream).fillNormal(values, 0);
        return values;
    }

    /// A LoRA file, or none.
    private record AdapterOf(Path file) {
        static final AdapterOf NOTHING = new AdapterOf(null);

        /// Its numbers under a layout of its own rank.
        Lora lora(Backend backend, TensorArena arena) {
            int rank = file == null ? 1 : ((LowRank) read().modules().values().iterator().next()).rank();
            Lora lora = new Lora(LoraLayout.of(LoraTargets.of(6, 128), rank), rank, backend, arena);
            if (file == null) return lora;
            float[] values = new float[(int) lora.layout().parameters()];
            Map<String, AdapterModule> modules = read().modules();
            for (LoraLayout.Slot slot : lora.layout().slots()) {
                LowRank module = (LowRank) modules.get(slot.module());
                System.arraycopy(module.down(), 0, values, (int) slot.downAt(), module.down().length);
                for (int i = 0; i < module.up().length; i++) {
                    values[(int) slot.upAt() + i] = module.scale() * module.up()[i];
                }
            }
            backend.write(values, lora.values());
            return lora;
        }

        private AdapterWeights read() {
            return AdapterFile.read(file, LAYERS);
        }
    }

    private enum Controls { OWN, ANOTHER_SAMPLES }

    /// The loss on the pairs of the bundle, at fixed noise.
    private double loss(AdapterOf adapter, Controls controls) {
        return measured(dataset("after", List.of(bundle.resolve("before"))), adapter, controls,
                List.of(0.3, 0.6, 0.9));
    }

    /// The loss that the run is to measure before its first step, at the noise level of its recipe.
    private double heldOutLoss(AdapterOf adapter) {
        return measured(dataset("heldout", List.of()), adapter, Controls.OWN, List.of(0.5));
    }

    private Dataset dataset(String folder, List<Path> controls) {
        return Dataset.scan(List.of(new DatasetSpec(bundle.resolve(folder), "txt", "", "", 1, List.of(64), true, false,
                false, 0, controls, Background.BLACK, false, 1)), PictureReader.standard());
    }

    private static double measured(Dataset dataset, AdapterOf adapter, Controls controls, List<Double> sigmas) {
        ModelFolder model = ModelFolder.open(MODEL);
        try (Backend backend = new CpuBackend(THREADS); TensorArena weights = backend.newArena();
                TensorArena passes = backend.newArena();
                Encoders encoders = new Encoders(model, backend, new CacheFolder(home.resolve("work/cache")))) {
            SamplePictures pictures = new SamplePictures(PictureReader.standard(), (picture, width, height) ->
                    Resample.pillow(picture, width, height, Resample.Filter.LANCZOS, Resample.Order.HORIZONTAL_FIRST));
            List<Example> examples = new Examples(encoders, pictures, PromptTemplate.EDIT_PLUS, true)
                    .of(dataset, (what, done, total) -> {});
            if (controls == Controls.ANOTHER_SAMPLES) {
                List<Example> swapped = new ArrayList<>();
                for (int i = 0; i < examples.size(); i++) {
                    Example own = examples.get(i);
                    Example other = examples.get((i + 1) % examples.size());
                    swapped.add(new Example(own.latents(), other.controls(), own.grids(), own.prompt(),
                            own.emptyPrompt(), own.captionDropout(), own.lossMultiplier()));
                }
                examples = swapped;
            }
            Lora lora = adapter.lora(backend, weights);
            Learner learner =
                    new Learner(model.loadTransformer(backend, weights), lora, block -> Tape.Keep.ALL, backend, passes);
            return new HeldOut(examples, sigmas, STANDARD_SEED).loss(learner, lora.values());
        }
    }

    private Path train(String datasets, String train, String more) throws IOException {
        return train(datasets, train, more, "qwen_image_edit_plus", MODEL);
    }

    /// @param train keys of the recipe's `train`, indented
    /// @param more  other blocks
    /// @param files copied into the bundle
    /// @return the folder of results
    private Path train(String datasets, String train, String more, String arch, Path model, Path... files)
            throws IOException {
        bundleOf("""
                name: edit
                %smodel: {arch: "%s", model_kwargs: {match_target_res: true}}
                train:
                  gradient_accumulation: 1
                  optimizer: adamw
                  gradient_checkpointing: false
                %s%s%s""".formatted(datasets, arch, train, more,
                more.contains("sample:") ? "" : "sample: {prompts: []}\n"));
        for (Path file : files) Files.copy(file, bundle.resolve(file.getFileName()));
        Path out = bundle.resolveSibling(bundle.getFileName() + "-out");
        assertThat(Training.run(new TrainingRequest(bundle, out, model, THREADS, home, "test",
                new PrintStream(OutputStream.nullOutputStream())))).isTrue();
        return out;
    }

    /// A bundle with all pictures, those to be held out a copy of the last one.
    private void bundleOf(String recipe) throws IOException {
        bundle = home.resolve("bundle-" + bundles++);
        copyTree(home.resolve("pictures"), bundle);
        Files.createDirectories(bundle.resolve("heldout"));
        Files.copy(bundle.resolve("after/3.png"), bundle.resolve("heldout/3.png"));
        Files.copy(bundle.resolve("after/3.txt"), bundle.resolve("heldout/3.txt"));
        Files.writeString(bundle.resolve("recipe.yaml"), recipe);
    }

    private static List<Double> losses(Path out) throws IOException {
        return events(out, "job.stepped").stream().map(EditTrainingTest::loss).toList();
    }

    private static List<String> notices(Path out) throws IOException {
        return events(out, "job.notice").stream().map(event -> event.at("/data/message").asText()).toList();
    }

    private static List<JsonNode> events(Path out, String type) throws IOException {
        List<JsonNode> events = new ArrayList<>();
        for (String line : Files.readAllLines(out.resolve("events.jsonl"))) {
            JsonNode event = JSON.readTree(line);
            if (event.path("type").asText().equals("nocturne." + type + ".v1")) events.add(event);
        }
        return events;
    }

    private static Picture picture(Path out, String name) {
        return PictureReader.standard().read(out.resolve(name), Background.BLACK);
    }

    private static void write(String name, Picture picture) throws IOException {
        Path file = home.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, PngWriter.png(picture, new LinkedHashMap<>()));
    }

    /// Square, circle, diamond or cross on white, a little to the left or right.
    private static Picture shape(int width, int height, int kind, int colour) {
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                double dx = Math.abs(x - width / 2.0 - 6 * (kind - 1.5));
                double dy = Math.abs(y - height / 2.0);
                boolean inside = switch (kind) {
                    case 0 -> Math.max(dx, dy) < 16;
                    case 1 -> Math.hypot(dx, dy) < 18;
                    case 2 -> dx + dy < 22;
                    default -> Math.min(dx, dy) < 6 && Math.max(dx, dy) < 20;
                };
                int pixel = inside ? colour : 0xf5f5f5;
                for (int c = 0; c < 3; c++) rgb[3 * (y * width + x) + c] = (byte) (pixel >> 16 - 8 * c);
            }
        }
        return new Picture(width, height, rgb);
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file));
                if (Files.isDirectory(file)) Files.createDirectories(target);
                else Files.copy(file, target);
            }
        }
    }
}
