package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import nocturne.ledger.Ledger;
import nocturne.quant.WeightType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// What of a recipe follows from the device that it runs on.
class RungTest {
    private static ResolvedRecipe read(String text, Adaptation device) {
        return RecipeReader.in(BundleFacts.named("maya")).adaptedTo(device).read(text, "recipe.yaml");
    }

    private static ResolvedRecipe giving(String text, Rung... rungs) {
        return read(text, Adaptation.NONE.with(List.of(rungs)));
    }

    private static List<String> told(ResolvedRecipe recipe) {
        return recipe.notices().stream().filter(notice -> notice.code().equals(Rung.ID))
                .map(notice -> notice.severity() + " " + notice).toList();
    }

    @Test
    void aBatchIsSplitIntoAsManyPicturesAnUpdate() {
        ResolvedRecipe split =
                giving("train: {batch_size: 3, gradient_accumulation: 2, steps: 700}", Rung.SPLIT_BATCH);
        assertThat(split.recipe().train().batchSize()).isOne();
        assertThat(split.recipe().train().accumulation()).isEqualTo(6);
        assertThat(split.recipe().train().steps()).isEqualTo(700);
        assertThat(told(split)).containsExactly(
                "NOTICE line 1  train.batch_size: 3 gives way to 1: the card's memory is short.",
                "NOTICE line 1  train.gradient_accumulation: 2 gives way to 6: the card's memory is short.");
        assertThat(split.yaml()).containsPattern("batch_size: 1 +# planner, instead of 3, X-06");
    }

