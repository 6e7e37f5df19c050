package nocturne.recipe;

import static nocturne.recipe.Key.choice;
import static nocturne.recipe.Key.exactly;
import static nocturne.recipe.Key.flag;
import static nocturne.recipe.Key.multipleOf;
import static nocturne.recipe.Key.number;
import static nocturne.recipe.Key.numberAbove;
import static nocturne.recipe.Key.path;
import static nocturne.recipe.Key.some;
import static nocturne.recipe.Key.textOrEmpty;
import static nocturne.recipe.Key.whole;

import java.util.List;

/// `train`: the loop. What other trainers know and this one does not use is in [TrainUnused].
final class TrainKeys {
    static final int MOST_ACCUMULATION = 1024;

    static final Key<Integer> STEPS = Key.of("steps", whole(1, 10_000_000), "Updates of the weights in the whole run.")
            .standard(3000, "S1-61").advice("2000 to 4000 suits a character.")
            .why("Under 2000 few subjects are learned; past the best checkpoint a run memorises. 3000 with "
                    + "a checkpoint every 250 is a careful start.")
            .works(2000, 3000, 3400);
    static final Key<Integer> EPOCHS = Key.of("epochs", whole(1, 1_000_000),
                    "Passes over the data: the length of the run where steps is absent, else the rhythm of saving.")
            .borrowing("num_epochs", "max_train_epochs").passing()
            .why("8 to 10 suit a character, 12 to 15 one with several outfits, 50 and more a style only. "
                    + "Where steps is there too, steps is the length.")
            .works(10);
    static final Key<Integer> BATCH_SIZE = Key.of("batch_size", whole(1, 1024), "Samples computed at once.")
            .standard(1, "S1-21")
            .why("More at once needs memory that only the largest cards have; accumulation has the same "
                    + "effect on the weights.")
            .works(1);
    static final Key<Integer> ACCUMULATION = Key.of("gradient_accumulation", whole(1, MOST_ACCUMULATION),
                    "Batches whose gradients are averaged for one step.")
            .standard(4, "S1-22").advice("4 is usual.")
            .why("One step then follows several pictures, which is calmer. It takes as many times longer "
                    + "and no more memory.")
            .works(1, 4);
    static final Key<Integer> ACCUMULATION_STEPS = Key.of("gradient_accumulation_steps", whole(1, MOST_ACCUMULATION),
                    "The same in the older spelling, where steps counts batches instead of updates.")
            .advice("A whole epoch (-1) cannot be one step; 4 is usual.").passing()
            .why("Kept because recipes have it; write gradient_accumulation.")
            .works(4);

    static final Key<Double> LR = Key.of("lr", numberAbove(0, 1), "Learning rate.")
            .or("unet_lr").standard(2e-4, "X-01").advice("2e-4 is the recipe's, 1e-4 the careful choice.")
            .why("2e-4 learns a character in some 3000 steps; 1e-4 is slower and forgiving; from 4e-4 on "
                    + "details burn.")
            .works(1e-4, 2e-4);
    static final Key<Optimizer> OPTIMIZER = Key.of("optimizer", choice(Optimizer.class), "The update rule.")
            .standard(Optimizer.ADAMW8BIT, "S2-12")
            .why("Its two moments take 8 bits each instead of 32, to the same result.")
            .works(Optimizer.ADAMW8BIT, Optimizer.ADAMW);
    static final Key<Schedule> LR_SCHEDULER = Key.of("lr_scheduler", choice(Schedule.class),
                    "Course of the learning rate.")
            .standard(Schedule.CONSTANT, "B6")
            .why("A constant rate lets any checkpoint be the last; a falling one only pays at its end.")
            .works(Schedule.CONSTANT, Schedule.COSINE);
    static final Key<Double> MAX_GRAD_NORM = Key.of("max_grad_norm", numberAbove(0, 1e9),
                    "Gradients longer than this are shortened to it.")
            .standard(1.0, "B6")
            .why("One odd picture cannot throw the weights far.")
            .works(1.0);

    static final Key<TimestepType> TIMESTEP_TYPE = Key.of("timestep_type", choice(TimestepType.class),
                    "How noise levels are spread; sigmoid suits characters, linear styles.")
            .standard(TimestepType.SIGMOID, "X-11")
            .why("Composition is decided at high noise, features in the middle, texture at low noise.")
            .works(TimestepType.SIGMOID, TimestepType.LINEAR);
    static final Key<TimestepBias> CONTENT_OR_STYLE = Key.of("content_or_style", choice(TimestepBias.class),
                    "Favour high noise (content) or low noise (style).")
            .standard(TimestepBias.BALANCED, "S1-33")
            .why("A style lives in texture, a composition in shapes; a character needs both.")
            .works(TimestepBias.BALANCED);
    static final Key<LossType> LOSS_TYPE = Key.of("loss_type", choice(LossType.class),
                    "How far from the truth a prediction is said to be: squared error, absolute error, or the latter"
                            + " with a round tip.")
            .standard(LossType.MSE, "B6")
            .why("The squared error is what the model was trained with. The others make less of a few large "
                    + "errors; their values cannot be compared with its.")
            .works(LossType.MSE);
    static final Key<Integer> MIN_DENOISING = Key.of("min_denoising_steps", whole(0, 998),
                    "First of 1000 noise levels to draw.")
            .standard(0, "B6")
            .why("To train on a part of the noise levels only, which is for experiments.")
            .works(0);
    static final Key<Integer> MAX_DENOISING = Key.of("max_denoising_steps", whole(1, 999),
                    "Last of 1000 noise levels to draw.")
            .standard(999, "B6")
            .why("To train on a part of the noise levels only, which is for experiments.")
            .works(999);

