package nocturne.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import nocturne.problem.Problem;
import nocturne.problem.SickMachine;
import nocturne.problem.UserMistake;
import org.jspecify.annotations.Nullable;

/// The tensors of several safetensors files as one: the shards of a model folder.
///
/// Every shard that an index promises is there, and holds what the index says it holds; without an index, no tensor
/// is in two files and no file of a numbered set is missing.
public final class SafetensorsFolder implements TensorSource {
    private static final String INDEX = ".safetensors.index.json";
    private static final String SHARD = ".safetensors";
    private static final Pattern NUMBERED = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.safetensors");
    private static final long MAX_INDEX_BYTES = 100_000_000;
    private static final int MAX_PROBLEMS = 20;
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    private final Path folder;
    private final List<Safetensors> shards;
    private final SequencedMap<String, Safetensors> owners;
    private final SequencedMap<String, TensorEntry> tensors;
    private final Map<String, String> metadata;

    private SafetensorsFolder(Path folder, List<Safetensors> shards, SequencedMap<String, Safetensors> owners) {
        this.folder = folder;
        this.shards = List.copyOf(shards);
        this.owners = owners;
        SequencedMap<String, TensorEntry> entries = new LinkedHashMap<>();
        owners.forEach((name, shard) -> entries.put(name, shard.entry(name)));
        tensors = Collections.unmodifiableSequencedMap(entries);
        Map<String, String> strings = new LinkedHashMap<>();
        for (Safetensors shard : shards) shard.metadata().forEach(strings::putIfAbsent);
        metadata = Collections.unmodifiableMap(strings);
    }

    /// Opens one safetensors file, an index file, or a folder that holds either.
    ///
    /// @throws UserMistake `FILE_NOT_FOUND`, `SAFETENSORS_INVALID` or `SHARDS_INVALID`, with every problem of the set
    public static TensorSource open(Path path) {
        if (path.toString().endsWith(INDEX)) return openIndexed(parent(path), path);
        if (!Files.isDirectory(path)) return Safetensors.open(path);
        List<Path> indexes = list(path, INDEX);
        if (indexes.size() > 1) {
            throw invalid(path, "holds %d index files (%s); keep the one to be used".formatted(
                    indexes.size(), String.join(", ", indexes.stream().map(SafetensorsFolder::name).toList())));
        }
        if (indexes.size() == 1) return openIndexed(path, indexes.getFirst());
        List<Path> files = list(path, SHARD);
        if (files.isEmpty()) throw new UserMistake("FILE_NOT_FOUND", path.toString(), "holds no *.safetensors file");
        checkNumbering(path, files);
        return files.size() == 1 ? Safetensors.open(files.getFirst()) : join(path, files, null);
    }

    private static TensorSource openIndexed(Path folder, Path index) {
        SequencedMap<String, String> shardOf = readIndex(index);
        List<Problem> problems = new ArrayList<>();
        TreeMap<String, Path> files = new TreeMap<>();
        for (String shard : shardOf.values()) {
            // The name comes from a file: it may choose among its neighbours and reach nowhere else.
            if (shard.contains("/") || shard.contains("\\") || !shard.endsWith(SHARD)) {
                throw invalid(index, "names the shard %s, which is not a file name".formatted(
                        SafetensorsHeader.shown(shard)));
            }
            if (files.containsKey(shard)) continue;
            Path file = folder.resolve(shard);
            files.put(shard, file);
            if (!Files.isRegularFile(file)) {
                problems.add(new Problem("SHARDS_INVALID", index.toString(),
                        "names the shard %s, which is not there; fetch it again".formatted(shard)));
            }
        }
        throwIfAny(index, problems);
        return join(folder, List.copyOf(files.values()), shardOf);
    }

