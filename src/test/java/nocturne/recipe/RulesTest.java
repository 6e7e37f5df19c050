package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Map;
import java.util.TreeMap;
import nocturne.ledger.Ledger;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Every rule on what was written: a recipe at which it speaks, how loud, and one just beside at which it is silent.
/// Where no model is named it is the released one, about which the bands were gathered.
class RulesTest {
    private static ResolvedRecipe read(String text) {
        return RecipeReader.in(BundleFacts.named("maya")).read(text, "recipe.yaml");
    }

    private static void check(String id, Severity severity, String speaks, String silent) {
        check(RecipeReader.in(BundleFacts.named("maya")), id, severity, speaks, silent);
    }

    private static void check(RecipeReader reader, String id, Severity severity, String speaks, String silent) {
        if (severity == Severity.ERROR) {
            UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> reader.read(speaks, "recipe.yaml"));
            assertThat(mistake).as("refusal of %s", speaks).isNotNull();
            assertThat(mistake.report()).contains("i_know: [%s]".formatted(id));
        } else {
            assertThat(reader.read(speaks, "recipe.yaml").notices())
                    .anyMatch(notice -> notice.code().equals(id) && notice.severity() == severity);
        }
        assertThat(reader.read(silent, "recipe.yaml").notices())
                .noneMatch(notice -> notice.code().equals(id) && notice.severity().compareTo(severity) >= 0);
    }

    @ParameterizedTest
    @Ledger({"S1-25", "S2-14", "S2-15", "S2-17", "X-01"})
    @CsvSource(delimiter = '|', value = {
        "S2-17 | ERROR   | train: {lr: 5.1e-4} | train: {lr: 5e-4}",
        "S2-17 | ERROR   | '{use_case: complex_character, train: {lr: 1e-3}}' | '{use_case: style, train: {lr: 1e-3}}'",
        "S2-15 | WARNING | train: {lr: 5e-4}   | train: {lr: 4.9e-4}",
        "S2-15 | WARNING | '{use_case: style, train: {lr: 6e-4}}' | '{use_case: style, train: {lr: 4.9e-4}}'",
        "S1-25 | WARNING | train: {lr: 4e-4}   | train: {lr: 3.9e-4}",
        "S1-25 | WARNING | train: {lr: 4.9e-4} | train: {lr: 2e-4}",
        "S2-14 | WARNING | train: {lr: 4.9e-5} | train: {lr: 5e-5}",
        "S2-14 | WARNING | train: {lr: 1e-5}   | train: {lr: 1e-4}",
    })
    void learningRatesHaveBands(String id, Severity severity, String speaks, String silent) {
        check(id, severity, speaks, silent);
    }

    /// Whoever mends a recipe should not hear of the next problem when the first is gone.
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "train: {lr: 1e-3, colour: red}                        | colour, lr",
        "'{train: {lr: 1e-3}, sample: {width: red}}'           | width, lr",
        "train: {lr: 1e-3, noise_scheduler: ddpm}              | noise_scheduler, lr",
        "train: {lr: 1e-3, steps: many}                        | steps",
        "'{train: {lr: 1e-3}, use_case: stile}'                | use_case",
        "'{train: {lr: 1e-3}, i_know: [S2-17, S2-99]}'         | i_know",
    })
    void whatRulesRefuseIsToldWithTheRestWhereItCanBeTrusted(String recipe, String keys) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> read(recipe));
        assertThat(mistake.problems()).extracting(Problem::where).as(mistake.report())
                .map(where -> where.substring(where.lastIndexOf('.') + 1).replaceAll(".* ", ""))
                .containsExactlyInAnyOrder(keys.split(", "));
    }

    @ParameterizedTest
    @Ledger({"S1-18", "S1-20", "S2-04", "S2-05", "S2-06", "S2-08", "S2-09", "X-03", "X-18"})
    @CsvSource(delimiter = '|', value = {
        "S2-09 | WARNING | network: {linear: 128}    | network: {linear: 127}",
        "S1-20 | WARNING | network: {linear: 65}     | network: {linear: 64}",
        "S1-20 | WARNING | network: {linear: 127}    | network: {linear: 32}",
        "S2-06 | NOTICE  | network: {linear: 15}     | network: {linear: 16}",
        "S2-06 | NOTICE  | network: {linear: 8}      | '{use_case: style, network: {linear: 8}}'",
        "S2-08 | NOTICE  | use_case: complex_character | '{use_case: complex_character, network: {rank: 32}}'",
        "X-03  | NOTICE  | '{use_case: style, network: {linear: 7}}' | '{use_case: style, network: {linear: 8}}'",
        "S2-04 | NOTICE  | network: {linear_alpha: 8} | network: {linear: 8}",
    })
    void ranksHaveBandsByWhatIsLearned(String id, Severity severity, String speaks, String silent) {
        check(id, severity, speaks, silent);
    }

    @ParameterizedTest
    @Ledger({"S1-61", "S2-20", "S2-22"})
    @CsvSource(delimiter = '|', value = {
        "S1-61 | WARNING | train: {steps: 499}                | train: {steps: 500}",
        "S1-61 | WARNING | '{train: {steps: 1999, gradient_accumulation: 1}}' | train: {steps: 3000}",
        "S1-61 | WARNING | train: {steps: 10001}              | train: {steps: 10000}",
        "S1-61 | WARNING | train: {steps: 20000}              | '{use_case: style, train: {steps: 20000}}'",
        "S2-20 | WARNING | train: {steps: 3000, epochs: 16}   | train: {steps: 3000, epochs: 15}",
        "S2-20 | WARNING | train: {steps: 3000, epochs: 49}   | '{use_case: style, train: {steps: 3000, epochs: 50}}'",
        "S2-20 | ERROR   | train: {steps: 3000, epochs: 50}   | train: {steps: 3000, epochs: 49}",
        "S2-20 | ERROR   | training: {steps: 3000, epochs: 99} | training: {steps: 3000, epochs: 10}",
    })
    void runsHaveBands(String id, Severity severity, String speaks, String silent) {
        check(id, severity, speaks, silent);
    }

    /// 20 pictures shown 60 times are 1200 samples: no length to refuse.
    @ParameterizedTest
    @Ledger("S2-20")
    @CsvSource({"60, 1", "50, 40"})
    void manyEpochsOfFewSamplesAreNoLongRun(int epochs, int repeats) {
        RecipeReader reader = RecipeReader.in(new BundleFacts("b", new TreeMap<>(Map.of("set", 20))));
        String text = "{train: {epochs: %d}, datasets: [{folder_path: set, num_repeats: %d}]}"
                .formatted(epochs, repeats);
        UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> reader.read(text, "recipe.yaml"));
        if (repeats == 1) assertThat(mistake).isNull();
        else assertThat(mistake).isNotNull();
    }

    @ParameterizedTest
    @Ledger({"S1-62", "S1-63"})
    @CsvSource(delimiter = '|', value = {
        "S1-62 | WARNING | save: {save_every: 501}            | save: {save_every: 500}",
        "S1-62 | ERROR   | save: {save_every: 3001}           | save: {save_every: 3000}",
        "S1-62 | NOTICE  | '{model: {name_or_path: models/tiny}, save: {save_every: 3001}}' | "
                + "'{model: {name_or_path: models/tiny}, save: {save_every: 3000}}'",
        "S1-63 | WARNING | save: {max_step_saves_to_keep: 3}  | save: {max_step_saves_to_keep: 4}",
    })
    void checkpointsAreNeitherRareNorFew(String id, Severity severity, String speaks, String silent) {
        check(id, severity, speaks, silent);
    }

    @ParameterizedTest
    @Ledger({"S1-30", "S1-31", "S1-32", "S1-33", "S2-48", "X-11"})
    @CsvSource(delimiter = '|', value = {
        "X-11  | WARNING | train: {timestep_type: four_step}  | train: {timestep_type: sigmoid}",
        "S1-31 | NOTICE  | train: {timestep_type: weighted}   | train: {timestep_type: sigmoid}",
        "S1-31 | NOTICE  | train: {timestep_type: shift}      | train: {timestep_type: linear}",
        "S1-31 | NOTICE  | train: {timestep_type: lognorm_blend} | train: {}",
        "S1-30 | NOTICE  | use_case: style                    | '{use_case: style, train: {timestep_type: linear}}'",
        "S1-33 | NOTICE  | train: {timestep_type: linear}     | train: {timestep_type: sigmoid}",
        "S1-33 | NOTICE  | train: {content_or_style: style}   | train: {content_or_style: balanced}",
        "S2-48 | WARNING | train: {dtype: fp32}               | train: {dtype: bf16}",
        "S2-48 | WARNING | train: {dtype: fp16}               | train: {dtype: bf16}",
    })
    void noiseLevelsAreExplained(String id, Severity severity, String speaks, String silent) {
        check(id, severity, speaks, silent);
    }

    @ParameterizedTest
    @Ledger({"S1-39", "S1-41", "X-04"})
    @CsvSource(delimiter = '|', value = {
        "S1-41 | WARNING | train: {ema_config: {ema_decay: 0.89}}    | train: {ema_config: {ema_decay: 0.9}}",
        "S1-41 | WARNING | train: {ema_config: {ema_decay: 0.99995}} | train: {ema_config: {ema_decay: 0.9999}}",
        "X-04  | WARNING | '{train: {steps: 850, ema_config: {bias_correction: false}}}' | "
                + "'{train: {steps: 3000, ema_config: {bias_correction: false}}}'",
        "X-04  | NOTICE  | '{train: {steps: 850, ema_config: {use_ema: true}}}' | "
                + "'{train: {steps: 3000, ema_config: {use_ema: true}}}'",
    })
    void theAverageHasBandsAndIsNotWeakenedByItsStart(String id, Severity severity, String speaks, String silent) {
        check(id, severity, speaks, silent);
    }

    @ParameterizedTest
    @Ledger({"S1-09", "S1-11", "S1-12", "S1-13", "S2-28", "S2-29"})
    @CsvSource(delimiter = '|', value = {
        "S1-11 | WARNING | uint5           | uint6",
        "S1-12 | WARNING | uint4           | uint6",
        "S1-12 | WARNING | int4            | 'uint4|a.safetensors'",
        "S1-13 | ERROR   | uint3           | 'uint3|a.safetensors'",
        "S1-13 | WARNING | 'uint3|a.safetensors' | 'uint4|a.safetensors'",
        "S2-29 | ERROR   | uint2           | 'uint2|a.safetensors'",
        "S2-29 | WARNING | 'uint2|a.safetensors' | 'uint4|a.safetensors'",
        "B7    | WARNING | uint8           | int8",
    })
    void fewBitsNeedAnAdapterThatRecoversThem(String id, Severity severity, String speaks, String silent) {
        String model = "model: {quantize: true, qtype: '%s'}";
        check(id, severity, model.formatted(speaks), model.formatted(silent));
        check(id, severity, model.formatted(speaks), "model: {quantize: false, qtype: '%s'}".formatted(speaks));
    }

    @Test
    @Ledger("X-05")
    void aFormatThatNobodyAppliesIsTold() {
        check("X-05", Severity.WARNING, "model: {qtype: uint4}", "model: {quantize: true, qtype: uint6}");
        check("X-05", Severity.WARNING, "model: {qtype_te: int8}", "model: {quantize: false, qtype_te: int8}");
    }

    @ParameterizedTest
    @Ledger("S1-09")
    @CsvSource(delimiter = '|', value = "uint4 | float8")
    void theTextEncoderGainsNothingFromFewBits(String speaks, String silent) {
        String model = "model: {quantize_te: true, qtype_te: %s}";
        check("S1-09", Severity.WARNING, model.formatted(speaks), model.formatted(silent));
    }

    @ParameterizedTest
    @Ledger({"S1-06", "S1-07", "S1-08", "S1-74", "X-14"})
    @CsvSource(delimiter = '|', value = {
        "S1-06 | WARNING | name: x                | trigger: ohwx",
        "S1-06 | WARNING | use_case: character    | use_case: style",
        "S1-06 | WARNING | 'datasets: [{folder_path: a}]' | 'datasets: [{folder_path: a, trigger_word: ohwx}]'",
        "S1-07 | WARNING | trigger: person        | trigger: sks",
        "S1-07 | WARNING | trigger: Woman         | trigger: maya_char",
        "S1-07 | WARNING | trigger: ab            | trigger: abz",
        "S1-74 | WARNING | '{trigger: ohwx, sample: {prompts: [a]}}' | '{trigger: ohwx, sample: {prompts: [a ohwx]}}'",
        "S1-74 | WARNING | '{trigger: ohwx, sample: {prompts: [a]}}' | '{trigger: ohwx, sample: {prompts: []}}'",
        "S1-74 | WARNING | '{trigger: man, sample: {prompts: [woman]}}' | '{trigger: man, sample: {prompts: [man]}}'",
    })
    void triggerWordsAreOnesOwnAndInThePrompts(String id, Severity severity, String speaks, String silent) {
        check(id, severity, speaks, silent);
    }

    @ParameterizedTest
    @Ledger({"S2-33", "S2-34", "S2-52", "S2-54", "S2-62", "X-02"})
    @CsvSource(delimiter = '|', value = {
        "S2-33 | WARNING | {guidance_scale: 2.9, prompts: [a]} | {guidance_scale: 3, prompts: [a]}",
        "S2-33 | WARNING | '{samples: [{prompt: a, guidance_scale: 1}]}' | {guidance_scale: 1}",
        "S2-34 | WARNING | {guidance_scale: 4.1, prompts: [a]} | {guidance_scale: 4, prompts: [a]}",
        "X-02  | WARNING | {sample_steps: 41, prompts: [a]}    | {sample_steps: 40, prompts: [a]}",
        "X-02  | WARNING | {sample_steps: 19, prompts: [a]}    | {sample_steps: 20, prompts: [a]}",
        "S2-52 | NOTICE  | {sample_every: 300}                 | {sample_every: 500}",
        "S2-54 | NOTICE  | {prompts: [short]} | {prompts: [a photo of a figure of at least fifty characters or more]}",
    })
    void samplesAreDrawnAsTheModelLikesIt(String id, Severity severity, String speaks, String silent) {
        check(id, severity, "sample: " + speaks, "sample: " + silent);
    }

    @ParameterizedTest
    @Ledger({"S1-44", "S1-45", "S1-46", "S1-47", "S1-48", "S2-46", "X-10"})
    @CsvSource(delimiter = '|', value = {
        "S1-46 | WARNING | flip_x: true                  | flip_x: false",
        "S1-47 | WARNING | flip_y: true                  | flip_y: false",
        "S1-48 | WARNING | caption_dropout_rate: 0.21    | caption_dropout_rate: 0.2",
        "S1-44 | NOTICE  | 'resolution: [768, 1024]'     | resolution: 1024",
        "S1-45 | NOTICE  | resolution: 512               | resolution: 768",
        "S2-46 | NOTICE  | 'resolution: [1024, 1024]'    | 'resolution: [1024, 768]'",
    })
    void datasetsAreUsedAsTheyAre(String id, Severity severity, String speaks, String silent) {
        check(id, severity, "datasets: [{folder_path: a, %s}]".formatted(speaks),
                "datasets: [{folder_path: a, %s}]".formatted(silent));
    }

    @ParameterizedTest
    @Ledger({"S1-68", "X-07"})
    @CsvSource({"0, ''", "1, too few", "9, too few", "10, are few", "19, are few", "20, ''", "200, ''"})
    void fewPicturesAreTold(int count, String words) {
        RecipeReader reader = RecipeReader.in(new BundleFacts("b", new TreeMap<>(Map.of("set", count))));
        assertThat(reader.read("trigger: ohwx", "recipe.yaml").notices())
                .filteredOn(notice -> notice.code().equals("S1-68")).extracting(Notice::text)
                .allMatch(text -> text.contains(words)).hasSize(words.isEmpty() ? 0 : 1);
    }

    @ParameterizedTest
    @Ledger({"S2-53", "S1-43"})
    @CsvSource(delimiter = '|', value = {
        "S2-53 | NOTICE  | model: {name_or_path: Qwen/Qwen-Image-Edit-2509} | model: {name_or_path: Qwen/Qwen-Image}",
        "S2-53 | WARNING | use_case: edit | '{use_case: edit, datasets: [{folder_path: a, control_path: b}]}'",
        "S2-53 | NOTICE  | 'datasets: [{folder_path: a, control_path: b}, {folder_path: c}]' | "
                + "'datasets: [{folder_path: a, control_path: b}, {folder_path: c, control_path: d}]'",
        "S1-43 | NOTICE  | 'datasets: [{folder_path: a}, {folder_path: b, is_reg: true}]' | trigger: ohwx",
    })
    void pairsAndRegularisationAreTold(String id, Severity severity, String speaks, String silent) {
        check(id, severity, speaks, silent);
    }

    @ParameterizedTest
    @Ledger({"S1-21", "S1-40", "S1-54", "S1-57", "S1-58", "S1-59", "S1-60", "S2-26", "S2-27", "S2-30", "X-04", "X-05"})
    @CsvSource(delimiter = '|', value = {
        "S1-21 | WARNING | 48 | train: {batch_size: 2}          | train: {batch_size: 1}",
        "S1-57 | NOTICE  | 24 | network: {linear: 33}           | network: {linear: 32}",
        "S1-59 | NOTICE  | 32 | train: {steps: 3000}            | train: {ema_config: {use_ema: false}}",
        "X-04  | NOTICE  | 48 | train: {ema_config: {use_ema: false}} | train: {steps: 3000}",
        "S1-60 | NOTICE  | 24 | 'datasets: [{folder_path: a, resolution: 1280}]' | 'datasets: [{folder_path: a}]'",
        "S2-26 | NOTICE  | 48 | model: {quantize: false}        | model: {quantize: true, qtype: int8}",
        "S2-27 | NOTICE  | 80 | model: {quantize: true}         | model: {quantize: false}",
        "X-05  | NOTICE  | 32 | model: {quantize: false}        | model: {quantize: true}",
        "X-05  | NOTICE  | 24 | model: {quantize: false}        | model: {quantize: true}",
        "X-05  | NOTICE  | 16 | model: {quantize: false}        | model: {quantize: true}",
    })
    void aCardOfAKnownClassGetsItsAdvice(String id, Severity severity, int gib, String speaks, String silent) {
        RecipeReader reader = RecipeReader.in(BundleFacts.named("maya"));
        check(reader.adaptedTo(Adaptation.toCard(gib)), id, severity, speaks, silent);
        assertThat(reader.read(speaks, "recipe.yaml").notices()).as("no card, no advice")
                .noneMatch(notice -> notice.code().equals(id));
        assertThat(reader.adaptedTo(Adaptation.toCard(gib)).read(speaks, "r.yaml").recipe())
                .as("advice changes no value").usingRecursiveComparison()
                .ignoringFields("model.transformerFormat", "model.textEncoderFormat")
                .isEqualTo(reader.read(speaks, "r.yaml").recipe());
    }

    @ParameterizedTest
    @Ledger("S1-21")
    @CsvSource({"79, 1", "80, 0"})
    void severalPicturesAtOnceAreForLargeCards(int gib, int warnings) {
        assertThat(RecipeReader.in(BundleFacts.named("maya")).adaptedTo(Adaptation.toCard(gib))
                .read("train: {batch_size: 4}", "r.yaml").notices())
                .filteredOn(notice -> notice.code().equals("S1-21")).hasSize(warnings);
    }

    @ParameterizedTest
    @Ledger("S1-46")
    @CsvSource({"character, WARNING", "complex_character, WARNING", "style, NOTICE"})
    void mirroringIsWorseForAFaceThanForAStyle(String useCase, Severity severity) {
        assertThat(read("{use_case: %s, trigger: ohwx, datasets: [{folder_path: a, flip_x: true}]}".formatted(useCase))
                .notices()).filteredOn(notice -> notice.code().equals("S1-46")).extracting(Notice::severity)
                .containsExactly(severity);
    }
}
