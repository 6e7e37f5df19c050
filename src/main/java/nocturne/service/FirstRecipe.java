package nocturne.service;

import jakarta.inject.Singleton;
import nocturne.recipe.BundleFacts;
import nocturne.recipe.RecipeReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads a recipe of its own when the service has started, so that the first bundle does not wait until Java has loaded
/// what reads recipes. Beside everything else: nobody waits for it, and nothing follows from it.
@Singleton
final class FirstRecipe implements Part {
    private static final Logger LOG = LoggerFactory.getLogger(FirstRecipe.class);
    /// One key of every block, in the dialect that most recipes are in.
    static final String TEXT = """
            job: extension
            config:
              name: first
              process:
                - type: sd_trainer
                  trigger_word: first
                  network: {type: lora, linear: 16, linear_alpha: 16}
                  save: {dtype: bf16, save_every: 250, max_step_saves_to_keep: 4}
                  datasets:
                    - {folder_path: dataset, caption_ext: txt, caption_dropout_rate: 0.05, resolution: [512, 768]}
                  train:
                    steps: 2000
                    batch_size: 1
                    lr: 1e-4
                    optimizer: adamw8bit
                    noise_scheduler: flowmatch
                    ema_config: {use_ema: true, ema_decay: 0.99}
                  model: {name_or_path: Qwen/Qwen-Image, quantize: true, qtype: qfloat8}
                  sample:
                    sample_every: 250
                    width: 1024
                    height: 1024
                    prompts: ["a photo of [trigger]"]
            meta: {name: "[name]"}
            """;

    @Override
    public int getOrder() {
        // When the doors are open.
        return OPENING + 1;
    }

    @Override
    public void start() {
        Thread.ofPlatform().daemon().priority(Thread.MIN_PRIORITY).name("first-recipe").start(FirstRecipe::read);
    }

    private static void read() {
        try {
            var _ = RecipeReader.in(BundleFacts.named("first")).read(TEXT, "first.yaml");
        } catch (RuntimeException bug) {
            LOG.debug("a recipe of our own cannot be read", bug);
        }
    }

    @Override
    public void stop() {
        // It ends by itself.
    }
}
