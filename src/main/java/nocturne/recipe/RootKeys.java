package nocturne.recipe;

import static nocturne.recipe.Key.choice;
import static nocturne.recipe.Key.line;
import static nocturne.recipe.Key.some;
import static nocturne.recipe.Key.textLike;
import static nocturne.recipe.Key.whole;
import static nocturne.recipe.Unused.fixed;
import static nocturne.recipe.Unused.ignored;
import static nocturne.recipe.Unused.refused;

import java.util.List;

/// The top of a recipe: what the `config` and `process` levels of the dialect hold, made one level by [Dialect].
final class RootKeys {
    static final Key<String> NAME = Key.of("name",
                    textLike("up to 80 letters, digits, blanks, dots, - and _, with a letter or digit at both ends",
                            "[A-Za-z0-9]([A-Za-z0-9 ._-]{0,78}[A-Za-z0-9])?"),
                    "Name of the job; its files begin with it.")
            .follows("the bundle's name", "B1")
            .why("Files of several jobs may end in one folder; their names tell them apart.")
            .works("maya", "Maya winter 2025");
    static final Key<String> TRIGGER_WORD = Key.<String>of("trigger_word", Key.TRIGGER,
                    "The word that calls what was learned; added to captions that lack it. [trigger] stands for it.")
            .or("trigger")
            .why("It ties what is learned to one word, so that prompts without it stay as they were. A "
                    + "made-up word such as ohwx means nothing yet; a readable one such as maya_char works with "
                    + "Qwen as well. A plain dictionary word does not.")
            .works("ohwx", "maya_char");
    static final Key<UseCase> USE_CASE = Key.of("use_case", choice(UseCase.class),
                    "What is to be learned; it decides which values are worth a comment.")
            .follows("edit where there are control pictures, else character", "S2-07")
            .why("What is right for a face is not right for a style; comments should fit what is made.")
            .works(UseCase.CHARACTER, UseCase.STYLE);
    static final Key<List<Kind.Placed.Value<String>>> I_KNOW = Key.of("i_know",
                    some(new Kind.Placed<>(line(20)), 0, 100),
                    "Ids of rules you know better than: what they refuse becomes a warning, a warning a notice. A row "
                            + "alone, such as S1-69, stands for all of its rules.")
            .standard(List.of(), "nothing is overridden unasked")
            .why("A rule is somebody's experience and not a law. The report says what was overridden.");
    static final Key<Long> SEED = Key.of("training_seed", new Kind.Seed(),
                    "Start of all random numbers: the same seed on the same device gives the same file.")
            .or("seed").standard(42L, "S1-53")
            .why("Two runs that differ in one setting can only be compared if all that is random is the "
                    + "same in both.")
            .works(42L);
    static final Key<Long> VRAM_LIMIT = Key.of("vram_limit", new Kind.MemoryBytes(),
                    "How much of a card's memory the run may use, at most.")
            .why("It leaves room for what else runs on the card. What does not fit comes and goes, or is computed"
                    + " twice; the result is the same.")
            .works(22_000_000_000L);
    static final Key<OnOutOfMemory> ON_OOM = Key.of("on_oom", choice(OnOutOfMemory.class),
                    "Where a card's memory is too short: degrade gives up as little as is enough, fail refuses.")
            .standard(OnOutOfMemory.DEGRADE, "X-06")
            .why("What costs time only is always done first: weights that come and go, activations computed twice."
                    + " Then, one after the other until it fits: pictures of a batch one by one, smaller samples,"
                    + " 8 bits, 6 bits, 768 pixels, 4 bits with a recovery adapter, half the rank, 3 bits with one."
                    + " Each is told.")
            .works(OnOutOfMemory.DEGRADE, OnOutOfMemory.FAIL);
    static final Key<Metadata> META = Key.of("meta", new Kind.Notes(), "Notes that are copied into the files.")
            .standard(Metadata.NONE, "B1")
            .why("Whoever finds the file in a year can read what it is.");

    static final Key<Integer> LOG_EVERY = Key.of("log_every", whole(1, 100_000),
                    "Steps between two records of the metrics.")
            .standard(1, "B4: as the web interface writes it")
            .why("A record is a line of metrics.jsonl and a point of the curves; it costs nothing worth "
                    + "saving.")
            .works(1, 10);
    static final Block LOGGING = Block.of("logging", List.of(LOG_EVERY), List.of(), List.of(
            ignored("B4", "metrics are written to the job's folder", "verbose", "use_wandb", "project_name", "run_name",
                    "use_ui_logger")));

    static final Block ROOT = Block.of("",
            List.of(NAME, TRIGGER_WORD, USE_CASE, I_KNOW, SEED, VRAM_LIMIT, ON_OOM, META),
            List.of(NetworkKeys.BLOCK, SaveKeys.BLOCK, LOGGING, DatasetKeys.BLOCK, TrainKeys.BLOCK, ModelKeys.BLOCK,
                    SampleKeys.BLOCK, ProbeKeys.BLOCK),
            List.of(
                    fixed("B1", "this program trains adapters", "job=extension|train",
                            "type=sd_trainer|diffusion_trainer|ui_trainer"),
                    ignored("B9", "results go to the job's own folder", "training_folder"),
                    ignored("B9", "the device is chosen when the job starts", "device"),
                    ignored("B1", "the losses are in loss.csv, loss.png and report.html of the job's folder", "log_dir",
                            "sqlite_db_path", "monitoring"),
                    ignored("B1", "timing is always measured", "performance_log_every", "torch_profiler"),
                    ignored("B1", "the pictures before training are those of sample, or the later ones could not be"
                            + " compared with them", "first_sample"),
                    refused("B1", "it belongs to other trainers", "guidance", "embedding", "decorator", "adapter",
                            "slider", "do_lorm", "lorm_*")));

    private RootKeys() {}
}
