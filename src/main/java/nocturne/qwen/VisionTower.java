package nocturne.qwen;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import nocturne.io.SafetensorsFolder;
import nocturne.io.TensorSource;
import nocturne.problem.UserMistake;
import nocturne.quant.Float8Tensors;
import nocturne.quant.QuantizedLayers;
import nocturne.qwen.VisionPatches.PatchGrid;
import nocturne.tensor.Backend;
import nocturne.tensor.Linear;
import nocturne.tensor.Ops;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// The vision tower of Qwen2.5-VL: turns the patches of control pictures into rows that stand among a prompt's words.
/// It is never trained.
///
/// Like the text encoder it brings one block at a time to the device and sends every picture through, each by itself.
///
/// Source: transformers' `Qwen2_5_VisionTransformerPretrainedModel`. Owns its files and its arena until closed. Not
/// thread-safe.
public final class VisionTower implements AutoCloseable {
    private static final List<String> PREFIXES = List.of("model.visual.", "visual.");
    private static final String RELEASED_PREFIX = "visual.";

    private final VisionTowerConfig config;
    private final TensorSource source;
    private final QuantizedLayers layers;
    private final Backend backend;
    private final TensorArena arena;
    private final String prefix;

    /// Sees the stages of each picture, for tests.
    interface Observer {
        /// @param stage `embedded`, `block 0`, ..., all in window order
        void saw(String stage, int picture, Tensor patches);
    }

    /// Joins each 2 x 2 patches into one token of the language model's width.
    private record Merger(Tensor norm, Linear in, Linear out) {
        static Merger load(Weights weights, String prefix, VisionTowerConfig config) {
            int joined = config.width() * config.mergeUnit();
            return new Merger(weights.tensor(prefix + "ln_q.weight", config.width()),
                    weights.linear(prefix + "mlp.0", joined, joined),
                    weights.linear(prefix + "mlp.2", joined, config.outWidth()));
        }

        /// @param h `[patches, width]` in window order
        /// @return `[tokens, outWidth]` in window order
        Tensor apply(Tape tape, Tensor h, int unit) {
            Ops ops = new Ops(tape);
            Tensor joined = VisionBlock.norm(tape, h, norm).reshape(h.rows() / unit, h.columns() * unit);
            Tensor hidden = ops.linear(joined, in);
            tape.backend().elementwise().geluErf(hidden, hidden);
            return ops.linear(hidden, out);
        }
    }

    /// Opens `config.json` and the safetensors of a pipeline's `text_encoder/` folder, where the tower lies.
    ///
    /// @param backend where it computes; not closed with the tower
    /// @throws UserMistake everything that is missing or does not fit, by file and tensor
    public static VisionTower open(Path folder, EncoderLoading loading, Backend backend) {
        VisionTowerConfig config = VisionTowerConfig.read(folder.resolve("config.json"));
        return new VisionTower(config, SafetensorsFolder.open(folder), loading, backend);
    }

    /// @param files closed with the tower, or at once if they do not fit
    VisionTower(VisionTowerConfig config, TensorSource files, EncoderLoading loading, Backend backend) {
        this.config = config;
        Float8Tensors numbers = Float8Tensors.ofOwned(files);
        source = numbers;
        this.backend = backend;
        prefix = TextEncoder.prefix(source, PREFIXES, "blocks.", RELEASED_PREFIX);
        try {
            Weights check = Weights.checking(source);
            patchEmbedding(check);
            for (int i = 0; i < config.layers(); i++) VisionBlock.load(check, blockPrefix(i), config);
            Merger.load(check, mergerPrefix(), config);
            check.requireComplete("vision tower");
            List<List<String>> parts = new ArrayList<>(List.of(modules(mergerPrefix())));
            for (int i = 0; i < config.layers(); i++) parts.add(modules(blockPrefix(i)));
            layers = loading.layers(numbers, parts);
        } catch (UserMistake unfit) {
            source.close();
            throw unfit;
        }
        arena = backend.newArena();
    }

    private VisionTower(VisionTowerConfig config, Backend backend) {
        this.config = config;
        this.backend = backend;
        source = new NoTensors();
        layers = EncoderLoading.PLAIN.layers(Float8Tensors.ofOwned(source), List.of());
        prefix = RELEASED_PREFIX;
        arena = backend.newArena();
    }

    /// Without numbers; see [NoTensors].
    static VisionTower empty(VisionTowerConfig config, Backend backend) {
        return new VisionTower(config, backend);
    }

