package nocturne.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What one job trains, completely: every value is decided, valid, and free of the dialect it was written in.
///
/// @param name        the job's name and the stem of its files: letters, digits, `.`, `_`, `-` and blanks
/// @param triggerWord the word that calls the adapter, added to captions that lack it; null for none
/// @param useCase     what is to be learned, which chooses the bands that rules comment on
/// @param known       ids of rules that the person knows better than, which then speak less loudly
/// @param seed        start of all random numbers of training
/// @param probe       what the recommended checkpoint is tried on at the end; null for nothing
/// @param logEvery    steps between two records of the metrics
/// @param vramLimit   bytes of a card's memory that may be used; null for what is free
/// @param onOutOfMemory what gives way where that is too little
/// @param metadata    the person's notes for the files
public record Recipe(String name, @Nullable String triggerWord, UseCase useCase, Set<String> known, long seed,
                     NetworkRecipe network, SaveRecipe save, List<DatasetRecipe> datasets, TrainRecipe train,
                     ModelRecipe model, SampleRecipe sample, @Nullable ProbeRecipe probe, int logEvery,
                     @Nullable Long vramLimit, OnOutOfMemory onOutOfMemory, Metadata metadata) {
    public Recipe {
        Require.that(!name.isBlank(), "a recipe has a name", name);
        Require.that(seed >= 0, "seed >= 0", seed);
        Require.that(logEvery > 0, "logEvery > 0", logEvery);
        known = Set.copyOf(known);
        datasets = List.copyOf(datasets);
        Require.that(!datasets.isEmpty(), "a recipe has a dataset", datasets);
    }

    /// Every prompt that is ever drawn: the samples', then the probe's [ProbeRecipe#texts].
    public List<SamplePrompt> drawn() {
        List<SamplePrompt> drawn = new ArrayList<>(sample.prompts());
        if (probe != null) drawn.addAll(probe.texts());
        return drawn;
    }
}