    static final Key<Double> CAPTION_DROPOUT = Key.of("caption_dropout_rate", number(0, 1),
                    "The same key of all datasets that do not say it themselves.")
            .borrowing("prompt_dropout_prob").passing()
            .why("See datasets.caption_dropout_rate.")
            .works(0.05);
    static final Key<Boolean> UNLOAD_TEXT_ENCODER = Key.of("unload_text_encoder", flag(),
                    "Leave captions aside and train every picture with the trigger word alone.")
            .standard(false, "S1-35")
            .why("Other tools save memory by it. Here captions are encoded before training and cost none.")
            .works(false);
    static final Key<Double> REG_WEIGHT = Key.of("reg_weight", numberAbove(0, 1000),
                    "Weight of the loss of regularisation sets, times their own loss_multiplier.")
            .passing()
            .why("Pictures that only keep the class in place may count for less.")
            .works(1.0);
    static final Key<Boolean> CHECKPOINTING = Key.of("gradient_checkpointing", flag(),
                    "Recompute instead of keeping: less memory, more time.")
            .standard(true, "S2-48")
            .why("It is what makes a 24 GB card enough; the same numbers come out.")
            .works(true);
    static final Key<Precision> DTYPE = Key.of("dtype", choice(Precision.class),
                    "Number format of activations on a GPU.")
            .standard(Precision.BF16, "S2-48")
            .why("16 bits with the range of 32 are what the model was trained in.")
            .works(Precision.BF16);
    static final Key<Boolean> SKIP_FIRST_SAMPLE = Key.of("skip_first_sample", flag(), "No drawings before training.")
            .standard(false, "B6")
            .why("The drawings before training show what the model does without the LoRA: something to "
                    + "compare with.")
            .works(false);
    static final Key<Boolean> FORCE_FIRST_SAMPLE = Key.of("force_first_sample", flag(),
            "Drawings before training in any case.").passing()
            .why("Other tools leave these drawings out after a resume.")
            .works(false);
    static final Key<Boolean> DISABLE_SAMPLING = Key.of("disable_sampling", flag(), "No drawings at all.")
            .standard(false, "B6")
            .why("Drawing takes about as long as 28 forward steps a picture, twice with guidance.")
            .works(false);

    static final Key<Double> WEIGHT_DECAY = Key.of("weight_decay", number(0, 10), "Pull of the weights towards zero.")
            .standard(1e-4, "S1-27")
            .why("It pulls the adapter towards nothing, a weak brake on memorising.")
            .works(1e-4);
    static final Key<List<Double>> BETAS = Key.of("betas", exactly(2, number(0, 0.999999)),
                    "Memories of the two moments.")
            .standard(List.of(0.9, 0.999), "AdamW's own")
            .why("They are AdamW's own and rarely changed.")
            .works(List.of(0.9, 0.999));
    static final Key<Double> EPS = Key.of("eps", numberAbove(0, 1), "Added to the root of the second moment.")
            .standard(1e-6, "B6")
            .why("It only matters where gradients are almost zero.")
            .works(1e-6);
    static final Block OPTIMIZER_PARAMS =
            Block.of("optimizer_params", List.of(WEIGHT_DECAY, BETAS, EPS), List.of(), List.of());

    static final Key<Integer> WARMUP_STEPS = Key.of("num_warmup_steps", whole(0, 1_000_000),
                    "Steps until the full learning rate, rising from 0.")
            .follows("a tenth of train.steps for constant_with_warmup, else 0", "B6: 1000 outlasts many runs")
            .why("The first steps know little about the gradients' size; a slow start forgives that.")
            .works(0, 100);
    static final Key<Double> ETA_MIN = Key.of("eta_min", number(0, 1), "Learning rate at the end, where it falls.")
            .follows("0", "B6")
            .why("A rate of zero at the end lets the weights settle.")
            .works(0.0);
    static final Key<Double> END_FACTOR = Key.of("end_factor", number(0, 1), "eta_min as a share of lr.").passing()
            .why("Kept because recipes have it; write eta_min.")
            .works(0.1);
    static final Key<Integer> CYCLES = Key.of("num_cycles", whole(1, 10_000), "Falls of cosine_with_restarts.")
            .follows("1", "B6")
            .why("Each fall ends in a checkpoint worth looking at.")
            .works(1);
    static final Block SCHEDULER_PARAMS = Block.of("lr_scheduler_params",
            List.of(WARMUP_STEPS, ETA_MIN, END_FACTOR, CYCLES), List.of(),
            List.of(
                    Unused.ignored("B6", "a schedule spans the run", "total_iters", "T_max", "num_training_steps"),
                    Unused.fixed("B6", "a rising schedule is a warm-up: num_warmup_steps", "start_factor=1"),
                    Unused.fixed("B6", "restarts are of equal length: num_cycles", "T_0", "T_mult=1")));

