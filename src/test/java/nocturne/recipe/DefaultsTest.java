package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import nocturne.ledger.Ledger;
import nocturne.quant.WeightType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What a recipe means that says nothing but its trigger word: the defaults of the ledger, each with its row.
class DefaultsTest {
    private static final RecipeReader READER = RecipeReader.in(BundleFacts.named("maya"));
    private final ResolvedRecipe resolved = READER.read("trigger: ohwx", "recipe.yaml");
    private final Recipe recipe = resolved.recipe();

    private static ResolvedRecipe read(String text) {
        return READER.read(text, "recipe.yaml");
    }

    /// The resolved recipe gives each default with the reason for it.
    @ParameterizedTest
    @Ledger({"S1-03", "S1-53", "S1-61", "S2-03", "S2-10", "S2-12", "S2-32", "S2-33", "S2-40", "S2-42", "S2-43", "S2-48",
        "X-01", "X-02", "X-03", "X-04", "X-10", "X-11"})
    @CsvSource({"train.lr, X-01", "network.linear, S2-03", "train.steps, S1-61", "train.optimizer, S2-12",
        "train.timestep_type, X-11", "train.content_or_style, S1-33", "train.gradient_accumulation, S1-22",
        "train.batch_size, S1-21", "train.optimizer_params.weight_decay, S1-27", "train.ema_config.ema_decay, X-04",
        "save.max_step_saves_to_keep, S2-40", "save.dtype, S2-38", "datasets[0].caption_dropout_rate, X-10",
        "datasets[0].caption_ext, S2-42", "datasets[0].flip_x, S1-46", "datasets[0].flip_y, S1-47",
        "sample.walk_seed, S1-53", "sample.guidance_scale, X-02", "sample.sample_steps, X-02",
        "train.gradient_checkpointing, S2-48", "train.dtype, S2-48", "model.name_or_path, S2-01"})
    void aDefaultNamesItsRow(String key, String row) {
        assertThat(resolved.origins().get(key)).isInstanceOfSatisfying(Origin.Default.class,
                origin -> assertThat(origin.basis()).contains(row));
        assertThat(resolved.yaml()).contains("default, ");
    }

    @Test
    @Ledger({"S1-15", "S1-19", "S1-21", "S1-22", "S1-23", "S1-27", "S2-03", "S2-04", "S2-07", "S2-10", "S2-12",
        "S2-76"})
    void theAdapterAndItsUpdate() {
        assertThat(recipe.network().rank()).isEqualTo(16);
        assertThat(recipe.network().alpha()).isEqualTo(16);
        assertThat(recipe.train().batchSize()).isEqualTo(1);
        assertThat(recipe.train().accumulation()).isEqualTo(4);
        assertThat(recipe.train().optimizer().learningRate()).isEqualTo(2e-4);
        assertThat(recipe.train().optimizer().optimizer()).isEqualTo(Optimizer.ADAMW8BIT);
        assertThat(recipe.train().optimizer().weightDecay()).isEqualTo(1e-4);
    }

    @Test
    @Ledger({"S1-29", "S1-33", "S2-48", "X-04", "X-11"})
    void noiseLevelsAndAverage() {
        assertThat(recipe.train().timesteps())
                .isEqualTo(new TimestepRecipe(TimestepType.SIGMOID, TimestepBias.BALANCED, 0, 999));
        assertThat(recipe.train().ema()).isEqualTo(new EmaRecipe(true, 0.999, true));
        assertThat(recipe.train().precision()).isEqualTo(Precision.BF16);
        assertThat(recipe.train().gradientCheckpointing()).isTrue();
    }

    @Test
    @Ledger({"S1-46", "S1-47", "S2-42", "S2-43", "X-10"})
    void datasets() {
        DatasetRecipe dataset = recipe.datasets().getFirst();
        assertThat(dataset.captionExtension()).isEqualTo(".txt");
        assertThat(dataset.captionDropout()).isEqualTo(0.05);
        assertThat(dataset.flipX() || dataset.flipY()).isFalse();
        assertThat(dataset.resolutions()).containsExactly(1024);
    }

    @Test
    @Ledger({"S1-49", "S1-51", "S1-52", "S1-53", "S1-61", "S1-62", "S1-63", "S2-32", "S2-33", "S2-40", "S2-55", "S2-76",
        "X-02", "X-13"})
    void lengthSavingAndSamples() {
        assertThat(recipe.train().steps()).isEqualTo(3000);
        assertThat(recipe.save()).isEqualTo(new SaveRecipe(AdapterDType.F16, 250, 10));
        assertThat(recipe.sample().everySteps()).isEqualTo(250);
        assertThat(recipe.sample().prompts()).isNotEmpty().allSatisfy(prompt -> {
            assertThat(prompt.guidanceScale()).isEqualTo(3.5);
            assertThat(prompt.steps()).isEqualTo(28);
        });
        assertThat(recipe.sample().prompts()).extracting(SamplePrompt::seed).containsExactly(42L, 43L, 44L);
    }

    @Test
    @Ledger("S2-57")
    void aSetOfPromptsHasTheWordsThatMakeSkinLookReal() {
        List<SamplePrompt> prompts = read("{trigger: ohwx, sample: {prompt_set: realism}}").recipe().sample().prompts();
        assertThat(prompts).hasSize(3).extracting(SamplePrompt::prompt)
                .allSatisfy(prompt -> assertThat(prompt).contains("ohwx").endsWith(", natural skin texture, 8K"));
        assertThat(recipe.sample().prompts()).extracting(SamplePrompt::prompt).as("unasked")
                .noneMatch(prompt -> prompt.contains("8K"));
    }