    /// Accumulation takes no memory, and is never changed for itself.
    @ParameterizedTest
    @EnumSource(Rung.class)
    void accumulationStays(Rung rung) {
        assertThat(giving("train: {gradient_accumulation: 8}", rung).recipe().train().accumulation()).isEqualTo(8);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", value = {
        "EIGHT_BITS           | {}                                 | float8",
        "EIGHT_BITS           | {qtype: int8}                      | float8",
        "EIGHT_BITS           | {quantize: true, qtype: int8}      | int8",
        "EIGHT_BITS           | {quantize: true, qtype: uint4}     | uint4",
        "SIX_BITS             | {}                                 | uint6",
        "SIX_BITS             | {quantize: true, qtype: float8}    | uint6",
        "SIX_BITS             | {quantize: true, qtype: uint5}     | uint5",
        "SIX_BITS             | {quantize: true, qtype: 'uint8'}   | uint6",
        "PIXELS_768           | {}                                 | -",
        "RECOVERED_THREE_BITS | {name_or_path: models/my-own-small-one} | -",
    })
    void weightsAreKeptInFewerBits(Rung rung, String model, String format) {
        WeightFormat kept = giving("model: " + model, rung).recipe().model().transformerFormat();
        assertThat(kept == null ? null : kept.toString()).isEqualTo(format);
    }

    @Test
    void threeAndFourBitsComeWithTheModelsRecoveryAdapter() {
        String folder = "ostris/accuracy_recovery_adapters/";
        assertThat(format("{}", Rung.RECOVERED_FOUR_BITS))
                .isEqualTo("uint4|" + folder + "qwen_image_edit_2509_torchao_uint4.safetensors");
        assertThat(format("{name_or_path: Qwen/Qwen-Image}", Rung.RECOVERED_THREE_BITS))
                .isEqualTo("uint3|" + folder + "qwen_image_torchao_uint3.safetensors");
        assertThat(format("{quantize: true, qtype: \"uint6|own.safetensors\"}", Rung.RECOVERED_THREE_BITS))
                .as("an adapter of one's own belongs to its format").isEqualTo("uint6|own.safetensors");
    }

    private static String format(String model, Rung rung) {
        return String.valueOf(giving("model: " + model, rung).recipe().model().transformerFormat());
    }

    /// An adapter that an earlier rung has brought is not the person's own.
    @Test
    void threeBitsFollowFour() {
        ResolvedRecipe both = giving("{}", Rung.EIGHT_BITS, Rung.RECOVERED_FOUR_BITS, Rung.RECOVERED_THREE_BITS);
        assertThat(String.valueOf(both.recipe().model().transformerFormat())).startsWith("uint3|");
        assertThat(both.yaml()).containsPattern("qtype: .*uint3.* # planner, instead of .?float8.?, X-06")
                .containsPattern("quantize: true +# planner, instead of false, X-06");
    }

    @Test
    void whatWasAskedForIsRememberedOverTwoRungs() {
        assertThat(giving("network: {linear: 64}", Rung.HALF_RANK, Rung.HALF_RANK_AGAIN).yaml())
                .containsPattern("linear: 16 +# planner, instead of 64, X-06");
    }

    @Test
    void heldOutPicturesShrinkWithTheOthers() {
        String text = "datasets: [{folder_path: a}]\ntrain: {validation_config: {validation_folder: b}}";
        assertThat(giving(text).recipe().train().validation()).extracting(ValidationRecipe::resolution)
                .isEqualTo(1024);
        assertThat(giving(text, Rung.PIXELS_768).recipe().train().validation())
                .extracting(ValidationRecipe::resolution).isEqualTo(768);
    }

    @Test
    void picturesAndSamplesShrinkAndKeepTheirShape() {
        String text = """
                datasets:
                  - {folder_path: a, resolution: [512, 768, 1024, 1280]}
                  - {folder_path: b, resolution: 512}
                sample: {prompts: [one], width: 1536, height: 1024}
                """;
        ResolvedRecipe smaller = giving(text, Rung.SMALL_SAMPLES, Rung.PIXELS_768);
        assertThat(smaller.recipe().datasets().getFirst().resolutions()).containsExactly(512, 768);
        assertThat(smaller.recipe().datasets().getLast().resolutions()).containsExactly(512);
        SamplePrompt drawn = smaller.recipe().sample().prompts().getFirst();
        assertThat(drawn.width()).isEqualTo(928);
        assertThat(drawn.height()).isEqualTo(608);
        assertThat(told(smaller)).anyMatch(text1 -> text1.startsWith("WARNING line 2  datasets[0].resolution"))
                .noneMatch(text1 -> text1.contains("datasets[1]"));
    }

    @ParameterizedTest
    @CsvSource({"64, 64, 32, 32", "32, 16, 16, 8", "17, 17, 8, 8", "15, 15, 15, 15", "8, 4, 8, 4"})
    void theRankIsHalvedAndItsStrengthStays(int rank, double alpha, int half, double halfAlpha) {
        NetworkRecipe network = giving("network: {linear: %d, linear_alpha: %s}".formatted(rank, alpha),
                Rung.HALF_RANK).recipe().network();
        assertThat(network.rank()).isEqualTo(half);
        assertThat(network.alpha()).isEqualTo(halfAlpha);
    }

    @Test
    void anAdapterToGoOnFromKeepsItsRank() {
        String text = "network: {linear: 64, pretrained_lora_path: start.safetensors}";
        assertThat(giving(text, Rung.HALF_RANK, Rung.HALF_RANK_AGAIN).recipe().network().rank()).isEqualTo(64);
        assertThat(giving("network: {linear: 64}", Rung.HALF_RANK, Rung.HALF_RANK_AGAIN).recipe().network().rank())
                .isEqualTo(16);
    }

    /// The resolved recipe of a run that gave up everything asks for the same run, on any device.
    @Test
    void theResolvedRecipeSaysAllOfIt() {
        String text = "train: {batch_size: 2}\nnetwork: {linear: 64}\nsample: {prompts: [one]}";
        ResolvedRecipe given = giving(text, Rung.values());
        ResolvedRecipe again = read(given.yaml(), Adaptation.toCard(24));
        assertThat(again.recipe()).isEqualTo(given.recipe());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', nullValues = "-", value = {
        "80 | {}                                    | -",
        "48 | {}                                    | int8",
        "32 | {}                                    | float8",
        "24 | {}                                    | float8",
        "16 | {}                                    | float8",
        "24 | {quantize: false}                     | -",
        "48 | {qtype: uint3}                        | -",
        "24 | {accuracy_recovery_adapter: a.safetensors} | -",
        "48 | {quantize: true}                      | float8",
        "24 | {name_or_path: models/my-own-small-one} | -",
    })
    @Ledger({"X-05", "S2-26", "S2-27", "S1-10"})
    void whatNobodyWroteFollowsFromTheClassOfTheCard(int gib, String model, String format) {
        ResolvedRecipe recipe = read("model: " + model, Adaptation.toCard(gib));
        WeightFormat kept = recipe.recipe().model().transformerFormat();
        assertThat(kept == null ? null : kept.toString()).isEqualTo(format);
        assertThat(recipe.yaml()).matches(yaml -> yaml.contains("card of " + gib + " GB, X-05")
                == (model.equals("{}") && format != null));
        assertThat(read(recipe.yaml(), Adaptation.toCard(16)).recipe()).as("the resolved recipe holds on other cards")
                .isEqualTo(recipe.recipe());
    }

    @Test
    void theTextEncoderFollowsTheTransformer() {
        WeightFormat kept = read("{}", Adaptation.toCard(24)).recipe().model().textEncoderFormat();
        assertThat(kept).isEqualTo(new WeightFormat(WeightType.FLOAT8, null));
        assertThat(read("{}", Adaptation.toCard(80)).recipe().model().textEncoderFormat()).isNull();
    }
}
