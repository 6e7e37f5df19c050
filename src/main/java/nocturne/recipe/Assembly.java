package nocturne.recipe;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Makes the records from a decided [Section]. It decides nothing itself, so that the resolved text, which is printed
/// from the same section, gives the same recipe when read.
final class Assembly {
    private Assembly() {}

    static Recipe recipe(Section root) {
        return new Recipe(root.get(RootKeys.NAME), orNull(root, RootKeys.TRIGGER_WORD),
                root.get(RootKeys.USE_CASE), known(root), root.get(RootKeys.SEED),
                network(root.child(NetworkKeys.BLOCK)), save(root.child(SaveKeys.BLOCK)),
                root.children(DatasetKeys.BLOCK).stream().map(Assembly::dataset).toList(),
                train(root.child(TrainKeys.BLOCK)), model(root.child(ModelKeys.BLOCK)),
                sample(root.child(SampleKeys.BLOCK), root.child(TrainKeys.BLOCK)), probe(root),
                root.child(RootKeys.LOGGING).get(RootKeys.LOG_EVERY), orNull(root, RootKeys.VRAM_LIMIT),
                root.get(RootKeys.ON_OOM), root.get(RootKeys.META));
    }

    private static Set<String> known(Section root) {
        return root.get(RootKeys.I_KNOW).stream().flatMap(id -> RuleBook.meantBy(id.value()).stream())
                .collect(Collectors.toSet());
    }

    private static NetworkRecipe network(Section network) {
        Section filters = network.child(NetworkKeys.FILTERS);
        return new NetworkRecipe(network.get(NetworkKeys.RANK), network.get(NetworkKeys.ALPHA),
                filters.get(NetworkKeys.ONLY_IF_CONTAINS), filters.get(NetworkKeys.IGNORE_IF_CONTAINS),
                orNull(network, NetworkKeys.START_FROM));
    }

    private static SaveRecipe save(Section save) {
        return new SaveRecipe(save.get(SaveKeys.DTYPE), save.get(SaveKeys.SAVE_EVERY), save.get(SaveKeys.KEEP));
    }

    private static DatasetRecipe dataset(Section set) {
        String ending = set.get(DatasetKeys.CAPTION_EXT);
        return new DatasetRecipe(
                set.get(DatasetKeys.FOLDER),
                ending.startsWith(".") ? ending : "." + ending,
                orNull(set, DatasetKeys.DEFAULT_CAPTION),
                orNull(set, DatasetKeys.TRIGGER_WORD),
                orNull(set, DatasetKeys.TAG),
                set.get(DatasetKeys.CAPTION_DROPOUT),
                set.get(DatasetKeys.REPEATS),
                set.get(DatasetKeys.RESOLUTION),
                set.get(DatasetKeys.BUCKETS),
                set.get(DatasetKeys.FLIP_X),
                set.get(DatasetKeys.FLIP_Y),
                set.get(DatasetKeys.CONTROL_PATH),
                set.get(DatasetKeys.TRANSPARENT_COLOR),
                set.get(DatasetKeys.IS_REG),
                set.get(DatasetKeys.LOSS_MULTIPLIER));
    }

    private static TrainRecipe train(Section train) {
        return new TrainRecipe(
                train.get(TrainKeys.STEPS),
                train.get(TrainKeys.BATCH_SIZE),
                train.get(TrainKeys.ACCUMULATION),
                optimizer(train),
                new TimestepRecipe(train.get(TrainKeys.TIMESTEP_TYPE), train.get(TrainKeys.CONTENT_OR_STYLE),
                        train.get(TrainKeys.MIN_DENOISING), train.get(TrainKeys.MAX_DENOISING)),
                train.get(TrainKeys.LOSS_TYPE),
                ema(train.child(TrainKeys.EMA)),
                train.get(TrainKeys.CHECKPOINTING),
                train.get(TrainKeys.DTYPE),
                train.get(TrainKeys.UNLOAD_TEXT_ENCODER),
                validation(train.child(TrainKeys.VALIDATION)));
    }

    private static OptimizerRecipe optimizer(Section train) {
        Section params = train.child(TrainKeys.OPTIMIZER_PARAMS);
        List<Double> betas = params.get(TrainKeys.BETAS);
        return new OptimizerRecipe(
                train.get(TrainKeys.OPTIMIZER),
                train.get(TrainKeys.LR),
                schedule(train),
                params.get(TrainKeys.WEIGHT_DECAY),
                betas.get(0),
                betas.get(1),
                params.get(TrainKeys.EPS),
                train.get(TrainKeys.MAX_GRAD_NORM));
    }

    private static EmaRecipe ema(Section ema) {
        return new EmaRecipe(
                ema.get(TrainKeys.USE_EMA), ema.get(TrainKeys.EMA_DECAY), ema.get(TrainKeys.BIAS_CORRECTION));
    }

