package nocturne.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// What belongs to a Qwen-Image pipeline in the layout in which the models are released, and what of it is missing
/// from a folder. Only names and sizes are looked at, so it takes no time; what is in the files a training tells.
public final class Pipeline {
    /// Every pipeline has these folders; Edit models have `processor/` too.
    public static final List<String> PARTS = List.of("transformer", "vae", "text_encoder", "tokenizer", "scheduler");
    static final List<String> WITH_WEIGHTS = List.of("transformer", "vae", "text_encoder");
    static final String INDEX = ".safetensors.index.json";
    static final String WEIGHTS = ".safetensors";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long MOST_INDEX_BYTES = 100_000_000;

    private Pipeline() {}

    /// What a folder that came by a hub's programs lacks, in words such as `transformer/` or `vae/*.safetensors`.
    ///
    /// @throws IOException if it cannot be read
    public static Set<String> missing(Path model) throws IOException {
        Set<String> missing = new TreeSet<>();
        for (String part : PARTS) {
            if (!Files.isDirectory(model.resolve(part))) missing.add(part + "/");
        }
        for (String part : WITH_WEIGHTS) {
            if (!missing.contains(part + "/") && weights(model.resolve(part)).isEmpty()) {
                missing.add(part + "/*" + WEIGHTS);
            }
        }
        missing.addAll(missingShards(model));
        return missing;
    }

    /// The files that the model's indexes name, or were to be fetched by [Pull], and that are not there, or are empty:
    /// `transformer/x.safetensors`.
    ///
    /// @throws IOException if an index cannot be read, or is no JSON
    public static Set<String> missingShards(Path model) throws IOException {
        Set<String> missing = new TreeSet<>();
        Optional<PullRecord> record = PullRecord.in(model);
        if (record.isPresent()) missing.addAll(record.get().missing(model));
        for (String part : WITH_WEIGHTS) {
            if (!Files.isDirectory(model.resolve(part))) continue;
            for (Path file : weights(model.resolve(part))) {
                if (!file.toString().endsWith(INDEX)) continue;
                for (String shard : shards(file)) {
                    if (!isThere(file, shard)) missing.add(part + "/" + shard);
                }
            }
        }
        return missing;
    }

    private static List<Path> weights(Path part) throws IOException {
        try (Stream<Path> files = Files.list(part)) {
            return files.filter(file -> file.toString().endsWith(WEIGHTS) || file.toString().endsWith(INDEX))
                    .filter(Files::isRegularFile).toList();
        }
    }

    private static Set<String> shards(Path index) throws IOException {
        if (Files.size(index) > MOST_INDEX_BYTES) throw new IOException(index + " is too large for an index");
        Set<String> shards = new TreeSet<>();
        for (JsonNode shard : JSON.readTree(index.toFile()).path("weight_map")) shards.add(shard.asText());
        return shards;
    }

    /// An index may name its neighbours and nothing else.
    private static boolean isThere(Path index, String shard) throws IOException {
        if (shard.isBlank() || shard.contains("/") || shard.contains("\\") || shard.indexOf('\0') >= 0) return false;
        Path file = index.resolveSibling(shard);
        return Files.isRegularFile(file) && Files.size(file) > 0;
    }
}
