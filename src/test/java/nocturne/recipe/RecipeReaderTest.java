package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import nocturne.ledger.Ledger;
import nocturne.problem.UserMistake;
import nocturne.quant.WeightType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a text means once it is read.
class RecipeReaderTest {
    private static final RecipeReader READER = RecipeReader.in(BundleFacts.named("maya"));

    private static ResolvedRecipe read(String text) {
        return READER.read(text, "recipe.yaml");
    }

    private static String complaint(String text) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> read(text));
        assertThat(mistake).as("refusal of %s", text).isNotNull();
        return mistake.report();
    }

    private static List<String> notices(String text, String code) {
        return read(text).notices().stream().filter(notice -> notice.code().equals(code)).map(Notice::toString)
                .toList();
    }

    @Test
    void allProblemsOfAFileAreToldAtOnceInItsOrder() {
        assertThat(complaint("""
                datasets:
                  - folder_path: pictures
                    resolution: 1000
                network:
                  linear: 0
                """)).isEqualTo("""
                recipe.yaml has 2 problems; no GPU time was spent.
                  line 3  datasets[0].resolution: 1000 is not allowed; a multiple of 32 from 32 to 4096. \
                The nearest is 992.
                  line 5  network.linear: 0 is not allowed; a whole number from 1 to 512. \
                16 suits a style or a character, 32 a complex one.""");
    }

    @Test
    @Ledger({"S1-70", "S1-82"})
    void aTriggerWordAloneIsTheQwenRecipe() {
        Recipe recipe = read("trigger: ohwx").recipe();
        assertThat(recipe.triggerWord()).isEqualTo("ohwx");
        assertThat(recipe.name()).isEqualTo("maya");
        assertThat(recipe.seed()).isEqualTo(42);
        assertThat(recipe.network()).isEqualTo(new NetworkRecipe(16, 16, List.of(), List.of(), null));
        assertThat(recipe.save()).isEqualTo(new SaveRecipe(AdapterDType.F16, 250, 10));
        TrainRecipe train = recipe.train();
        assertThat(train.steps()).isEqualTo(3000);
        assertThat(train.batchSize()).isEqualTo(1);
        assertThat(train.accumulation()).isEqualTo(4);
        assertThat(train.optimizer()).isEqualTo(new OptimizerRecipe(Optimizer.ADAMW8BIT, 2e-4,
                new LearningRateSchedule.Constant(), 1e-4, 0.9, 0.999, 1e-6, 1.0));
        assertThat(train.timesteps())
                .isEqualTo(new TimestepRecipe(TimestepType.SIGMOID, TimestepBias.BALANCED, 0, 999));
        assertThat(train.ema()).isEqualTo(new EmaRecipe(true, 0.999, true));
        assertThat(train.validation()).isNull();
        DatasetRecipe dataset = recipe.datasets().getFirst();
        assertThat(dataset.folder()).isEqualTo(".");
        assertThat(dataset.captionDropout()).isEqualTo(0.05);
        assertThat(dataset.resolutions()).containsExactly(1024);
        assertThat(recipe.sample().everySteps()).isEqualTo(250);
        assertThat(recipe.sample().prompts()).isNotEmpty().allSatisfy(prompt -> {
            assertThat(prompt.prompt()).contains("ohwx").doesNotContain("[trigger]");
            assertThat(prompt.guidanceScale()).isEqualTo(3.5);
            assertThat(prompt.steps()).isEqualTo(28);
        });
        assertThat(recipe.sample().prompts()).extracting(SamplePrompt::seed).containsExactly(42L, 43L, 44L);
    }

    @Test
    @Ledger({"S1-82", "S2-41"})
    void aBundleWithoutARecipeIsReadFromItsFolders() {
        BundleFacts bundle =
                BundleFacts.of("upload", List.of("dataset/40_maya_char/1.png", "dataset/40_maya_char/1.txt",
                "dataset/more/1.JPG", "heldout/1.webp", "notes/readme.txt", "shoes_controls/1.png"));
        ResolvedRecipe resolved = RecipeReader.in(bundle).standard();
        assertThat(resolved.recipe().triggerWord()).isEqualTo("maya_char");
        assertThat(resolved.recipe().datasets()).extracting(DatasetRecipe::folder)
                .containsExactly("dataset/40_maya_char", "dataset/more");
        assertThat(resolved.recipe().datasets()).extracting(DatasetRecipe::repeats).containsExactly(40, 1);
        assertThat(resolved.recipe().train().validation()).extracting(ValidationRecipe::folder).isEqualTo("heldout");
        assertThat(resolved.notices()).extracting(Notice::where)
                .contains("trigger_word", "train.validation_config.validation_folder");
    }

    @Test
    void picturesAtTheTopOfABundleAreItsDatasetWithTheFoldersInside() {
        BundleFacts bundle = BundleFacts.of("upload", List.of("1.png", "more/2.png"));
        assertThat(RecipeReader.in(bundle).standard().recipe().datasets()).extracting(DatasetRecipe::folder)
                .containsExactly(".");
    }

    /// The folder at the top would take the others along, held-out pictures included.
    @ParameterizedTest
    @ValueSource(strings = {"heldout/2.png", "10_maya/2.png", "set/controls/1.png"})
    void picturesBesideAFolderThatIsMeantOtherwiseNeedAWord(String other) {
        RecipeReader reader = RecipeReader.in(BundleFacts.of("upload", List.of("1.png", other)));
        assertThatThrownBy(reader::standard).isInstanceOf(UserMistake.class)
                .extracting(e -> ((UserMistake) e).report()).asString()
                .contains("datasets: pictures lie beside the folder " + other.substring(0, other.lastIndexOf('/')));
    }

    @Test
    void aBundleWithoutPicturesIsRefused() {
        RecipeReader reader = RecipeReader.in(new BundleFacts("empty", new TreeMap<>()));
        assertThatThrownBy(reader::standard).isInstanceOf(UserMistake.class)
                .hasMessage("recipe has 1 problem; no GPU time was spent.");
    }

    @Test
    void theShippedExampleIsSoundAndNeedsNoRemark() throws IOException {
        Path example = Path.of("examples/ohwx");
        List<String> files;
        try (Stream<Path> paths = Files.walk(example)) {
            files = paths.filter(Files::isRegularFile).map(path -> example.relativize(path).toString()).toList();
        }
        ResolvedRecipe resolved = RecipeReader.in(BundleFacts.of("ohwx", files)).read(example.resolve("recipe.yaml"));
        assertThat(resolved.recipe().train().optimizer().learningRate()).isEqualTo(5e-4);
        assertThat(resolved.recipe().train().validation())
                .isEqualTo(new ValidationRecipe("heldout", List.of(), 64, 50, List.of(0.1, 0.3, 0.5, 0.7, 0.9)));
        assertThat(resolved.recipe().datasets().getFirst().repeats()).isEqualTo(10);
        assertThat(resolved.notices()).extracting(Notice::code).as("only the meaning of 10_ohwx")
                .containsExactly("S2-41");
    }

    @Test
    void theCommandsModelWinsAndSaysSo() {
        ResolvedRecipe resolved = READER.withModel("models/other")
                .read("model: {name_or_path: Qwen/Qwen-Image}", "r.yaml");
        assertThat(resolved.recipe().model().nameOrPath()).isEqualTo("models/other");
        assertThat(resolved.origins()).containsEntry("model.name_or_path", new Origin.CommandLine("--model"));
    }

    @Test
    void everyValueHasAnOrigin() {
        Map<String, Origin> origins = read("""
                train:
                  lr: 1e-4
                network: {linear: 8}
                """).origins();
        assertThat(origins).containsEntry("train.lr", new Origin.Written(2, 7))
                .containsEntry("network.linear", new Origin.Written(3, 19))
                .containsEntry("network.linear_alpha", new Origin.Derived("X-18", "= linear"))
                .containsEntry("train.steps", new Origin.Default("S1-61"))
                .containsKeys("datasets[0].folder_path", "sample.sample_every", "model.arch", "training_seed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e-4", "1.0e-4", "\"1e-4\"", "0.0001", ".0001", "1E-04", "\" 1e-4 \""})
    void aLearningRateIsANumberInEverySpelling(String spelling) {
        assertThat(read("train: {lr: %s}".formatted(spelling)).recipe().train().optimizer().learningRate())
                .isEqualTo(1e-4);
    }

    @ParameterizedTest
    @CsvFileSource(resources = "/nocturne/recipe/mistakes.csv", delimiter = '|', quoteCharacter = '`')
    @Ledger({"S1-02", "S1-15", "S1-37", "S1-50", "S2-21", "S2-25", "S2-31", "S2-44", "S2-62", "X-16"})
    void aMistakeIsToldWithItsPlaceAndItsRemedy(String text, String message) {
        assertThat(complaint(text)).contains(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"flowmatch", "flow_match", "flow-match", "FlowMatch"})
    @Ledger({"S1-50", "X-15"})
    void flowMatchingIsSpelledInManyWays(String spelling) {
        read("train: {noise_scheduler: %1$s}%nsample: {sampler: %1$s}".formatted(spelling));
    }

    @Test
    void aSettingThatDoesNothingIsANotice() {
        assertThat(notices("save: {push_to_hub: true}", "B3"))
                .containsExactly("line 1  save.push_to_hub: is not used: finished files are published to the outbox; "
                        + "nothing is uploaded.");
    }

    @Test
    @Ledger("X-08")
    void epochsGiveTheLengthOnlyWhereStepsDoNot() {
        TreeMap<String, Integer> pictures = new TreeMap<>(Map.of("set", 20));
        RecipeReader reader = RecipeReader.in(new BundleFacts("b", pictures));
        ResolvedRecipe resolved = reader.read("""
                datasets: [{folder_path: set, num_repeats: 3}]
                train: {epochs: 10, gradient_accumulation: 2}
                """, "recipe.yaml");
        assertThat(resolved.recipe().train().steps()).as("10 x 20 x 3 / 2").isEqualTo(300);
        assertThat(resolved.recipe().save().everySteps()).as("one epoch").isEqualTo(30);
        assertThat(resolved.notices()).extracting(Notice::text)
                .contains("10 epochs of 60 samples, 2 samples a step: 300 steps.");
    }

    @Test
    void theOlderAccumulationKeyOfOneChangesNothing() {
        Recipe recipe = read("train: {steps: 100, gradient_accumulation_steps: 1}").recipe();
        assertThat(recipe.train().steps()).isEqualTo(100);
        assertThat(recipe.train().accumulation()).isEqualTo(1);
    }

    @Test
    @Ledger("B6")
    void schedulesTakeTheirNumbersFromTheirParameters() {
        assertThat(schedule("constant", "")).isEqualTo(new LearningRateSchedule.Constant());
        assertThat(schedule("constant_with_warmup", "")).isEqualTo(new LearningRateSchedule.ConstantWithWarmup(50));
        assertThat(schedule("constant_with_warmup", "num_warmup_steps: 7"))
                .isEqualTo(new LearningRateSchedule.ConstantWithWarmup(7));
        assertThat(schedule("linear", "end_factor: 0.5")).isEqualTo(new LearningRateSchedule.Linear(0, 5e-5));
        assertThat(schedule("cosine", "eta_min: 1e-5, num_warmup_steps: 3"))
                .isEqualTo(new LearningRateSchedule.Cosine(3, 1e-5));
        assertThat(schedule("cosine_with_restarts", "num_cycles: 4"))
                .isEqualTo(new LearningRateSchedule.CosineWithRestarts(0, 0, 4));
        assertThat(complaint("train: {lr: 1e-4, lr_scheduler: cosine, lr_scheduler_params: {eta_min: 1e-3}}"))
                .contains("eta_min: 0.001 is not allowed; at most lr, which is 0.0001.");
    }

    private static LearningRateSchedule schedule(String name, String parameters) {
        return read("train: {steps: 500, lr: 1e-4, lr_scheduler: %s, lr_scheduler_params: {%s}}".formatted(name,
                parameters))
                .recipe().train().optimizer().schedule();
    }

    @Test
    @Ledger("B5")
    void controlFoldersComeInTwoSpellings() {
        DatasetRecipe dataset = read("""
                datasets:
                  - folder_path: a
                    control_path_1: one
                    control_path_2: two
                """).recipe().datasets().getFirst();
        assertThat(dataset.controlFolders()).containsExactly("one", "two");
        assertThat(read("datasets: [{folder_path: a, control_path: one}]").recipe().datasets().getFirst()
                .controlFolders())
                .containsExactly("one");
    }

    @Test
    void eachSampleInheritsWhatItDoesNotSay() {
        SampleRecipe sample = read("""
                trigger_word: ohwx
                sample:
                  width: 1000
                  seed: 7
                  neg: false
                  prompts: ["[trigger] one"]
                  samples:
                    - prompt: two
                      seed: 99
                      neg: blurry
                      network_multiplier: 0.5
                      ctrl_img_1: a.png
                      ctrl_img_2: b.png
                    - {prompt: three}
                """).recipe().sample();
        assertThat(sample.prompts()).extracting(SamplePrompt::prompt).containsExactly("ohwx one", "two", "three");
        assertThat(sample.prompts()).extracting(SamplePrompt::seed).containsExactly(7L, 99L, 9L);
        assertThat(sample.prompts()).extracting(SamplePrompt::width).as("brought to a multiple of 32")
                .containsOnly(992);
        assertThat(sample.prompts()).extracting(SamplePrompt::negative).containsExactly("", "blurry", "");
        assertThat(sample.prompts().get(1).strength()).isEqualTo(0.5);
        assertThat(sample.prompts().get(1).controls()).containsExactly("a.png", "b.png");
    }

    @Test
    @Ledger("B8")
    void flagsInsideAPromptAreSettingsOfThatPicture() {
        SamplePrompt prompt = read("""
                sample:
                  prompts:
                    - "red hair -- or so -- and a hat --w 512 --h 768 --seed 7 --cfg 4 --steps 20 --m 0.8 --n blurry"
                """).recipe().sample().prompts().getFirst();
        assertThat(prompt).isEqualTo(new SamplePrompt("red hair -- or so -- and a hat", "blurry", 512, 768, 7, 4,
                20, 0.8, true, List.of()));
    }

    @Test
    void aJobOfTheWebInterfaceIsRead() {
        ResolvedRecipe resolved = READER.read(Path.of("src/test/resources/nocturne/recipe/web-interface-job.json"));
        Recipe recipe = resolved.recipe();
        assertThat(recipe.name()).isEqualTo("my_first_lora_v1");
        assertThat(recipe.network().rank()).isEqualTo(32);
        assertThat(recipe.datasets().getFirst().resolutions()).containsExactly(512, 768, 1024);
        assertThat(recipe.datasets().getFirst().defaultCaption()).isNull();
        assertThat(recipe.train().timesteps().type()).isEqualTo(TimestepType.WEIGHTED);
        assertThat(recipe.train().ema().on()).isFalse();
        assertThat(recipe.sample().beforeTraining()).isFalse();
        assertThat(recipe.model().architecture()).isEqualTo(Architecture.QWEN_IMAGE);
        assertThat(recipe.metadata().entries()).containsEntry("name", "my_first_lora_v1");
    }

    /// The formats are those of ai-toolkit, each under its own name; other tools' names mean the nearest of them.
    @ParameterizedTest
    @CsvSource({"float8, FLOAT8", "fp8, FLOAT8", "qfloat8, QFLOAT8", "int8, INT8", "qint8, QINT8", "uint7, UINT7",
        "6bit, UINT6", "uint5, UINT5", "INT4, UINT4", "uint3, UINT3", "uint2, UINT2", "uint8, UINT8"})
    void aFormatIsCalledByName(String name, WeightType type) {
        String text = "i_know: [S1-13, S2-29]\nmodel: {quantize: true, qtype: %s}".formatted(name);
        assertThat(read(text).recipe().model().transformerFormat())
                .isEqualTo(new WeightFormat(type, null));
    }

    @Test
    void eightBitsThatAreNeverAppliedAreTold() {
        assertThat(read("model: {quantize: true, qtype: uint8}").notices())
                .filteredOn(notice -> notice.where().contains("model.qtype"))
                .extracting(Notice::text).singleElement().asString().contains("leaves weights as they are", "int8");
        assertThat(read("model: {quantize: false, qtype: uint8}").notices())
                .noneMatch(notice -> notice.where().contains("model.qtype"));
    }

    @Test
    void anAdapterThatRecoversQuantisationComesInTwoSpellings() {
        String pipe = "model: {quantize: true, qtype: 'uint3|adapters/ara.safetensors'}";
        String key = "model: {quantize: true, qtype: uint3, accuracy_recovery_adapter: adapters/ara.safetensors}";
        assertThat(read(pipe).recipe().model()).isEqualTo(read(key).recipe().model());
        assertThat(read(pipe).recipe().model().transformerFormat())
                .isEqualTo(new WeightFormat(WeightType.UINT3, "adapters/ara.safetensors"));
    }

    @ParameterizedTest
    @CsvSource({"Qwen/Qwen-Image, QWEN_IMAGE, true", "Qwen/Qwen-Image-Edit, QWEN_IMAGE_EDIT, true",
        "Qwen/Qwen-Image-Edit-2509, QWEN_IMAGE_EDIT_2509, true",
                "Qwen/Qwen-Image-Edit-2511, QWEN_IMAGE_EDIT_2511, true",
        "Qwen/Qwen-Image-2512, QWEN_IMAGE_2512, true", "models/qwen-image-tiny, QWEN_IMAGE, false"})
    void theModelsNameTellsItsArchitectureAndWhetherAdviceApplies(String name, Architecture architecture,
    boolean released) {
        ModelRecipe model = read("model: {name_or_path: %s}".formatted(name)).recipe().model();
        assertThat(model.architecture()).isEqualTo(architecture);
        assertThat(model.isReleased()).isEqualTo(released);
    }

    @Test
    void adviceForTheLargeModelIsSilentForASmallOne() {
        String text = """
                trigger: ohwx
                model: {name_or_path: models/qwen-image-tiny}
                train: {lr: 1e-2, steps: 10, optimizer: adamw}
                """;
        assertThat(read(text).notices()).isEmpty();
    }

    @Test
    void aMissingFileAndAFolderAreMistakes(@TempDir Path folder) {
        assertThatThrownBy(() -> READER.read(folder.resolve("none.yaml"))).isInstanceOf(UserMistake.class)
                .hasMessageContaining("no such file");
        assertThatThrownBy(() -> READER.read(folder)).isInstanceOf(UserMistake.class)
                .hasMessageContaining("is a folder");
    }

    @Test
    void whatAPersonWroteCannotSteerTheTerminal() {
        assertThat(complaint("\"a\\e[31m\": 1")).doesNotContain("\u001b").contains("a?[31m");
    }
}