    private static LearningRateSchedule schedule(Section train) {
        Section params = train.child(TrainKeys.SCHEDULER_PARAMS);
        return switch (train.get(TrainKeys.LR_SCHEDULER)) {
            case CONSTANT -> new LearningRateSchedule.Constant();
            case CONSTANT_WITH_WARMUP ->
                    new LearningRateSchedule.ConstantWithWarmup(params.get(TrainKeys.WARMUP_STEPS));
            case LINEAR -> new LearningRateSchedule.Linear(
                    params.get(TrainKeys.WARMUP_STEPS), params.get(TrainKeys.ETA_MIN));
            case COSINE -> new LearningRateSchedule.Cosine(
                    params.get(TrainKeys.WARMUP_STEPS), params.get(TrainKeys.ETA_MIN));
            case COSINE_WITH_RESTARTS -> new LearningRateSchedule.CosineWithRestarts(
                    params.get(TrainKeys.WARMUP_STEPS), params.get(TrainKeys.ETA_MIN), params.get(TrainKeys.CYCLES));
        };
    }

    private static @Nullable ValidationRecipe validation(Section validation) {
        List<Section> items = validation.children(TrainKeys.VALIDATION_ITEM);
        if (validation.find(TrainKeys.VALIDATION_FOLDER).isEmpty() && items.isEmpty()) return null;
        return new ValidationRecipe(
                orNull(validation, TrainKeys.VALIDATION_FOLDER),
                items.stream().map(item -> new ValidationRecipe.Item(
                        item.get(TrainKeys.IMAGE_PATH), item.get(TrainKeys.IMAGE_PROMPT))).toList(),
                validation.get(TrainKeys.VALIDATION_RESOLUTION),
                validation.get(TrainKeys.VALIDATE_EVERY),
                validation.get(TrainKeys.VALIDATION_SIGMAS));
    }

    private static ModelRecipe model(Section model) {
        return new ModelRecipe(model.get(ModelKeys.NAME_OR_PATH), model.get(ModelKeys.ARCH),
                model.get(ModelKeys.QUANTIZE) ? model.get(ModelKeys.QTYPE) : null,
                model.get(ModelKeys.QUANTIZE_TE) ? model.get(ModelKeys.QTYPE_TE) : null,
                model.get(ModelKeys.LOW_VRAM), model.child(ModelKeys.KWARGS).get(ModelKeys.MATCH_TARGET_RES));
    }

    private static SampleRecipe sample(Section sample, Section train) {
        return new SampleRecipe(train.get(TrainKeys.DISABLE_SAMPLING) ? 0 : sample.get(SampleKeys.SAMPLE_EVERY),
                sample.get(SampleKeys.START_STEP), !train.get(TrainKeys.SKIP_FIRST_SAMPLE),
                sample.get(SampleKeys.FORMAT),
                sample.children(SampleKeys.ITEM).stream().map(Assembly::prompt).toList());
    }

    private static SamplePrompt prompt(Section item) {
        return new SamplePrompt(
                item.get(SampleKeys.PROMPT),
                item.get(SampleKeys.ITEM_NEG),
                item.get(SampleKeys.ITEM_WIDTH),
                item.get(SampleKeys.ITEM_HEIGHT),
                item.get(SampleKeys.ITEM_SEED),
                item.get(SampleKeys.ITEM_GUIDANCE),
                item.get(SampleKeys.ITEM_STEPS),
                item.get(SampleKeys.ITEM_MULTIPLIER),
                item.get(SampleKeys.ITEM_CFG_NORM),
                item.get(SampleKeys.CONTROLS));
    }

    /// A picture with the settings that all samples share, where there is none.
    private static SamplePrompt promptless(Section sample) {
        return new SamplePrompt("", sample.get(SampleKeys.NEG), sample.get(SampleKeys.WIDTH),
                sample.get(SampleKeys.HEIGHT), sample.get(SampleKeys.SEED), sample.get(SampleKeys.GUIDANCE_SCALE),
                sample.get(SampleKeys.SAMPLE_STEPS), sample.get(SampleKeys.MULTIPLIER),
                sample.get(SampleKeys.CFG_NORM), List.of());
    }

    private static @Nullable ProbeRecipe probe(Section root) {
        Section probe = root.child(ProbeKeys.BLOCK);
        if (!probe.get(ProbeKeys.ENABLED)) return null;
        Section settings = ProbeRulings.settings(root);
        SamplePrompt like = settings == null ? promptless(root.child(SampleKeys.BLOCK)) : prompt(settings);
        return new ProbeRecipe(like.saying(probe.get(ProbeKeys.PROMPT)), probe.get(ProbeKeys.WITHOUT_TRIGGER),
                probe.get(ProbeKeys.GUIDANCE_SCALES), probe.get(ProbeKeys.STRENGTHS), probe.get(ProbeKeys.SEEDS),
                probe.get(ProbeKeys.PROMPTS), orNull(probe, ProbeKeys.SECOND_LORA));
    }

    private static <T> @Nullable T orNull(Section section, Key<T> key) {
        return section.find(key).orElse(null);
    }
}