    @ParameterizedTest
    @Ledger("S2-57")
    @CsvSource(delimiter = '|', value = {
        "{trigger: ohwx, sample: {prompt_set: realism, prompts: [ohwx]}} | there are other prompts",
        "{sample: {prompt_set: realism}}                                 | there is no trigger word"
    })
    void aSetOfPromptsThatIsNotUsedIsTold(String text, String why) {
        assertThat(read(text).notices()).filteredOn(notice -> notice.code().equals("S2-57")).singleElement()
                .extracting(Notice::text).asString().contains(why);
    }

    @Test
    @Ledger("S2-58")
    void aTagGetsAPromptOfItsOwn() {
        assertThat(read("{trigger: ohwx, datasets: [{folder_path: a}, {folder_path: b, tag: real_body}]}").recipe()
                .sample().prompts()).hasSize(4).last().extracting(SamplePrompt::prompt).asString()
                .startsWith("ohwx, real_body, ");
        String others = "{trigger: ohwx, datasets: [{folder_path: a, tag: real_body}], sample: {prompts: [ohwx]}}";
        assertThat(read(others).notices()).filteredOn(notice -> notice.code().equals("S2-58")).singleElement()
                .satisfies(notice -> assertThat(notice.where()).endsWith("datasets[0].tag"));
    }

    @Test
    @Ledger({"S2-01", "S2-51"})
    void theModel() {
        assertThat(recipe.model().nameOrPath()).isEqualTo("Qwen/Qwen-Image-Edit-2509");
        assertThat(recipe.model().architecture()).isEqualTo(Architecture.QWEN_IMAGE_EDIT_2509);
    }

    @Test
    @Ledger({"S1-09", "S1-10", "S1-11"})
    void whatIsQuantisedIsKeptInEightBitsUnlessItSaysOtherwise() {
        ModelRecipe model = read("model: {quantize: true}").recipe().model();
        assertThat(model.transformerFormat()).isEqualTo(new WeightFormat(WeightType.FLOAT8, null));
        assertThat(model.textEncoderFormat()).isEqualTo(new WeightFormat(WeightType.FLOAT8, null));
        assertThat(read("model: {quantize: true, qtype: 6bit}").recipe().model().transformerFormat())
                .isEqualTo(new WeightFormat(WeightType.UINT6, null));
    }

    @Test
    @Ledger({"S2-23", "X-08", "X-13"})
    void anEpochIsTheRhythmOfSavingAndSampling() {
        Recipe epochs = read("{trigger: ohwx, train: {steps: 3400, epochs: 10}}").recipe();
        assertThat(epochs.train().steps()).as("never multiplied").isEqualTo(3400);
        assertThat(epochs.save().everySteps()).isEqualTo(340);
        assertThat(epochs.sample().everySteps()).isEqualTo(340);
    }

    /// The three numbers: the run as it is, as the epochs have it, as the pictures have it.
    @Test
    @Ledger({"S2-18", "S2-22", "X-08"})
    void stepsEpochsAndPicturesThatDisagreeAreTold() {
        RecipeReader reader = RecipeReader.in(new BundleFacts("b",
                new TreeMap<>(Map.of("40_maya", 70, "20_body", 30))));
        assertThat(reader.read("{trigger: ohwx, train: {steps: 850, epochs: 10}}", "r.yaml").notices())
                .filteredOn(notice -> notice.code().equals("X-08")).extracting(Notice::text).containsExactly(
                        "steps is the whole run, 850, not multiplied by epochs; saving each of 10 epochs means every"
                                + " 85 steps; by the pictures (3400 samples an epoch, 4 a step) it is 1.0 epochs.");
    }

    @Test
    @Ledger({"S1-22", "S2-47", "X-09"})
    void theOlderAccumulationKeyCountsStepsInBatches() {
        TrainRecipe train = read("train: {steps: 3400, gradient_accumulation_steps: 4}").recipe().train();
        assertThat(List.of(train.steps(), train.accumulation())).containsExactly(850, 4);
        train = read("train: {steps: 3400, gradient_accumulation: 4}").recipe().train();
        assertThat(List.of(train.steps(), train.accumulation())).containsExactly(3400, 4);
    }

    /// Spellings of one thing; the first is the plain one.
    @ParameterizedTest
    @Ledger({"S1-50", "S2-11", "S2-19", "S2-26", "S2-49", "X-15", "X-16", "S2-44", "S2-45", "X-12", "S1-38", "S1-36"})
    @ValueSource(strings = {"train: {steps: 3400, optimizer: adamw, lr: 1e-4}",
        "{optimizer: {name: adamw, lr: 0.0001}, training: {steps: 3400}}",
        "train: {steps: 3400, optimizer: {name: adamw, lr: 1e-4}, noise_scheduler: flow_match}",
        "{train: {steps: 3400, optimizer: adamw, lr: '1e-4', cache_text_embeddings: true}, "
                + "sample: {sampler: flow_match}}",
        "{train: {steps: 3400, optimizer: adamw, unet_lr: 1e-4}, datasets: [{folder_path: ., shuffle_tokens: false,"
                + " cache_latents_to_disk: true}]}"})
    void spellingsOfOneThingMeanTheSame(String text) {
        TrainRecipe plain = read("{train: {steps: 3400, optimizer: adamw, lr: 1e-4}}").recipe().train();
        assertThat(read(text).recipe().train()).isEqualTo(plain);
    }
}
