package nocturne.recipe;

import static nocturne.recipe.Key.exactly;
import static nocturne.recipe.Key.flag;
import static nocturne.recipe.Key.multipleOf;
import static nocturne.recipe.Key.number;
import static nocturne.recipe.Key.numberAbove;
import static nocturne.recipe.Key.path;
import static nocturne.recipe.Key.some;
import static nocturne.recipe.Key.textLike;
import static nocturne.recipe.Key.textOrEmpty;
import static nocturne.recipe.Key.whole;
import static nocturne.recipe.Unused.fixed;
import static nocturne.recipe.Unused.ignored;
import static nocturne.recipe.Unused.refused;

import java.util.List;

/// `datasets[]`: folders of pictures with their captions.
final class DatasetKeys {
    static final Key<String> FOLDER = Key.of("folder_path", path(),
                    "Folder of the bundle with the pictures; folders inside it count too.")
            .or("dataset_path").follows("the bundle's folders of pictures", "B9");
    static final Key<String> CAPTION_EXT = Key.of("caption_ext",
                    textLike("a file ending such as txt", "\\.?[A-Za-z0-9]{1,10}"),
                    "Ending of the caption files beside the pictures.")
            .or("caption_type").standard("txt", "S2-42");
    static final Key<String> DEFAULT_CAPTION = Key.of("default_caption", textOrEmpty(5000),
            "Caption of pictures that have none. [trigger] stands for the trigger word.");
    static final Key<String> TRIGGER_WORD = Key.<String>of("trigger_word", Key.TRIGGER,
                    "Trigger word of this dataset.")
            .follows("the recipe's trigger_word", "B5");
    static final Key<Integer> REPEATS = Key.of("num_repeats", whole(1, 100_000),
                    "How often each picture counts in one epoch.")
            .follows("N of a folder called N_name, else 1", "S2-41");
    static final Key<Double> CAPTION_DROPOUT = Key.of("caption_dropout_rate", number(0, 1),
                    "Share of samples trained with an empty caption, so that the model does not lean on words alone.")
            .standard(0.05, "X-10");
    static final Key<List<Integer>> RESOLUTION = Key.of("resolution", some(multipleOf(32, 32, 4096), 1, 16),
                    "Pictures are trained at about this many pixels squared. A list trains each picture "
                            + "at every size of it.")
            .standard(List.of(1024), "S2-46").advice("1024 is the model's own size, 768 saves memory.");
    static final Key<Boolean> BUCKETS = Key.of("buckets", flag(),
                    "Pictures keep their shape; off cuts all to squares.")
            .standard(true, "S1-44");
    static final Key<Boolean> FLIP_X = Key.of("flip_x", flag(), "Also train mirror images. Faces are not symmetric.")
            .standard(false, "S1-46");
    static final Key<Boolean> FLIP_Y = Key.of("flip_y", flag(), "Also train pictures upside down.")
            .standard(false, "S1-47");
    static final Key<List<String>> CONTROL_PATH = Key.of("control_path", some(path(), 0, DatasetRecipe.MOST_CONTROLS),
                    "Folders with the control pictures of an Edit model, named like the pictures they belong to.")
            .standard(List.of(), "B5");
    static final Key<String> CONTROL_PATH_1 = Key.of("control_path_1", path(), "First control folder.").passing();
    static final Key<String> CONTROL_PATH_2 = Key.of("control_path_2", path(), "Second control folder.").passing();
    static final Key<String> CONTROL_PATH_3 = Key.of("control_path_3", path(), "Third control folder.").passing();
    static final Key<List<Integer>> TRANSPARENT_COLOR = Key.of("control_transparent_color", exactly(3, whole(0, 255)),
                    "Red, green and blue behind transparent parts of control pictures.")
            .standard(List.of(0, 0, 0), "B5");
    static final Key<Boolean> IS_REG = Key.of("is_reg", flag(),
                    "Pictures of what is not to be learned; their captions get no trigger word.")
            .standard(false, "S1-43");
    static final Key<Double> LOSS_MULTIPLIER = Key.of("loss_multiplier", numberAbove(0, 1000),
                    "Weight of this dataset's loss.")
            .standard(1.0, "B5");

    static final Block BLOCK = Block.listOf("datasets",
            List.of(FOLDER, CAPTION_EXT, DEFAULT_CAPTION, TRIGGER_WORD, REPEATS, CAPTION_DROPOUT, RESOLUTION, BUCKETS,
                    FLIP_X, FLIP_Y, CONTROL_PATH, CONTROL_PATH_1, CONTROL_PATH_2, CONTROL_PATH_3, TRANSPARENT_COLOR,
                    IS_REG, LOSS_MULTIPLIER),
            List.of(),
            List.of(
                    fixed("X-12", "latents and text embeddings are always cached, on disk", "cache_latents=true|false",
                            "cache_latents_to_disk=true|false", "cache_text_embeddings=true|false"),
                    ignored("B5", "caching is arranged by the program", "cache_tensors_to_disk",
                            "cache_clip_vision_to_disk", "load_image_when_caching_latents", "cache_latents_num_workers",
                            "num_workers", "prefetch_factor", "fast_image_size", "extra_values", "debug",
                            "bucket_tolerance", "replay_transforms"),
                    fixed("B5", "pictures are cut by their bucket alone", "square_crop", "random_crop", "random_scale",
                            "scale=1"),
                    fixed("S1-37", "captions are encoded once, before training", "shuffle_tokens", "token_dropout_rate",
                            "random_triggers", "replacements", "use_short_captions"),
                    ignored("B5", "it belongs to shuffled or random captions", "keep_tokens", "random_triggers_max"),
                    fixed("B5", "this is not there yet", "prior_reg", "network_weight=1"),
                    fixed("B5", "pictures are trained as they are", "augments", "augmentations",
                            "shuffle_augmentations", "standardize_images"),
                    fixed("B5", "control pictures are paired by file name", "control_from_same_folder", "controls"),
                    ignored("B5", "control pictures are paired by file name", "num_controls_from_same_folder"),
                    ignored("B5", "the model's encoder decides the size of control pictures",
                            "full_size_control_images"),
                    fixed("B5", "loss masks are not there yet", "mask_path", "alpha_mask", "invert_mask"),
                    ignored("B5", "it belongs to loss masks", "mask_min_value"),
                    fixed("B5", "train.batch_size holds for all datasets", "batch_size"),
                    fixed("B5", "it belongs to other models", "inpaint_path", "unconditional_path", "clip_image_*",
                            "guidance_type"),
                    fixed("B5", "it is for video and sound", "num_frames=1|0", "do_audio", "audio_*"),
                    ignored("B5", "it is for video", "shrink_video_to_frames", "fps", "auto_frame_count", "do_i2v"),
                    refused("B5", "it is refused by the tool it comes from as well", "poi")));

    private DatasetKeys() {}
}
