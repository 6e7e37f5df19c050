package nocturne.recipe;

import static nocturne.recipe.Key.choice;
import static nocturne.recipe.Key.exactly;
import static nocturne.recipe.Key.flag;
import static nocturne.recipe.Key.number;
import static nocturne.recipe.Key.numberAbove;
import static nocturne.recipe.Key.path;
import static nocturne.recipe.Key.some;
import static nocturne.recipe.Key.whole;

import java.util.List;

/// `train`: the loop. What other trainers know and this one does not use is in [TrainUnused].
final class TrainKeys {
    static final Key<Integer> STEPS = Key.of("steps", whole(1, 10_000_000), "Updates of the weights in the whole run.")
            .standard(3000, "S1-61").advice("2000 to 4000 suits a character.");
    static final Key<Integer> EPOCHS = Key.of("epochs", whole(1, 1_000_000),
                    "Passes over the data: the length of the run where steps is absent, else the rhythm of saving.")
            .borrowing("num_epochs", "max_train_epochs").passing();
    static final Key<Integer> BATCH_SIZE = Key.of("batch_size", whole(1, 1024), "Samples computed at once.")
            .standard(1, "S1-21");
    static final Key<Integer> ACCUMULATION = Key.of("gradient_accumulation", whole(1, 1024),
                    "Batches whose gradients are averaged for one step.")
            .standard(4, "S1-22").advice("4 is usual.");
    static final Key<Integer> ACCUMULATION_STEPS = Key.of("gradient_accumulation_steps", whole(1, 1024),
                    "The same in the older spelling, where steps counts batches instead of updates.")
            .advice("A whole epoch (-1) cannot be one step; 4 is usual.").passing();

    static final Key<Double> LR = Key.of("lr", numberAbove(0, 1), "Learning rate.")
            .or("unet_lr").standard(2e-4, "X-01").advice("2e-4 is the recipe's, 1e-4 the careful choice.");
    static final Key<Optimizer> OPTIMIZER = Key.of("optimizer", choice(Optimizer.class), "The update rule.")
            .standard(Optimizer.ADAMW8BIT, "S2-12");
    static final Key<Schedule> LR_SCHEDULER = Key.of("lr_scheduler", choice(Schedule.class),
                    "Course of the learning rate.")
            .standard(Schedule.CONSTANT, "B6");
    static final Key<Double> MAX_GRAD_NORM = Key.of("max_grad_norm", numberAbove(0, 1e9),
                    "Gradients longer than this are shortened to it.")
            .standard(1.0, "B6");

    static final Key<TimestepType> TIMESTEP_TYPE = Key.of("timestep_type", choice(TimestepType.class),
                    "How noise levels are spread; sigmoid suits characters, linear styles.")
            .standard(TimestepType.SIGMOID, "X-11");
    static final Key<TimestepBias> CONTENT_OR_STYLE = Key.of("content_or_style", choice(TimestepBias.class),
                    "Favour high noise (content) or low noise (style).")
            .standard(TimestepBias.BALANCED, "S1-33");
    static final Key<Integer> MIN_DENOISING = Key.of("min_denoising_steps", whole(0, 998),
                    "First of 1000 noise levels to draw.")
            .standard(0, "B6");
    static final Key<Integer> MAX_DENOISING = Key.of("max_denoising_steps", whole(1, 999),
                    "Last of 1000 noise levels to draw.")
            .standard(999, "B6");

    static final Key<Double> CAPTION_DROPOUT = Key.of("caption_dropout_rate", number(0, 1),
                    "The same key of all datasets that do not say it themselves.")
            .borrowing("prompt_dropout_prob").passing();
    static final Key<Boolean> UNLOAD_TEXT_ENCODER = Key.of("unload_text_encoder", flag(),
                    "Leave captions aside and train every picture with the trigger word alone.")
            .standard(false, "S1-35");
    static final Key<Double> REG_WEIGHT = Key.of("reg_weight", numberAbove(0, 1000),
                    "Weight of the loss of regularisation sets, times their own loss_multiplier.")
            .passing();
    static final Key<Boolean> CHECKPOINTING = Key.of("gradient_checkpointing", flag(),
                    "Recompute instead of keeping: less memory, more time.")
            .standard(true, "S2-48");
    static final Key<Precision> DTYPE = Key.of("dtype", choice(Precision.class),
                    "Number format of activations on a GPU.")
            .standard(Precision.BF16, "S2-48");
    static final Key<Boolean> SKIP_FIRST_SAMPLE = Key.of("skip_first_sample", flag(), "No drawings before training.")
            .standard(false, "B6");
    static final Key<Boolean> FORCE_FIRST_SAMPLE = Key.of("force_first_sample", flag(),
            "Drawings before training in any case.").passing();
    static final Key<Boolean> DISABLE_SAMPLING = Key.of("disable_sampling", flag(), "No drawings at all.")
            .standard(false, "B6");

