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
            .or("dataset_path").follows("the bundle's folders of pictures", "B9")
            .why("Several datasets may have different repeats, captions and sizes.")
            .works("dataset/40_maya_char");
    static final Key<String> CAPTION_EXT = Key.of("caption_ext",
                    textLike("a file ending such as txt", "\\.?[A-Za-z0-9]{1,10}"),
                    "Ending of the caption files beside the pictures.")
            .or("caption_type").standard("txt", "S2-42")
            .why("Each picture takes the text of the file of the same name.")
            .works("txt");
    static final Key<String> DEFAULT_CAPTION = Key.of("default_caption", textOrEmpty(5000),
            "Caption of pictures that have none. [trigger] stands for the trigger word.")
            .why("A picture without a word about it teaches that the trigger word means everything in it.")
            .works("[trigger], photo");
    static final Key<String> TRIGGER_WORD = Key.<String>of("trigger_word", Key.TRIGGER,
                    "Trigger word of this dataset.")
            .follows("the recipe's trigger_word", "B5")
            .why("Two subjects in one LoRA need a word each.")
            .works("maya_char");
    static final Key<String> TAG = Key.<String>of("tag", Key.TRIGGER,
                    "A further word for what this dataset shows, put behind the trigger word where a caption lacks it.")
            .why("Close-ups and whole figures of one subject differ; a word for each lets prompts ask for either.")
            .works("realistic_body");
    static final Key<Integer> REPEATS = Key.of("num_repeats", whole(1, 100_000),
                    "How often each picture counts in one epoch.")
            .follows("N of a folder called N_name, else 1", "S2-41")
            .why("It balances datasets of different sizes: 70 pictures 40 times and 30 pictures 20 times.")
            .works(1, 20, 40);
    static final Key<Double> CAPTION_DROPOUT = Key.of("caption_dropout_rate", number(0, 1),
                    "Share of samples trained with an empty caption, so that the model does not lean on words alone.")
            .standard(0.05, "X-10")
            .why("A model that sometimes sees no caption leans less on the words. The empty caption is "
                    + "encoded once, like the others.")
            .works(0.0, 0.05, 0.1);
    static final Key<List<Integer>> RESOLUTION = Key.of("resolution", some(multipleOf(32, 32, 4096), 1, 16),
                    "Pictures are trained at about this many pixels squared. A list trains each picture "
                            + "at every size of it.")
            .standard(List.of(1024), "S2-46").advice("1024 is the model's own size, 768 saves memory.")
            .why("The model was trained at about one megapixel. 768 takes half the memory and time, and "
                    + "the LoRA still works at larger sizes.")
            .works(List.of(1024), List.of(768), List.of(768, 1024));
    static final Key<Boolean> BUCKETS = Key.of("buckets", flag(),
                    "Pictures keep their shape; off cuts all to squares.")
            .standard(true, "S1-44")
            .why("Pictures of one shape are trained together and little is cut off.")
            .works(true);
    static final Key<Boolean> FLIP_X = Key.of("flip_x", flag(), "Also train mirror images. Faces are not symmetric.")
            .standard(false, "S1-46")
            .why("It doubles a small dataset, and makes faces, texts and captions with left and right "
                    + "wrong.")
            .works(false);
    static final Key<Boolean> FLIP_Y = Key.of("flip_y", flag(), "Also train pictures upside down.")
            .standard(false, "S1-47")
            .why("Hardly anything looks right upside down.")
            .works(false);
    static final Key<List<String>> CONTROL_PATH = Key.of("control_path", some(path(), 0, DatasetRecipe.MOST_CONTROLS),
                    "Folders with the control pictures of an Edit model, named like the pictures they belong to.")
            .standard(List.of(), "B5")
            .why("An Edit model learns a change from pairs: the control is the picture before, the target "
                    + "the one after.")
            .works(List.of(), List.of("before"));
    static final Key<String> CONTROL_PATH_1 = Key.of("control_path_1", path(), "First control folder.").passing()
            .why("Another spelling of control_path.")
            .works("before");
    static final Key<String> CONTROL_PATH_2 = Key.of("control_path_2", path(), "Second control folder.").passing()
            .why("Another spelling of control_path.")
            .works("style");
    static final Key<String> CONTROL_PATH_3 = Key.of("control_path_3", path(), "Third control folder.").passing()
            .why("Another spelling of control_path.")
            .works("pose");
    static final Key<List<Integer>> TRANSPARENT_COLOR = Key.of("control_transparent_color", exactly(3, whole(0, 255)),
                    "Red, green and blue behind transparent parts of control pictures.")
            .standard(List.of(0, 0, 0), "B5")
            .why("Pictures with an alpha channel need something behind them, and the same in training and "
                    + "use.")
            .works(List.of(0, 0, 0), List.of(255, 255, 255));
    static final Key<Boolean> IS_REG = Key.of("is_reg", flag(),
                    "Pictures of what is not to be learned; their captions get no trigger word.")
            .standard(false, "S1-43")
            .why("Pictures of the class keep it from turning into the subject. They double preparation and "
                    + "time; most do without.")
            .works(false);
    static final Key<Double> LOSS_MULTIPLIER = Key.of("loss_multiplier", numberAbove(0, 1000),
                    "Weight of this dataset's loss.")
            .standard(1.0, "B5")
            .why("A dataset of poorer pictures can count for less.")
            .works(1.0, 0.5);

    static final Block BLOCK = Block.listOf("datasets",
            List.of(FOLDER, CAPTION_EXT, DEFAULT_CAPTION, TRIGGER_WORD, TAG, REPEATS, CAPTION_DROPOUT, RESOLUTION,
                    BUCKETS, FLIP_X, FLIP_Y, CONTROL_PATH, CONTROL_PATH_1, CONTROL_PATH_2, CONTROL_PATH_3,
                    TRANSPARENT_COLOR, IS_REG, LOSS_MULTIPLIER),
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
                    fixed("B5", "control pictures keep their own size; model.model_kwargs.match_target_res brings them"
                            + " to that of the target", "full_size_control_images=true"),
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