    private static SequencedMap<String, String> readIndex(Path index) {
        JsonNode map;
        try {
            if (!Files.isRegularFile(index)) {
                throw new UserMistake("FILE_NOT_FOUND", index.toString(), "does not exist");
            }
            if (Files.size(index) > MAX_INDEX_BYTES) throw invalid(index, "is too large for an index");
            map = JSON.readTree(Files.readAllBytes(index)).path("weight_map");
        } catch (JsonProcessingException e) {
            throw invalid(index, "is not well-formed JSON: " + SafetensorsHeader.shown(e.getOriginalMessage()));
        } catch (IOException e) {
            throw new SickMachine("FILE_UNREADABLE", "reading " + index + " failed: " + e.getMessage(), e);
        }
        if (!map.isObject() || map.isEmpty()) throw invalid(index, "has no weight_map that says where tensors are");
        SequencedMap<String, String> shardOf = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            if (!entry.getValue().isTextual()) {
                throw invalid(index, "weight_map %s is not a file name".formatted(
                        SafetensorsHeader.shown(entry.getKey())));
            }
            shardOf.put(entry.getKey(), entry.getValue().textValue());
        }
        return shardOf;
    }

    /// @param shardOf where an index says each tensor is; null takes everything the files hold
    private static TensorSource join(Path folder, List<Path> files, @Nullable SequencedMap<String, String> shardOf) {
        List<Safetensors> shards = new ArrayList<>();
        boolean joined = false;
        try {
            Map<String, Safetensors> byName = new LinkedHashMap<>();
            for (Path file : files) {
                Safetensors shard = Safetensors.open(file);
                shards.add(shard);
                byName.put(name(file), shard);
            }
            SequencedMap<String, Safetensors> owners =
                    shardOf == null ? everything(folder, byName) : indexed(folder, byName, shardOf);
            SafetensorsFolder result = new SafetensorsFolder(folder, shards, owners);
            joined = true;
            return result;
        } finally {
            if (!joined) shards.forEach(Safetensors::close);
        }
    }

    private static SequencedMap<String, Safetensors> indexed(
            Path folder, Map<String, Safetensors> shards, SequencedMap<String, String> shardOf) {
        List<Problem> problems = new ArrayList<>();
        SequencedMap<String, Safetensors> owners = new LinkedHashMap<>();
        shardOf.forEach((tensor, file) -> {
            Safetensors shard = shards.get(file);
            if (shard != null && shard.has(tensor)) {
                owners.put(tensor, shard);
            } else {
                problems.add(new Problem("SHARDS_INVALID", folder.resolve(file).toString(),
                        "lacks tensor %s, which the index promises".formatted(SafetensorsHeader.shown(tensor))));
            }
        });
        throwIfAny(folder, problems);
        return owners;
    }

    private static SequencedMap<String, Safetensors> everything(Path folder, Map<String, Safetensors> shards) {
        List<Problem> problems = new ArrayList<>();
        SequencedMap<String, Safetensors> owners = new LinkedHashMap<>();
        shards.forEach((file, shard) -> {
            for (String tensor : shard.tensors().keySet()) {
                Safetensors other = owners.putIfAbsent(tensor, shard);
                if (other == null) continue;
                problems.add(new Problem("SHARDS_INVALID", folder.resolve(file).toString(),
                        "holds tensor %s, which is also in %s; keep one set of files".formatted(
                                SafetensorsHeader.shown(tensor), name(Path.of(other.where())))));
            }
        });
        throwIfAny(folder, problems);
        return owners;
    }

    private static void checkNumbering(Path folder, List<Path> files) {
        List<Problem> problems = new ArrayList<>();
        List<String> names = files.stream().map(SafetensorsFolder::name).toList();
        for (String name : names) {
            Matcher numbered = NUMBERED.matcher(name);
            if (!numbered.matches()) continue;
            int count = Integer.parseInt(numbered.group(3));
            for (int number = 1; number <= count && problems.size() < MAX_PROBLEMS; number++) {
                String shard = "%s-%05d-of-%05d.safetensors".formatted(numbered.group(1), number, count);
                Problem missing = new Problem("SHARDS_INVALID", folder.toString(),
                        "lacks %s; fetch it again".formatted(shard));
                if (!names.contains(shard) && !problems.contains(missing)) problems.add(missing);
            }
        }
        throwIfAny(folder, problems);
    }

    private static List<Path> list(Path folder, String ending) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> name(file).endsWith(ending) && Files.isRegularFile(file)).sorted().toList();
        } catch (IOException e) {
            throw new UserMistake("FILE_UNREADABLE", folder.toString(), "cannot be listed: " + e.getMessage());
        }
    }

    private static String name(Path file) {
        Path name = file.getFileName();
        return name == null ? "" : name.toString();
    }

    private static Path parent(Path file) {
        Path parent = file.getParent();
        return parent == null ? Path.of("") : parent;
    }

    private static UserMistake invalid(Path where, String what) {
        return new UserMistake("SHARDS_INVALID", where.toString(), what);
    }

    private static void throwIfAny(Path where, List<Problem> problems) {
        if (problems.isEmpty()) return;
        if (problems.size() == 1) {
            Problem only = problems.getFirst();
            throw new UserMistake(only.code(), only.where(), only.what());
        }
        throw new UserMistake("%s is not a complete set of shards; %d problems.".formatted(where, problems.size()),
                problems.subList(0, Math.min(MAX_PROBLEMS, problems.size())));
    }

    @Override
    public String where() {
        return folder.toString();
    }

    @Override
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public SequencedMap<String, TensorEntry> tensors() {
        return tensors;
    }

    @Override
    public MemorySegment bytes(String name) {
        Safetensors owner = owners.get(entry(name).name());
        if (owner == null) throw new IllegalStateException("an entry without a shard: " + name);
        return owner.bytes(name);
    }

    @Override
    public void close() {
        shards.forEach(Safetensors::close);
    }
}
