package nocturne.desk.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import nocturne.desk.Quantity;

/// What lies in the folders for models, and whether it is all there. What is in the files only a training can tell.
final class ModelCheck implements Check {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> PARTS = List.of("transformer", "vae", "text_encoder", "tokenizer", "scheduler");
    private static final String STANDARD = "Qwen-Image-Edit-2509";

    private final List<Path> roots;

    /// @param roots the folders of `nocturne.models.roots`, absolute
    ModelCheck(List<Path> roots) {
        this.roots = roots;
    }

    @Override
    public List<Finding> look() throws IOException {
        List<Finding> findings = new ArrayList<>();
        boolean standard = false;
        for (Path root : roots) {
            if (!Files.isDirectory(root)) continue;
            try (Stream<Path> models = Files.list(root)) {
                for (Path model : models.filter(Files::isDirectory).sorted().toList()) {
                    Path real = model.toRealPath();
                    String name = model.getFileName().toString();
                    findings.add(isBelowARoot(real) ? model(name, real) : elsewhere(name, real));
                    standard |= name.equals(STANDARD);
                }
            }
        }
        if (findings.stream().noneMatch(finding -> finding.level() == Finding.Level.OK)) {
            findings.add(Finding.problem("models", "no complete pipeline in " + shown(),
                    "Put one there, as it is released: a folder with " + String.join("/, ", PARTS) + "/."));
        }
        if (!standard) {
            findings.add(Finding.note("models", STANDARD + " is not there",
                    "Bundles whose recipe names no model are refused until it is: nothing is downloaded."));
        }
        return findings;
    }

    private String shown() {
        return roots.isEmpty() ? "nocturne.models.roots, which is empty"
                : String.join(", ", roots.stream().map(Path::toString).toList());
    }

    private boolean isBelowARoot(Path real) throws IOException {
        for (Path root : roots) {
            if (Files.isDirectory(root) && real.startsWith(root.toRealPath())) return true;
        }
        return false;
    }

    private static Finding elsewhere(String name, Path real) {
        return Finding.note("models", "%s leads to %s, outside of nocturne.models.roots".formatted(name, real),
                "Add %s there; jobs that name this model are refused until then.".formatted(real.getParent()));
    }

    private static Finding model(String name, Path model) throws IOException {
        Set<String> missing = new TreeSet<>();
        for (String part : PARTS) {
            if (!Files.isDirectory(model.resolve(part))) missing.add(part + "/");
        }
        long bytes = 0;
        try (Stream<Path> files = Files.walk(model, 3)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
                if (file.toString().endsWith(".safetensors.index.json")) missing.addAll(missingShards(model, file));
            }
        }
        if (missing.isEmpty()) return Finding.ok("models", name + ", " + Quantity.bytes(bytes));
        return Finding.note("models", "%s is not complete: %s".formatted(name, String.join(", ", missing)),
                "Copy what is missing; jobs that name this model are refused until then.");
    }

    private static Set<String> missingShards(Path model, Path index) throws IOException {
        Set<String> missing = new TreeSet<>();
        for (JsonNode shard : JSON.readTree(index.toFile()).path("weight_map")) {
            Path file = index.resolveSibling(shard.asText()).normalize();
            boolean there = file.startsWith(model.normalize()) && Files.isRegularFile(file) && Files.size(file) > 0;
            if (!there) missing.add(model.relativize(index.resolveSibling(shard.asText())).toString());
        }
        return missing;
    }
}
