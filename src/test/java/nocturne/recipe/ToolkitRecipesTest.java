package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.List;
import nocturne.ledger.Ledger;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What people bring along from ai-toolkit is taken as it is: its three examples for Qwen-Image, and what its web
/// interface writes. The files have its keys, levels and kinds of values; the words are ours.
class ToolkitRecipesTest {
    private static final Path FILES = Path.of("src/test/resources/nocturne/recipe");
    private static final RecipeReader READER = RecipeReader.in(BundleFacts.named("bundle"));

    private static ResolvedRecipe read(String file) {
        return READER.read(FILES.resolve(file));
    }

    private static String complaint(String text) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> READER.read(text, "recipe.yaml"));
        assertThat(mistake).as("refusal of %s", text).isNotNull();
        return mistake.report();
    }

    @ParameterizedTest
    @Ledger({"B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "S1-13", "S1-14"})
    @CsvSource(delimiter = '|', value = {
        "toolkit-qwen-image-24gb.yaml           | QWEN_IMAGE           | CHARACTER | 0 | 2000 | uint3",
        "toolkit-qwen-image-edit-32gb.yaml      | QWEN_IMAGE_EDIT      | EDIT      | 1 | 3000 | uint3",
        "toolkit-qwen-image-edit-2509-32gb.yaml | QWEN_IMAGE_EDIT_2509 | EDIT      | 3 | 3000 | uint3",
        "web-interface-job.json                 | QWEN_IMAGE           | CHARACTER | 0 | 3000 | qfloat8",
        "web-interface-edit-job.json            | QWEN_IMAGE_EDIT_2511 | EDIT      | 2 | 3000 | qfloat8",
    })
    void itsRecipesAreTaken(String file, Architecture architecture, UseCase useCase, int controls, int steps,
            String format) {
        Recipe recipe = read(file).recipe();
        assertThat(recipe.model().architecture()).isEqualTo(architecture);
        assertThat(recipe.useCase()).isEqualTo(useCase);
        assertThat(recipe.datasets().getFirst().controlFolders()).hasSize(controls);
        assertThat(recipe.datasets().getFirst().resolutions()).containsExactly(512, 768, 1024);
        assertThat(recipe.train().steps()).isEqualTo(steps);
        assertThat(recipe.train().accumulation()).isEqualTo(1);
        assertThat(recipe.train().optimizer().learningRate()).isEqualTo(1e-4);
        assertThat(recipe.metadata().entries()).containsEntry("name", recipe.name());
        WeightFormat asked = recipe.model().transformerFormat();
        assertThat(asked).isNotNull();
        assertThat(asked.type().spelling()).isEqualTo(format);
        assertThat(asked.recovery() != null).isEqualTo(format.equals("uint3"));
    }

    /// Three keys that do nothing here, three sizes, and 3 bits; beside that only what every such recipe hears.
    @Test
    @Ledger({"S1-13", "S1-31", "S1-44"})
    void itsExampleFor2509HearsWhatItShould() {
        assertThat(read("toolkit-qwen-image-edit-2509-32gb.yaml").notices())
                .extracting(notice -> "%s %s %s".formatted(notice.severity(), notice.code(), notice.where()))
                .containsExactly(
                        "NOTICE B9 line 8  training_folder",
                        "NOTICE B9 line 9  device",
                        "NOTICE S1-44 line 26  datasets[0].resolution",
                        "NOTICE S1-31 line 32  train.timestep_type",
                        "WARNING S1-13 line 44  model.qtype",
                        "NOTICE S1-34 line 47  model.low_vram");
    }

    @Test
    @Ledger("S1-01")
    void aProcessWithoutANetworkWouldTrainTheWholeModel() {
        assertThat(complaint("config: {name: x, process: [{type: sd_trainer}]}"))
                .contains("config.process[0].network: is missing", "network: {type: lora}");
        assertThat(READER.read("config: {name: x, process: [{network: {type: lora}}]}", "r.yaml").recipe().name())
                .isEqualTo("x");
        assertThat(READER.read("trigger: ohwx", "r.yaml")).as("the short form means adapters").isNotNull();
    }

    @ParameterizedTest
    @Ledger({"B1", "S1-04", "S2-36"})
    @ValueSource(strings = {"cpu", "mps", "CPU:0"})
    void aDeviceIsNeverTakenFromARecipe(String device) {
        assertThat(complaint("device: '%s'".formatted(device))).contains("line 1  device: ", "is not allowed");
        assertThat(READER.read("device: cuda:1", "r.yaml").notices()).extracting(Notice::where)
                .contains("line 1  device");
        assertThat(complaint("model: {split_model_over_gpus: true}")).contains("one job runs on one device");
    }

    @Test
    @Ledger("S1-35")
    void leavingTheCaptionsAsideIsWarnedOfLoudlyAndRefusedWithPairs() {
        String text = "{trigger: ohwx, train: {unload_text_encoder: %s}, datasets: [{folder_path: a%s}]}";
        ResolvedRecipe resolved = READER.read(text.formatted("true", ""), "r.yaml");
        assertThat(resolved.recipe().train().ignoresCaptions()).isTrue();
        assertThat(resolved.notices()).singleElement().satisfies(notice -> {
            assertThat(notice.severity()).isEqualTo(Severity.WARNING);
            assertThat(notice.text()).startsWith("ALL CAPTIONS ARE IGNORED");
        });
        assertThat(READER.read(text.formatted("false", ""), "r.yaml").notices()).isEmpty();
        assertThat(complaint(text.formatted("true", ", control_path: b")))
                .contains("train.unload_text_encoder: an Edit model reads control pictures together with the caption");
    }

    @Test
    @Ledger({"S1-43", "B6"})
    void theWeightOfRegularisationSetsIsThatOfTheirLoss() {
        Recipe recipe = READER.read("""
                train: {reg_weight: 0.5}
                datasets: [{folder_path: a}, {folder_path: b, is_reg: true, loss_multiplier: 3}]
                """, "r.yaml").recipe();
        assertThat(recipe.datasets()).extracting(DatasetRecipe::lossMultiplier).isEqualTo(List.of(1.0, 1.5));
    }
}
