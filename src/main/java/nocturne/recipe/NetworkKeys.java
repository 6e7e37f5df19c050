package nocturne.recipe;

import static nocturne.recipe.Key.line;
import static nocturne.recipe.Key.numberAbove;
import static nocturne.recipe.Key.path;
import static nocturne.recipe.Key.some;
import static nocturne.recipe.Key.whole;
import static nocturne.recipe.Unused.fixed;
import static nocturne.recipe.Unused.ignored;

import java.util.List;

/// `network`: the adapter.
final class NetworkKeys {
    static final Key<Integer> RANK = Key.of("linear", whole(1, 512),
                    "Rank: how much the adapter can learn, and how much it can memorise.")
            .or("rank").standard(16, "S2-03, X-03").advice("16 suits a style or a character, 32 a complex one.")
            .why("The model has 20 billion weights, so a small rank already says a lot. Ranks of 64 and "
                    + "more learn the background, the light and the camera along with the subject.")
            .works(8, 16, 32, 64);
    static final Key<Double> ALPHA = Key.of("linear_alpha", numberAbove(0, 1024),
                    "Strength: the learned change is scaled by alpha / rank.")
            .or("alpha").follows("= linear", "X-18")
            .why("Equal to the rank, the change is used as it was learned, and a learning rate means the "
                    + "same at every rank.")
            .works(16.0);
    static final Key<String> START_FROM = Key.of("pretrained_lora_path", path(),
            "A LoRA file of the bundle to go on from, instead of a fresh adapter.")
            .why("A LoRA that is nearly right needs a few hundred steps more, not a new beginning.")
            .works("start.safetensors");

    static final Key<List<String>> ONLY_IF_CONTAINS = Key.of("only_if_contains", some(line(200), 0, 1000),
                    "Adapt only layers whose name contains one of these; empty for all.")
            .standard(List.of(), "B2")
            .why("Fewer layers make a smaller file and leave the rest of the model as it was.")
            .works(List.of(), List.of("attn"));
    static final Key<List<String>> IGNORE_IF_CONTAINS = Key.of("ignore_if_contains", some(line(200), 0, 1000),
                    "Leave out layers whose name contains one of these.")
            .standard(List.of(), "B2")
            .why("Without the modulation layers the file is 28 % smaller.")
            .works(List.of(), List.of("img_mod", "txt_mod"));
    static final Block FILTERS = Block.of("network_kwargs", List.of(ONLY_IF_CONTAINS, IGNORE_IF_CONTAINS), List.of(),
            List.of());

    static final Block BLOCK = Block.of("network", List.of(RANK, ALPHA, START_FROM), List.of(FILTERS), List.of(
            fixed("B2", "LoRA is what other tools read best", "type=lora"),
            fixed("B2", "only the transformer's blocks are adapted", "transformer_only=true"),
            fixed("B2", "dropout inside the adapter is not there yet; try caption_dropout_rate", "dropout"),
            ignored("B2", "Qwen-Image has no convolution to adapt", "conv", "conv_alpha"),
            ignored("B2", "it is a setting of LoKr", "lokr_full_rank", "lokr_factor", "old_lokr_format"),
            fixed("B2", "it belongs to other models", "layer_offloading", "split_multistage_loras=false|true",
                    "all_layers", "lorm")));

    private NetworkKeys() {}
}
