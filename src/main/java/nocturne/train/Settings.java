package nocturne.train;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import nocturne.adapter.AdapterMetadata;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.adapter.ModuleFilter;
import nocturne.dataset.Dataset;
import nocturne.problem.UserMistake;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.PromptTemplate;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.LearningRateSchedule;
import nocturne.recipe.OptimizerRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.TimestepRecipe;
import nocturne.tensor.Backend;
import nocturne.tensor.Loss;
import nocturne.tensor.TensorArena;

/// From the recipe's words to the trainer's: no decisions, one expression for each.
final class Settings {
    private Settings() {}

    static AdamWOptimizer.Settings optimizer(Recipe recipe) {
        OptimizerRecipe asked = recipe.train().optimizer();
        return new AdamWOptimizer.Settings(
                asked.beta1(), asked.beta2(), asked.epsilon(), asked.weightDecay(), asked.maxGradNorm());
    }

    /// The adapter's layers.
    ///
    /// @throws UserMistake `RECIPE_INVALID` if the recipe's filters leave none
    static LoraLayout layout(Recipe recipe, TransformerConfig config) {
        ModuleFilter filter = new ModuleFilter(recipe.network().onlyIfContains(), recipe.network().ignoreIfContains());
        SequencedMap<String, LinearShape> targets = new LinkedHashMap<>();
        LoraTargets.of(config.layers(), config.width()).forEach((module, shape) -> {
            if (filter.accepts(module)) targets.put(module, shape);
        });
        if (targets.isEmpty()) {
            throw new UserMistake("RECIPE_INVALID", "network.network_kwargs",
                    "the filters leave no layer to train; layers are called like transformer_blocks.0.attn.to_q.");
        }
        LoraLayout layout = LoraLayout.of(targets, recipe.network().rank());
        if (layout.parameters() <= Integer.MAX_VALUE) return layout;
        throw new UserMistake("RECIPE_INVALID", "network.linear",
                "%d makes %,d numbers to train; at most %,d can be, which is a rank of %d on these layers.".formatted(
                        layout.rank(), layout.parameters(), Integer.MAX_VALUE,
                        Integer.MAX_VALUE / (layout.parameters() / layout.rank())));
    }

    static Moments moments(Recipe recipe, Lora lora, Backend backend, TensorArena arena) {
        return switch (recipe.train().optimizer().optimizer()) {
            case ADAMW -> new FloatMoments(lora, backend, arena);
            case ADAMW8BIT -> new ByteMoments(lora, backend, arena);
        };
    }

    static LearningRate learningRate(Recipe recipe) {
        double peak = recipe.train().optimizer().learningRate();
        int steps = recipe.train().steps();
        return switch (recipe.train().optimizer().schedule()) {
            case LearningRateSchedule.Constant() -> new LearningRate.Constant(peak);
            case LearningRateSchedule.ConstantWithWarmup(int warmup) ->
                    new LearningRate.ConstantWithWarmup(peak, warmup);
            case LearningRateSchedule.Linear(int warmup, double floor) ->
                    new LearningRate.Linear(peak, floor, new LearningRate.Span(warmup, steps));
            case LearningRateSchedule.Cosine(int warmup, double floor) ->
                    new LearningRate.Cosine(peak, floor, new LearningRate.Span(warmup, steps));
            case LearningRateSchedule.CosineWithRestarts(int warmup, double floor, int cycles) ->
                    new LearningRate.CosineWithRestarts(peak, floor, new LearningRate.Span(warmup, steps), cycles);
        };
    }

    static Loss loss(Recipe recipe) {
        return switch (recipe.train().loss()) {
            case MSE -> Loss.SQUARED;
            case MAE -> Loss.ABSOLUTE;
            case PSEUDO_HUBER -> Loss.PSEUDO_HUBER;
        };
    }

    static TimestepSampling timesteps(Recipe recipe, FlowMatchConfig schedule) {
        TimestepRecipe asked = recipe.train().timesteps();
        return new TimestepSampling(TimestepType.valueOf(asked.type().name()),
                TimestepBias.valueOf(asked.bias().name()), BellWeights.NONE, asked.least(), asked.most(),
                TimestepSampling.NEXT_SAMPLE_STEPS, schedule);
    }

    /// The template for samples with control pictures; those without take the one of text to image.
    static PromptTemplate editTemplate(Recipe recipe) {
        return switch (recipe.model().architecture()) {
            case QWEN_IMAGE_EDIT -> PromptTemplate.EDIT;
            case QWEN_IMAGE, QWEN_IMAGE_2512, QWEN_IMAGE_EDIT_2509, QWEN_IMAGE_EDIT_2511 -> PromptTemplate.EDIT_PLUS;
        };
    }

    static AdapterMetadata.Family family(Recipe recipe) {
        return switch (recipe.model().architecture()) {
            case QWEN_IMAGE, QWEN_IMAGE_2512 -> AdapterMetadata.Family.QWEN_IMAGE;
            case QWEN_IMAGE_EDIT -> AdapterMetadata.Family.QWEN_IMAGE_EDIT;
            case QWEN_IMAGE_EDIT_2509 -> AdapterMetadata.Family.QWEN_IMAGE_EDIT_PLUS;
            case QWEN_IMAGE_EDIT_2511 -> AdapterMetadata.Family.QWEN_IMAGE_EDIT_2511;
        };
    }

    static AdapterMetadata.Training training(Recipe recipe, Dataset dataset) {
        OptimizerRecipe optimizer = recipe.train().optimizer();
        return new AdapterMetadata.Training(
                recipe.network().rank(),
                recipe.network().alpha(),
                0,
                recipe.train().steps(),
                0,
                optimizer.learningRate(),
                optimizer.optimizer().spelling(),
                optimizer.schedule().getClass().getSimpleName(),
                recipe.train().timesteps().type().spelling(),
                dataset.pictures(),
                recipe.train().accumulation(),
                recipe.datasets().getFirst().resolutions().getFirst(),
                recipe.seed());
    }
}
