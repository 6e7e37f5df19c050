package nocturne.recipe;

import static nocturne.recipe.Key.choice;
import static nocturne.recipe.Key.whole;
import static nocturne.recipe.Unused.fixed;
import static nocturne.recipe.Unused.ignored;

import java.util.List;

/// `save`: the checkpoints.
final class SaveKeys {
    static final Key<AdapterDType> DTYPE = Key.of("dtype", choice(AdapterDType.class),
                    "Number format of the adapter's files.")
            .standard(AdapterDType.F16, "S2-38")
            .why("Sixteen bits are enough for an adapter, and the tools that load it expect them.")
            .works(AdapterDType.F16, AdapterDType.BF16);
    static final Key<Integer> SAVE_EVERY = Key.of("save_every", whole(1, 1_000_000),
                    "Steps between checkpoints. The last step is always saved.")
            .follows("one epoch where train.epochs tells it, else 250", "X-13")
            .advice("250 to 500 is usual.")
            .why("The best checkpoint is often not the last one; without checkpoints there is nothing to "
                    + "choose from.")
            .works(250, 340, 500);
    static final Key<Integer> KEEP = Key.of("max_step_saves_to_keep", whole(1, 10_000),
                    "How many numbered checkpoints stay; the best is often not the last.")
            .standard(10, "S2-40")
            .why("With fewer than four there is little to choose from. Each takes as much disk as the "
                    + "adapter.")
            .works(4, 10);

    static final Block BLOCK = Block.of("save", List.of(DTYPE, SAVE_EVERY, KEEP), List.of(), List.of(
            fixed("B3", "both mean one safetensors file", "save_format=safetensors|diffusers"),
            ignored("B3", "finished files are published to the outbox; nothing is uploaded", "push_to_hub",
                    "hf_repo_id", "hf_private")));

    private SaveKeys() {}
}
