package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import nocturne.ledger.Ledger;
import nocturne.quant.WeightType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The template that community guides print for Qwen-Image is accepted byte for byte, and every place where it is
/// understood differently from its letters is told.
class SeedTemplateTest {
    private static final Path TEMPLATE = Path.of("src/test/resources/nocturne/recipe/qwen-character-template.yaml");
    private final ResolvedRecipe resolved = RecipeReader.in(BundleFacts.named("maya.zip")).read(TEMPLATE);
    private final Recipe recipe = resolved.recipe();

    @Test
    @Ledger({"S2-35", "S2-37", "S2-38", "S2-41", "S2-42", "S2-49", "S2-50", "S2-51", "S2-52", "S2-53"})
    void itMeansWhatItsAuthorMeant() {
        assertThat(recipe.name()).isEqualTo("qwen_character_lora");
        assertThat(recipe.triggerWord()).isEqualTo("maya_char");
        assertThat(recipe.network().rank()).isEqualTo(16);
        assertThat(recipe.network().alpha()).isEqualTo(16);
        assertThat(recipe.save().dtype()).isEqualTo(AdapterDType.F16);
        assertThat(recipe.save().keep()).isEqualTo(10);
        assertThat(recipe.datasets()).extracting(DatasetRecipe::folder)
                .containsExactly("dataset/40_maya_char", "dataset/20_maya_char_realbody");
        assertThat(recipe.datasets()).extracting(DatasetRecipe::repeats).containsExactly(40, 20);
        assertThat(recipe.datasets()).extracting(DatasetRecipe::resolutions).containsOnly(List.of(1024));
        assertThat(recipe.datasets()).extracting(DatasetRecipe::captionExtension).containsOnly(".txt");
        assertThat(recipe.train().optimizer().learningRate()).isEqualTo(2e-4);
        assertThat(recipe.train().ema()).isEqualTo(new EmaRecipe(true, 0.999, true));
        assertThat(recipe.model().architecture()).isEqualTo(Architecture.QWEN_IMAGE_EDIT_2509);
        assertThat(recipe.model().transformerFormat()).isEqualTo(new WeightFormat(WeightType.INT8, null));
        assertThat(recipe.sample().prompts()).hasSize(3).allSatisfy(prompt -> {
            assertThat(prompt.negative()).isEqualTo("low quality, blurry, artifacts");
            assertThat(prompt.guidanceScale()).isEqualTo(3.5);
            assertThat(prompt.steps()).isEqualTo(28);
            assertThat(prompt.width()).isEqualTo(1024);
        });
    }

    /// 3400 micro-steps in groups of four are 850 updates; what is counted in steps is divided alike.
    @Test
    @Ledger({"S2-39", "S2-47", "X-08", "X-09"})
    void itsStepsAreBatchesBecauseOfTheOlderAccumulationKey() {
        assertThat(recipe.train().accumulation()).isEqualTo(4);
        assertThat(recipe.train().steps()).isEqualTo(850);
        assertThat(recipe.save().everySteps()).isEqualTo(85);
        assertThat(recipe.sample().everySteps()).isEqualTo(85);
    }

    @Test
    @Ledger({"B9", "S2-36", "S2-41", "S2-46", "S2-51"})
    void everyReinterpretationIsANotice() {
        assertThat(resolved.notices()).extracting(notice -> notice.code() + " " + notice.where()).containsExactly(
                "B9 line 6  training_folder",
                "B9 line 7  device",
                "S2-41 line 22  datasets[0].folder_path",
                "S2-46 line 27  datasets[0].resolution",
                "S2-41 line 29  datasets[1].folder_path",
                "S2-46 line 34  datasets[1].resolution",
                "X-09 line 39  train.gradient_accumulation_steps",
                "X-04 line 50  train.ema_config.use_ema",
                "S2-53 line 56  model.name_or_path",
                "S2-51 line 57  model.is_qwen",
                "B9 line 59  model.quantize_dtype",
                "S2-54 line 67  sample.prompts");
    }