    static final Key<Boolean> USE_EMA = Key.of("use_ema", flag(),
                    "Save and draw a running average of the adapter, which is smoother.")
            .standard(true, "X-04")
            .why("The average of many steps is smoother than the last one and memorises less. It is as "
                    + "large as the adapter, not as the model. The raw weights are saved too.")
            .works(true);
    static final Key<Double> EMA_DECAY = Key.of("ema_decay", number(0, 0.999999),
                    "Share of the average that survives a step.")
            .standard(0.999, "X-04")
            .why("At 0.999 it looks back over about 1000 steps.")
            .works(0.999, 0.9995);
    static final Key<Boolean> BIAS_CORRECTION = Key.of("bias_correction", flag(),
                    "Take the untrained start out of the average; without it a short run is saved weakened.")
            .standard(true, "X-04")
            .why("Uncorrected, after 850 steps at 0.999 the untrained start still weighs 43 %.")
            .works(true);
    static final Block EMA = Block.of("ema_config", List.of(USE_EMA, EMA_DECAY, BIAS_CORRECTION), List.of(),
            List.of(Unused.fixed("B6", "an average does not feed back", "use_feedback", "param_multiplier=1")));

    static final Key<String> VALIDATION_FOLDER = Key.of("validation_folder", path(),
                    "Folder of pictures kept out of training; their loss tells learning from memorising.")
            .follows("a folder called heldout or validation, where the recipe names no datasets", "S1-66")
            .why("Training loss falls for ever; the loss on pictures never trained rises when the model "
                    + "begins to memorise. It is how the best checkpoint is found.")
            .works("heldout");
    static final Key<Integer> VALIDATE_EVERY = Key.of("validate_every_n_steps", whole(1, 1_000_000),
                    "Steps between measurements.")
            .follows("= save.save_every", "S1-72")
            .why("One measurement for each checkpoint is what the choice needs.")
            .works(250);
    static final Key<List<Double>> VALIDATION_SIGMAS = Key.of("validation_sigmas", some(numberAbove(0, 1), 1, 32),
                    "Noise levels of the measurement.")
            .standard(List.of(0.1, 0.3, 0.5, 0.7, 0.9), "evenly over the range")
            .why("The same noise at the same levels each time, so that only the adapter makes the "
                    + "difference.")
            .works(List.of(0.1, 0.3, 0.5, 0.7, 0.9));
    static final Key<Integer> VALIDATION_RESOLUTION = Key.of("resolution", multipleOf(32, 32, 4096),
                    "Held-out pictures are measured at about this many pixels squared.")
            .follows("the first resolution of the first dataset", "B6")
            .why("Measured as it is trained, the loss says most. A smaller size takes less time.")
            .works(1024, 512);
    static final Key<String> IMAGE_PATH = Key.of("image_path", path(), "A picture of the bundle, kept out of training.")
            .why("It should lie outside the datasets' folders, or it is trained all the same.")
            .works("portraits/held-out.jpg");
    static final Key<String> IMAGE_PROMPT = Key.of("prompt", textOrEmpty(5000),
                    "What it shows. [trigger] stands for the trigger word, which is put in front where it is missing.")
            .standard("", "B6")
            .why("As the caption of a picture that is trained.")
            .works("[trigger], photo");
    static final Block VALIDATION_ITEM =
            Block.listOf("validation_items", List.of(IMAGE_PATH, IMAGE_PROMPT), List.of(), List.of());
    static final Block VALIDATION = Block.of("validation_config",
            List.of(VALIDATION_FOLDER, VALIDATION_RESOLUTION, VALIDATE_EVERY, VALIDATION_SIGMAS),
            List.of(VALIDATION_ITEM), List.of());

    static final Block BLOCK = Block.of("train",
            List.of(STEPS, EPOCHS, BATCH_SIZE, ACCUMULATION, ACCUMULATION_STEPS, LR, OPTIMIZER, LR_SCHEDULER,
                    MAX_GRAD_NORM, TIMESTEP_TYPE, CONTENT_OR_STYLE, MIN_DENOISING, MAX_DENOISING, LOSS_TYPE,
                    CAPTION_DROPOUT, UNLOAD_TEXT_ENCODER, REG_WEIGHT, CHECKPOINTING, DTYPE, SKIP_FIRST_SAMPLE,
                    FORCE_FIRST_SAMPLE, DISABLE_SAMPLING),
            List.of(OPTIMIZER_PARAMS, SCHEDULER_PARAMS, EMA, VALIDATION),
            TrainUnused.ROWS);

    private TrainKeys() {}
}