    public VisionTowerConfig config() {
        return config;
    }

    /// The rows of all pictures, `[tokens, outWidth]`: picture after picture, each row by row of its merge cells.
    public float[] encode(VisionPatches patches) {
        return encode(patches, (stage, picture, tensor) -> {});
    }

    float[] encode(VisionPatches patches, Observer observer) {
        if (patches.patchLength() != config.patchLength()) {
            throw new IllegalArgumentException("patches of %d numbers for a tower that takes %d"
                    .formatted(patches.patchLength(), config.patchLength()));
        }
        try (TensorArena.Scope all = arena.scope()) {
            Tape tape = Tape.inference(backend, arena);
            List<PatchWindows> windows = new ArrayList<>();
            List<HalfRotation> rotations = new ArrayList<>();
            for (PatchGrid grid : patches.grids()) {
                PatchWindows one = PatchWindows.of(grid, config);
                windows.add(one);
                rotations.add(HalfRotation.of(tape, one.angles(config), config.headDim() / 2));
            }
            List<Tensor> hidden = embed(patches, windows);
            for (int n = 0; n < hidden.size(); n++) observer.saw("embedded", n, hidden.get(n));
            for (int i = 0; i < config.layers(); i++) {
                try (TensorArena.Scope one = arena.scope();
                        QuantizedLayers.Part kept = layers.part(modules(blockPrefix(i)))) {
                    VisionBlock block =
                            VisionBlock.load(Weights.of(source, kept, backend, arena), blockPrefix(i), config);
                    for (int n = 0; n < hidden.size(); n++) {
                        int[] wholePicture = {0, hidden.get(n).rows()};
                        int[] bounds = config.fullLayers().contains(i) ? wholePicture : windows.get(n).bounds();
                        try (TensorArena.Scope picture = arena.scope()) {
                            block.apply(tape, hidden.get(n), rotations.get(n), bounds);
                        }
                        observer.saw("block " + i, n, hidden.get(n));
                    }
                }
            }
            return merge(tape, hidden, windows, observer);
        }
    }

    private List<Tensor> embed(VisionPatches patches, List<PatchWindows> windows) {
        List<Tensor> hidden = new ArrayList<>();
        for (PatchWindows window : windows) hidden.add(arena.allocate(window.patches(), config.width()));
        try (TensorArena.Scope scope = arena.scope()) {
            Tensor weight = patchEmbedding(Weights.of(source, backend, arena))
                    .reshape(config.width(), config.patchLength());
            int cellLength = config.mergeUnit() * config.patchLength();
            int from = 0;
            for (int n = 0; n < windows.size(); n++) {
                PatchWindows window = windows.get(n);
                try (TensorArena.Scope picture = arena.scope()) {
                    Tensor pixels = backend.tensor(arena, window.gather(patches.pixelValues(), from, cellLength),
                            window.patches(), config.patchLength());
                    backend.products().linear(pixels, weight, null, hidden.get(n));
                }
                from += window.cells().length * cellLength;
            }
        }
        return hidden;
    }

    private float[] merge(Tape tape, List<Tensor> hidden, List<PatchWindows> windows, Observer observer) {
        Merger merger = merger();
        int tokens = windows.stream().mapToInt(window -> window.cells().length).sum();
        float[] rows = new float[Math.multiplyExact(tokens, config.outWidth())];
        int to = 0;
        for (int n = 0; n < windows.size(); n++) {
            try (TensorArena.Scope picture = arena.scope()) {
                Tensor merged = merger.apply(tape, hidden.get(n), config.mergeUnit());
                observer.saw("merged", n, merged);
                windows.get(n).scatter(backend.toArray(merged), rows, to, config.outWidth());
            }
            to += windows.get(n).cells().length * config.outWidth();
        }
        return rows;
    }

    private Tensor patchEmbedding(Weights weights) {
        return weights.tensor(prefix + "patch_embed.proj.weight",
                config.width(), 3, config.frames(), config.patchSize(), config.patchSize());
    }

    private Merger merger() {
        try (QuantizedLayers.Part kept = layers.part(modules(mergerPrefix()))) {
            return Merger.load(Weights.of(source, kept, backend, arena), mergerPrefix(), config);
        }
    }

    private List<String> modules(String of) {
        return EncoderLoading.modules(source, of);
    }

    private String mergerPrefix() {
        return prefix + "merger.";
    }

    private String blockPrefix(int index) {
        return prefix + "blocks." + index + ".";
    }

    @Override
    public void close() {
        arena.close();
        source.close();
    }
}
