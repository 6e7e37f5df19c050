package nocturne.recipe;

import static nocturne.recipe.Key.flag;
import static nocturne.recipe.Key.number;
import static nocturne.recipe.Key.path;
import static nocturne.recipe.Key.some;
import static nocturne.recipe.Key.text;
import static nocturne.recipe.Key.textOrEmpty;
import static nocturne.recipe.Key.whole;
import static nocturne.recipe.Unused.fixed;
import static nocturne.recipe.Unused.ignored;

import java.util.List;

/// `sample`: the pictures drawn while training.
final class SampleKeys {
    private static final Kind<Integer> SIDE = whole(32, 4096);
    private static final Kind<Integer> STEP_COUNT = whole(2, 1000);
    private static final Kind<Double> GUIDANCE = number(0, 30);
    private static final Kind<Double> STRENGTH = number(-10, 10);
    private static final Kind<String> PROMPT_TEXT = textOrEmpty(5000);

    static final Key<Integer> SAMPLE_EVERY = Key.of("sample_every", whole(0, 1_000_000),
                    "Steps between two drawings of the prompts; 0 for never.")
            .follows("= save.save_every", "X-13");
    static final Key<Integer> START_STEP = Key.of("sample_start_step", whole(0, 1_000_000),
                    "No drawings before this step.")
            .standard(0, "B8");
    static final Key<Integer> WIDTH = Key.of("width", SIDE, "Pixels; brought down to a multiple of 32.")
            .follows("= the largest datasets[].resolution", "S2-52");
    static final Key<Integer> HEIGHT = Key.of("height", SIDE, "Pixels; brought down to a multiple of 32.")
            .follows("= the largest datasets[].resolution", "S2-52");
    static final Key<String> NEG = Key.of("neg", PROMPT_TEXT, "Negative prompt: what the picture should not be.")
            .standard("", "B8");
    static final Key<Long> SEED = Key.of("seed", new Kind.Seed(), "Starting noise of the first prompt.")
            .standard(42L, "S1-53");
    static final Key<Boolean> WALK_SEED = Key.of("walk_seed", flag(),
                    "Each prompt gets the next seed; each keeps its own through the run.")
            .standard(true, "S1-53");
    static final Key<Double> GUIDANCE_SCALE = Key.of("guidance_scale", GUIDANCE,
                    "How strictly the prompt is followed; 1 is off.")
            .standard(3.5, "X-02");
    static final Key<Integer> SAMPLE_STEPS = Key.of("sample_steps", STEP_COUNT, "Steps of one drawing.")
            .standard(28, "X-02");
    static final Key<Double> MULTIPLIER = Key.of("network_multiplier", STRENGTH,
                    "Strength of the adapter; 1 is as trained.")
            .standard(1.0, "B8");
    static final Key<Boolean> CFG_NORM = Key.of("do_cfg_norm", flag(),
                    "Bring the guided prediction back to the length of the conditional one, as the pipeline does.")
            .standard(true, "as the released pipeline samples");
    static final Key<List<Kind.Placed.Value<String>>> PROMPTS =
            Key.of("prompts", some(new Kind.Placed<>(text(5000)), 0, 200),
            "Prompts that only need a text; [trigger] stands for the trigger word.").passing();

    static final Key<String> PROMPT = Key.of("prompt", PROMPT_TEXT,
                    "What to draw; [trigger] stands for the trigger word.");
    static final Key<String> ITEM_NEG = Key.of("neg", PROMPT_TEXT, "Negative prompt.").follows("= sample.neg", "B8");
    static final Key<Integer> ITEM_WIDTH = Key.of("width", SIDE, "Pixels.").follows("= sample.width", "B8");
    static final Key<Integer> ITEM_HEIGHT = Key.of("height", SIDE, "Pixels.").follows("= sample.height", "B8");
    static final Key<Long> ITEM_SEED = Key.of("seed", new Kind.Seed(), "Starting noise.")
            .follows("sample.seed, walked", "S1-53");
    static final Key<Double> ITEM_GUIDANCE = Key.of("guidance_scale", GUIDANCE, "How strictly the prompt is followed.")
            .follows("= sample.guidance_scale", "B8");
    static final Key<Integer> ITEM_STEPS = Key.of("sample_steps", STEP_COUNT, "Steps of the drawing.")
            .follows("= sample.sample_steps", "B8");
    static final Key<Double> ITEM_MULTIPLIER = Key.of("network_multiplier", STRENGTH, "Strength of the adapter.")
            .follows("= sample.network_multiplier", "B8");
    static final Key<Boolean> ITEM_CFG_NORM = Key.of("do_cfg_norm", flag(), "See sample.do_cfg_norm.")
            .follows("= sample.do_cfg_norm", "B8");
    static final Key<List<String>> CONTROLS = Key.of("ctrl_img", some(path(), 0, DatasetRecipe.MOST_CONTROLS),
                    "Control pictures of the bundle, for an Edit model.")
            .standard(List.of(), "B8");
    static final Key<String> CONTROL_1 = Key.of("ctrl_img_1", path(), "First control picture.").passing();
    static final Key<String> CONTROL_2 = Key.of("ctrl_img_2", path(), "Second control picture.").passing();
    static final Key<String> CONTROL_3 = Key.of("ctrl_img_3", path(), "Third control picture.").passing();

    static final Block ITEM = Block.listOf("samples",
            List.of(PROMPT, ITEM_NEG, ITEM_WIDTH, ITEM_HEIGHT, ITEM_SEED, ITEM_GUIDANCE, ITEM_STEPS, ITEM_MULTIPLIER,
                    ITEM_CFG_NORM, CONTROLS, CONTROL_1, CONTROL_2, CONTROL_3),
            List.of(),
            List.of(ignored("B8", "it is for video or other models", "ctrl_idx", "fps", "num_frames")));

    static final Block BLOCK = Block.of("sample",
            List.of(SAMPLE_EVERY, START_STEP, WIDTH, HEIGHT, NEG, SEED, WALK_SEED, GUIDANCE_SCALE, SAMPLE_STEPS,
                    MULTIPLIER, CFG_NORM, PROMPTS),
            List.of(ITEM),
            List.of(
                    fixed("S2-31, X-15", "Qwen-Image only knows flow matching", "sampler=flowmatch"),
                    ignored("B8", "samples are PNG files that carry their settings", "format"),
                    ignored("B8", "it is for video or other models", "guidance_rescale", "adapter_conditioning_scale",
                            "refiner_start_at", "extra_values", "fps", "num_frames")));

    private SampleKeys() {}
}
