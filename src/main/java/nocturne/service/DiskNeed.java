package nocturne.service;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import nocturne.plan.Inspection;
import nocturne.recipe.ProbeRecipe;
import nocturne.recipe.Recipe;
import nocturne.recipe.SamplePrompt;

/// How much room on the disk something will take, roughly and rather too much.
final class DiskNeed {
    private static final ObjectMapper JSON = new ObjectMapper();
    /// Inputs and outputs of a block's linear layers, in multiples of its width: 8 projections for attention, d to d,
    /// and two layers for each of two feed-forward nets, d to 4d and back.
    private static final long WIDTHS_PER_BLOCK = 8 * 2 + 4 * 5;
    /// A state to resume from: the weights, two moments and the average; the one before is kept until the next is
    /// whole.
    private static final long ADAPTERS_PER_STATE = 4 * 2;

    private DiskNeed() {}

    /// Of a copy of what was dropped. Pictures are as large in a zip as they are outside.
    ///
    /// @param entries no more files are looked at than a bundle may hold
    static long ofBundle(Path source, int entries) {
        long[] sum = new long[2];
        try {
            Files.walkFileTree(source, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    sum[0] += attributes.size();
                    sum[1]++;
                    return sum[1] < entries ? FileVisitResult.CONTINUE : FileVisitResult.TERMINATE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException gone) {
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            // Taking it will tell.
            return sum[0];
        }
        return sum[0];
    }

    /// Of the training: checkpoints, the state to resume from, samples. 0 if the model does not say how large it is.
    static long ofRun(Inspection inspection) {
        Recipe recipe = inspection.resolved().recipe();
        long adapter = blockWidths(inspection.model()) * WIDTHS_PER_BLOCK * recipe.network().rank() * Float.BYTES;
        long steps = recipe.train().steps();
        long checkpoints = Math.min(recipe.save().keep(), steps / recipe.save().everySteps() + 1);
        long samplings = recipe.sample().everySteps() == 0 ? 0 : steps / recipe.sample().everySteps() + 2;
        long pixels = 0;
        for (SamplePrompt prompt : recipe.sample().prompts()) pixels += (long) prompt.width() * prompt.height();
        ProbeRecipe probe = recipe.probe();
        long probed = probe == null ? 0
                : (long) probe.shots().size() * probe.prompt().width() * probe.prompt().height();
        return adapter * (checkpoints + 1 + ADAPTERS_PER_STATE) + (samplings * pixels + probed) * 3;
    }

    /// The width of a transformer block times the number of blocks.
    private static long blockWidths(Path model) {
        Path config = model.resolve("transformer/config.json");
        if (!Files.isRegularFile(config)) return 0;
        try {
            JsonNode sizes = JSON.readTree(config.toFile());
            return sizes.path("num_layers").asLong() * sizes.path("num_attention_heads").asLong()
                    * sizes.path("attention_head_dim").asLong();
        } catch (IOException notSaid) {
            return 0;
        }
    }
}
