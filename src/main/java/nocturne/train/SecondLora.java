package nocturne.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import nocturne.adapter.AdapterFile;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.adapter.LoraTargets;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.qwen.TransformerConfig;
import nocturne.recipe.Notice;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.Severity;
import org.jspecify.annotations.Nullable;

/// The LoRA of a bundle that the probe draws beside the new one. It lies where the new one's gradients were, so it has
/// to fit the same layout; one that does not costs its own pictures and nothing else.
///
/// @param bundle where it lies
/// @param file   as the recipe names it
/// @param legal  the layers that it may have
record SecondLora(Path bundle, String file, SequencedMap<String, LinearShape> legal) {
    static final String KEY = "probe.second_lora";
    static final String UNUSABLE = "SECOND_LORA_UNUSABLE";

    /// @return null where the recipe names none
    static @Nullable SecondLora of(Recipe recipe, Path bundle, TransformerConfig config) {
        ProbeRecipe probe = recipe.probe();
        String file = probe == null ? null : probe.secondLora();
        return file == null ? null
                : new SecondLora(bundle, file, LoraTargets.of(config.layers(), config.width()));
    }

    /// What a person should know before the training, while it can be mended.
    Optional<Notice> warning(LoraLayout layout) {
        return whyNot(layout).map(why -> new Notice(UNUSABLE, Severity.WARNING, KEY,
                "%s, so the two pictures with it will be left out.".formatted(why)));
    }

    /// As far as the file's header tells.
    private Optional<String> whyNot(LoraLayout layout) {
        SequencedMap<String, OptionalInt> ranks;
        try {
            ranks = AdapterFile.ranks(path(), legal);
        } catch (UserMistake mistake) {
            return Optional.of(words(mistake));
        }
        if (ranks.containsValue(OptionalInt.empty())) {
            return Optional.of(file + " is a LoKr, and only a LoRA can be drawn");
        }
        int rank = ranks.values().stream().mapToInt(OptionalInt::getAsInt).max().orElseThrow();
        if (rank > layout.rank()) {
            return Optional.of("%s has rank %d, and it is drawn in the room of the new one, which has rank %d"
                    .formatted(file, rank, layout.rank()) + " (network.linear)");
        }
        List<String> trained = layout.slots().stream().map(LoraLayout.Slot::module).toList();
        List<String> others = ranks.keySet().stream().filter(layer -> !trained.contains(layer)).toList();
        if (others.isEmpty()) return Optional.empty();
        return Optional.of("%s changes layers that are not trained here (network.network_kwargs), %d of its %d, %s"
                .formatted(file, others.size(), ranks.size(), others.getFirst()) + " first");
    }

    /// Puts it among values of the new one's layout.
    ///
    /// @return why it cannot be used; empty where it can
    Optional<String> read(Lora lora, float[] values) {
        Optional<String> why = whyNot(lora.layout());
        if (why.isPresent()) return why;
        try {
            StartingAdapter.put(path(), legal, lora, values);
            return Optional.empty();
        } catch (UserMistake mistake) {
            return Optional.of(words(mistake));
        }
    }

    /// Without the folder, which means nothing to who sent the bundle.
    private String words(UserMistake mistake) {
        String problems = mistake.problems().stream().limit(2).map(Problem::toString).collect(Collectors.joining("; "));
        String told = mistake.getMessage().contains(problems) ? mistake.getMessage()
                : mistake.getMessage() + " " + problems;
        return told.replace(path().toString(), file).replaceFirst("[.\\s]+$", "");
    }

    private Path path() {
        return bundle.resolve(file);
    }
}
