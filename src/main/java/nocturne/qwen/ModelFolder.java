package nocturne.qwen;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import nocturne.io.ContentHash;
import nocturne.io.SafetensorsFolder;
import nocturne.io.TensorSource;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.quant.LayerFormats;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;

/// A Qwen-Image pipeline on disk, in the layout in which the models are released: a folder for each part.
///
/// @param root holds `transformer/`, `vae/`, `text_encoder/`, `tokenizer/`, `scheduler/`, and for Edit models
///     `processor/`
public record ModelFolder(Path root) implements ModelSizes {
    private static final List<String> PARTS = List.of("transformer", "vae", "text_encoder", "tokenizer", "scheduler");
    private static final int SAMPLED_BLOCKS = 64;
    private static final int BLOCK_BYTES = 1 << 16;

    /// @throws UserMistake `MODEL_INVALID` naming every part that is missing
    public static ModelFolder open(Path root) {
        if (!Files.isDirectory(root)) {
            throw new UserMistake("MODEL_INVALID", root.toString(),
                    "is not a folder; a model is a folder with " + String.join("/, ", PARTS) + "/");
        }
        List<Problem> problems = new ArrayList<>();
        for (String part : PARTS) {
            if (Files.isDirectory(root.resolve(part))) continue;
            problems.add(new Problem("MODEL_INVALID", root.resolve(part).toString(),
                    "is missing; copy the whole folder " + part + "/ of the model here"));
        }
        if (!problems.isEmpty()) {
            throw new UserMistake("%s is not a complete Qwen-Image model: %d part%s missing.".formatted(
                    root, problems.size(), problems.size() == 1 ? " is" : "s are"), problems);
        }
        return new ModelFolder(root);
    }

    public Path part(String name) {
        return root.resolve(name);
    }

    /// The transformer's sizes: from `config.json`, or, where a file from elsewhere was put into the folder without
    /// one, from the shapes of its tensors.
    ///
    /// @throws UserMistake `MODEL_INVALID` if neither tells them
    @Override
    public TransformerConfig transformerConfig() {
        Path file = part("transformer").resolve("config.json");
        if (Files.exists(file)) return TransformerConfig.read(file);
        try (TensorSource source = SafetensorsFolder.open(part("transformer"))) {
            return TransformerShapes.config(source);
        }
    }

    @Override
    public VaeConfig vaeConfig() {
        return VaeConfig.read(part("vae").resolve("config.json"));
    }

    @Override
    public TextEncoderConfig textEncoderConfig() {
        return TextEncoderConfig.read(part("text_encoder").resolve("config.json"));
    }

    @Override
    public VisionTowerConfig visionConfig() {
        return VisionTowerConfig.read(part("text_encoder").resolve("config.json"));
    }

    /// The layers of the transformer that lie in its files as codes which can be kept as they are.
    ///
    /// @throws UserMistake `MODEL_INVALID` if they are weights of fewer bits in a form that is not read
    public LayerFormats storedFormats() {
        try (TensorSource source = SafetensorsFolder.open(part("transformer"))) {
            return TransformerShapes.unwrapped(source).formats();
        }
    }

    /// The transformer with its frozen weights in an arena. Its files may be shards with or without an index, or one
    /// file of any name, as it comes or wrapped for another program; see [QwenImageTransformer#load].
    ///
    /// @throws UserMistake if a file is missing or broken, or the tensors do not fit the config
    public QwenImageTransformer loadTransformer(Backend backend, TensorArena weights) {
        return loadTransformer(Loading.PLAIN, backend, weights);
    }

    /// The same with some layers in a smaller format.
    public QwenImageTransformer loadTransformer(Loading loading, Backend backend, TensorArena weights) {
        TransformerConfig config = transformerConfig();
        try (TensorSource source = SafetensorsFolder.open(part("transformer"))) {
            return QwenImageTransformer.load(config, source, loading, backend, weights);
        }
    }

    public Vae loadVae(Backend backend, TensorArena weights) {
        return Vae.load(part("vae"), backend, weights);
    }

    public FlowMatchConfig schedule() {
        return FlowMatchConfig.read(part("scheduler").resolve("scheduler_config.json"));
    }

    /// A hash of what the named parts compute with: file names, sizes, small files whole, and of large ones a fixed
    /// choice of blocks, because reading 60 GB to start a job would take longer than the first steps.
    ///
    /// @throws UserMistake `MODEL_INVALID` if a part is missing
    public String identity(String... parts) {
        ContentHash hash = new ContentHash();
        for (String part : parts) {
            if (!Files.isDirectory(part(part))) {
                throw new UserMistake("MODEL_INVALID", part(part).toString(),
                        "is missing; copy the whole folder " + part + "/ of the model here");
            }
            try (Stream<Path> files = Files.walk(part(part)).filter(Files::isRegularFile).sorted()) {
                for (Path file : files.toList()) {
                    hash.add(part(part).relativize(file).toString().replace('\\', '/')).add(Files.size(file));
                    addSampled(hash, file);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("reading " + part(part), e);
            }
        }
        return hash.hex();
    }

    private static void addSampled(ContentHash hash, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            long stride = Math.max(BLOCK_BYTES, size / SAMPLED_BLOCKS);
            for (long at = 0; at < size; at += stride) {
                ByteBuffer block = ByteBuffer.allocate((int) Math.min(BLOCK_BYTES, size - at));
                while (block.hasRemaining() && channel.read(block, at + block.position()) >= 0) {
                    // Read on until the block is full or the file ends.
                }
                hash.add(block.array());
            }
        }
    }
}