    /// What ai-toolkit would do with the template without a word: take another architecture, leave the weights
    /// unquantised, show every picture once, train each dataset twice, and refuse an Edit model without pairs.
    @Test
    @Ledger({"B9", "S2-26", "S2-41", "S2-46", "S2-51", "S2-53"})
    void whatElsewhereIsSilentOrRefusedIsSaidInWords() {
        assertThat(resolved.notices()).extracting(Notice::text)
                .anyMatch(text -> text.contains("the architecture follows from arch or name_or_path"))
                .anyMatch(text -> text.contains("is read as model.qtype"))
                .anyMatch(text -> text.contains("num_repeats: 40"))
                .anyMatch(text -> text.contains("num_repeats: 20"))
                .anyMatch(text -> text.contains("several sizes, not width and height"))
                .anyMatch(text -> text.contains("without control pictures is trained from words alone"))
                .anyMatch(text -> text.contains("the run makes 850 updates of 4 batches"))
                .anyMatch(text -> text.contains("would still weigh 43 %"));
        assertThat(resolved.notices()).as("nothing about it is unwise").noneMatch(Notice::isWarning);
    }

    /// Accepted for every class of card; what is said besides is advice for that class.
    @ParameterizedTest
    @Ledger({"S2-26", "S2-27", "S1-59", "X-05"})
    @CsvSource({"16, S1-59", "24, S1-59", "32, S1-59", "48, ''", "80, S2-27"})
    void everyClassOfCardTakesIt(int gib, String advice) {
        ResolvedRecipe advised = RecipeReader.in(BundleFacts.named("maya.zip")).adaptedTo(Adaptation.toCard(gib))
                .read(TEMPLATE);
        assertThat(advised.recipe()).isEqualTo(recipe);
        assertThat(advised.notices().stream().filter(notice -> !resolved.notices().contains(notice))
                .map(Notice::code)).isEqualTo(advice.isEmpty() ? List.of() : List.of(advice));
    }

    @Test
    @Ledger({"S2-18", "S2-41"})
    void withThePicturesAtHandTheArithmeticIsTold() {
        TreeMap<String, Integer> pictures = new TreeMap<>();
        pictures.put("dataset/40_maya_char", 70);
        pictures.put("dataset/20_maya_char_realbody", 30);
        ResolvedRecipe counted = RecipeReader.in(new BundleFacts("maya", pictures)).read(TEMPLATE);
        assertThat(counted.notices()).filteredOn(notice -> notice.code().equals("S2-41")).extracting(Notice::text)
                .containsExactly("its name means num_repeats: 40: 70 x 40 = 2800 samples an epoch.",
                        "its name means num_repeats: 20: 30 x 20 = 600 samples an epoch.");
    }

    /// The same guide prints the optimizer and the length as blocks of their own.
    @Test
    @Ledger({"S2-11", "S2-19", "S2-49", "X-08"})
    void itsOtherSpellingsMeanTheSame() {
        ResolvedRecipe blocks = RecipeReader.in(BundleFacts.named("maya")).read("""
                trigger_word: maya_char
                optimizer:
                  name: "adamw8bit"
                  lr: 0.0001
                training:
                  steps: 3400
                  epochs: 10
                """, "recipe.yaml");
        assertThat(blocks.recipe().train().optimizer().learningRate()).isEqualTo(1e-4);
        assertThat(blocks.recipe().train().steps()).as("never multiplied by epochs").isEqualTo(3400);
        assertThat(blocks.recipe().save().everySteps()).as("one epoch").isEqualTo(340);
        assertThat(blocks.notices()).extracting(notice -> notice.code() + " " + notice.where())
                .contains("B9 line 2  optimizer", "B9 line 5  training", "X-08 line 7  train.epochs");
    }
}