    static final Key<Double> WEIGHT_DECAY = Key.of("weight_decay", number(0, 10), "Pull of the weights towards zero.")
            .standard(1e-4, "S1-27");
    static final Key<List<Double>> BETAS = Key.of("betas", exactly(2, number(0, 0.999999)),
                    "Memories of the two moments.")
            .standard(List.of(0.9, 0.999), "AdamW's own");
    static final Key<Double> EPS = Key.of("eps", numberAbove(0, 1), "Added to the root of the second moment.")
            .standard(1e-6, "B6");
    static final Block OPTIMIZER_PARAMS =
            Block.of("optimizer_params", List.of(WEIGHT_DECAY, BETAS, EPS), List.of(), List.of());

    static final Key<Integer> WARMUP_STEPS = Key.of("num_warmup_steps", whole(0, 1_000_000),
                    "Steps until the full learning rate, rising from 0.")
            .follows("a tenth of train.steps for constant_with_warmup, else 0", "B6: 1000 outlasts many runs");
    static final Key<Double> ETA_MIN = Key.of("eta_min", number(0, 1), "Learning rate at the end, where it falls.")
            .follows("0", "B6");
    static final Key<Double> END_FACTOR = Key.of("end_factor", number(0, 1), "eta_min as a share of lr.").passing();
    static final Key<Integer> CYCLES = Key.of("num_cycles", whole(1, 10_000), "Falls of cosine_with_restarts.")
            .follows("1", "B6");
    static final Block SCHEDULER_PARAMS = Block.of("lr_scheduler_params",
            List.of(WARMUP_STEPS, ETA_MIN, END_FACTOR, CYCLES), List.of(),
            List.of(
                    Unused.ignored("B6", "a schedule spans the run", "total_iters", "T_max", "num_training_steps"),
                    Unused.fixed("B6", "a rising schedule is a warm-up: num_warmup_steps", "start_factor=1"),
                    Unused.fixed("B6", "restarts are of equal length: num_cycles", "T_0", "T_mult=1")));

    static final Key<Boolean> USE_EMA = Key.of("use_ema", flag(),
                    "Save and draw a running average of the adapter, which is smoother.")
            .standard(true, "X-04");
    static final Key<Double> EMA_DECAY = Key.of("ema_decay", number(0, 0.999999),
                    "Share of the average that survives a step.")
            .standard(0.999, "X-04");
    static final Key<Boolean> BIAS_CORRECTION = Key.of("bias_correction", flag(),
                    "Take the untrained start out of the average; without it a short run is saved weakened.")
            .standard(true, "X-04");
    static final Block EMA = Block.of("ema_config", List.of(USE_EMA, EMA_DECAY, BIAS_CORRECTION), List.of(),
            List.of(Unused.fixed("B6", "an average does not feed back", "use_feedback", "param_multiplier=1")));

    static final Key<String> VALIDATION_FOLDER = Key.of("validation_folder", path(),
                    "Folder of pictures kept out of training; their loss tells learning from memorising.")
            .follows("a folder called heldout or validation, where the recipe names no datasets", "S1-66");
    static final Key<Integer> VALIDATE_EVERY = Key.of("validate_every_n_steps", whole(1, 1_000_000),
                    "Steps between measurements.")
            .follows("= save.save_every", "S1-72");
    static final Key<List<Double>> VALIDATION_SIGMAS = Key.of("validation_sigmas", some(numberAbove(0, 1), 1, 32),
                    "Noise levels of the measurement.")
            .standard(List.of(0.1, 0.3, 0.5, 0.7, 0.9), "evenly over the range");
    static final Block VALIDATION = Block.of("validation_config",
            List.of(VALIDATION_FOLDER, VALIDATE_EVERY, VALIDATION_SIGMAS), List.of(),
            List.of(Unused.fixed("B6", "name a folder of the bundle as validation_folder", "validation_items"),
                    Unused.ignored("B6", "pictures are measured at the datasets' resolution", "resolution")));

    static final Block BLOCK = Block.of("train",
            List.of(STEPS, EPOCHS, BATCH_SIZE, ACCUMULATION, ACCUMULATION_STEPS, LR, OPTIMIZER, LR_SCHEDULER,
                    MAX_GRAD_NORM, TIMESTEP_TYPE, CONTENT_OR_STYLE, MIN_DENOISING, MAX_DENOISING, CAPTION_DROPOUT,
                    UNLOAD_TEXT_ENCODER, REG_WEIGHT, CHECKPOINTING, DTYPE, SKIP_FIRST_SAMPLE,
                    FORCE_FIRST_SAMPLE, DISABLE_SAMPLING),
            List.of(OPTIMIZER_PARAMS, SCHEDULER_PARAMS, EMA, VALIDATION),
            TrainUnused.ROWS);

    private TrainKeys() {}
}
