package nocturne.desk.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;

/// The two bundles of the demonstration: the example as it is, and its pictures with another recipe.
///
/// @param first  the example's folder
/// @param second a folder of ours
record Bundles(Path first, Path second) {
    static final String FIRST = "ohwx";
    static final String SECOND = "ohwx-night";
    static final int SECOND_STEPS = 200;
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final long ANOTHER_SEED = 7;

    /// @param home   holds `examples/`
    /// @param folder for what has to be made
    static Bundles in(Path home, Path folder) {
        Path example = home.resolve("examples").resolve(FIRST);
        if (!Files.isDirectory(example)) {
            throw new UserMistake("EXAMPLE_MISSING", example.toString(),
                    "is not there; the demonstration trains on what comes with Nocturne. Put it back.");
        }
        try {
            // Copied, because the service is allowed to read in our folder only.
            Path first = copy(example, folder.resolve(FIRST));
            Path second = copy(example, folder.resolve(SECOND));
            change(second.resolve("recipe.yaml"));
            return new Bundles(first, second);
        } catch (IOException e) {
            throw new SickMachine("WRITE_FAILED", "preparing the bundles in %s failed: %s".formatted(folder,
                    e.getMessage()), e);
        }
    }

    static String contentHash(Path bundle) {
        return Bundle.open(bundle, bundle, BundleLimits.STANDARD).contentHash();
    }

    private static Path copy(Path from, Path to) throws IOException {
        Bundle bundle = Bundle.open(from, from, BundleLimits.STANDARD);
        for (String name : bundle.files()) {
            Path target = to.resolve(name);
            Files.createDirectories(target.getParent());
            Files.copy(bundle.root().resolve(name), target);
        }
        return to;
    }

    /// Fewer steps, another seed, another name; and so another job.
    private static void change(Path recipe) throws IOException {
        ObjectNode root = (ObjectNode) YAML.readTree(recipe.toFile());
        root.put("name", SECOND);
        root.put("training_seed", ANOTHER_SEED);
        object(root, "train").put("steps", SECOND_STEPS);
        object(root, "save").put("save_every", SECOND_STEPS / 2);
        object(root, "sample").put("sample_every", SECOND_STEPS / 2);
        Files.writeString(recipe, YAML.writeValueAsString(root));
    }

    private static ObjectNode object(ObjectNode root, String key) {
        JsonNode found = root.get(key);
        return found instanceof ObjectNode object ? object : root.putObject(key);
    }

    List<Path> both() {
        return List.of(first, second);
    }
}
