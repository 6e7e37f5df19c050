package nocturne.recipe;

import static nocturne.recipe.Key.choice;
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
            .follows("= save.save_every", "X-13")
            .why("A picture shows what no number does. At the steps that are saved, each checkpoint has "
                    + "its pictures.")
            .works(250, 340);
    static final Key<Integer> START_STEP = Key.of("sample_start_step", whole(0, 1_000_000),
                    "No drawings before this step.")
            .standard(0, "B8")
            .why("Early drawings show little but the model itself.")
            .works(0);
    static final Key<Integer> WIDTH = Key.of("width", SIDE, "Pixels; brought down to a multiple of 32.")
            .follows("= the largest datasets[].resolution", "S2-52")
            .why("Drawn at the size it was trained at, nothing else differs.")
            .works(1024);
    static final Key<Integer> HEIGHT = Key.of("height", SIDE, "Pixels; brought down to a multiple of 32.")
            .follows("= the largest datasets[].resolution", "S2-52")
            .why("Drawn at the size it was trained at, nothing else differs.")
            .works(1024);
    static final Key<String> NEG = Key.of("neg", PROMPT_TEXT, "Negative prompt: what the picture should not be.")
            .standard("", "B8")
            .why("With guidance, the prediction is pushed away from this.")
            .works("", "low quality, blurry, artifacts");
    static final Key<Long> SEED = Key.of("seed", new Kind.Seed(), "Starting noise of the first prompt.")
            .standard(42L, "S1-53")
            .why("The same noise at every checkpoint, so that only the adapter makes the difference.")
            .works(42L);
    static final Key<Boolean> WALK_SEED = Key.of("walk_seed", flag(),
                    "Each prompt gets the next seed; each keeps its own through the run.")
            .standard(true, "S1-53")
            .why("Prompts that share their noise look alike for no good reason.")
            .works(true);
    static final Key<Double> GUIDANCE_SCALE = Key.of("guidance_scale", GUIDANCE,
                    "How strictly the prompt is followed; 1 is off.")
            .standard(3.5, "X-02")
            .why("3.0 to 3.5 is freer, 3.5 to 4.0 follows more closely; above 4 pictures stiffen. Each "
                    + "step computes the model twice when it is not 1.")
            .works(3.0, 3.5, 4.0);
    static final Key<Integer> SAMPLE_STEPS = Key.of("sample_steps", STEP_COUNT, "Steps of one drawing.")
            .standard(28, "X-02")
            .why("20 to 40 look the same to most eyes; fewer save time.")
            .works(20, 28);
    static final Key<Double> MULTIPLIER = Key.of("network_multiplier", STRENGTH,
                    "Strength of the adapter; 1 is as trained.")
            .standard(1.0, "B8")
            .why("A good LoRA works from 0.6 to 1.0.")
            .works(1.0);
    static final Key<Boolean> CFG_NORM = Key.of("do_cfg_norm", flag(),
                    "Bring the guided prediction back to the length of the conditional one, as the pipeline does.")
            .standard(true, "as the released pipeline samples")
            .why("It is what the released pipeline does with guidance; without it colours burn.")
            .works(true);
    static final Key<List<Kind.Placed.Value<String>>> PROMPTS =
            Key.of("prompts", some(new Kind.Placed<>(text(5000)), 0, 200),
            "Prompts that only need a text; [trigger] stands for the trigger word.").passing()
            .why("50 to 200 characters: quality, subject, details, camera, lighting. One without the "
                    + "trigger word shows what the LoRA does to everything else.");

    static final Key<SampleFormat> FORMAT = Key.of("format", choice(SampleFormat.class), "Files of the pictures.")
            .standard(SampleFormat.PNG, "nothing is lost")
            .why("PNG keeps every pixel, so that two checkpoints differ by the training alone. JPEG, at quality 95,"
                    + " takes less disk. Both carry prompt, seed and settings. WebP becomes PNG.")
            .works(SampleFormat.PNG, SampleFormat.JPEG);
    static final Key<PromptSet> PROMPT_SET = Key.of("prompt_set", choice(PromptSet.class),
                    "What is drawn where no prompts are written and there is a trigger word; realism has words that"
                            + " make skin look real.")
            .passing()
            .why("A set to start with: a face, a whole figure, the trigger word alone, and one for each tag of a"
                    + " dataset.")
            .works(PromptSet.STANDARD, PromptSet.REALISM);

    static final Key<String> PROMPT = Key.of("prompt", PROMPT_TEXT,
                    "What to draw; [trigger] stands for the trigger word.")
            .why("50 to 200 characters: quality, subject, details, camera, lighting.")
            .works("[trigger], portrait, soft window light");
    static final Key<String> ITEM_NEG = Key.of("neg", PROMPT_TEXT, "Negative prompt.").follows("= sample.neg", "B8")
            .why("This prompt's own.")
            .works("blurry");
    static final Key<Integer> ITEM_WIDTH = Key.of("width", SIDE, "Pixels.").follows("= sample.width", "B8")
            .why("This prompt's own.")
            .works(1024);
    static final Key<Integer> ITEM_HEIGHT = Key.of("height", SIDE, "Pixels.").follows("= sample.height", "B8")
            .why("This prompt's own.")
            .works(1024);
    static final Key<Long> ITEM_SEED = Key.of("seed", new Kind.Seed(), "Starting noise.")
            .follows("sample.seed, walked", "S1-53")
            .why("This prompt's own.")
            .works(42L);
    static final Key<Double> ITEM_GUIDANCE = Key.of("guidance_scale", GUIDANCE, "How strictly the prompt is followed.")
            .follows("= sample.guidance_scale", "B8")
            .why("This prompt's own.")
            .works(3.5);
    static final Key<Integer> ITEM_STEPS = Key.of("sample_steps", STEP_COUNT, "Steps of the drawing.")
            .follows("= sample.sample_steps", "B8")
            .why("This prompt's own.")
            .works(28);
    static final Key<Double> ITEM_MULTIPLIER = Key.of("network_multiplier", STRENGTH, "Strength of the adapter.")
            .follows("= sample.network_multiplier", "B8")
            .why("This prompt's own.")
            .works(0.8);
    static final Key<Boolean> ITEM_CFG_NORM = Key.of("do_cfg_norm", flag(), "See sample.do_cfg_norm.")
            .follows("= sample.do_cfg_norm", "B8")
            .why("This prompt's own.")
            .works(true);
    static final Key<List<String>> CONTROLS = Key.of("ctrl_img", some(path(), 0, DatasetRecipe.MOST_CONTROLS),
                    "Control pictures of the bundle, for an Edit model.")
            .standard(List.of(), "B8")
            .why("An Edit model draws a change of these.")
            .works(List.of(), List.of("controls/before.png"));
    static final Key<String> CONTROL_1 = Key.of("ctrl_img_1", path(), "First control picture.").passing()
            .why("Another spelling of ctrl_img.")
            .works("controls/before.png");
    static final Key<String> CONTROL_2 = Key.of("ctrl_img_2", path(), "Second control picture.").passing()
            .why("Another spelling of ctrl_img.")
            .works("controls/style.png");
    static final Key<String> CONTROL_3 = Key.of("ctrl_img_3", path(), "Third control picture.").passing()
            .why("Another spelling of ctrl_img.")
            .works("controls/pose.png");

    static final Block ITEM = Block.listOf("samples",
            List.of(PROMPT, ITEM_NEG, ITEM_WIDTH, ITEM_HEIGHT, ITEM_SEED, ITEM_GUIDANCE, ITEM_STEPS, ITEM_MULTIPLIER,
                    ITEM_CFG_NORM, CONTROLS, CONTROL_1, CONTROL_2, CONTROL_3),
            List.of(),
            List.of(ignored("B8", "it is for video or other models", "ctrl_idx", "fps", "num_frames")));

    static final Block BLOCK = Block.of("sample",
            List.of(SAMPLE_EVERY, START_STEP, WIDTH, HEIGHT, NEG, SEED, WALK_SEED, GUIDANCE_SCALE, SAMPLE_STEPS,
                    MULTIPLIER, CFG_NORM, FORMAT, PROMPT_SET, PROMPTS),
            List.of(ITEM),
            List.of(
                    fixed("S2-31, X-15", "Qwen-Image only knows flow matching", "sampler=flowmatch"),
                    ignored("B8", "it is for video or other models", "guidance_rescale", "adapter_conditioning_scale",
                            "refiner_start_at", "extra_values", "fps", "num_frames")));

    private SampleKeys() {}
}
