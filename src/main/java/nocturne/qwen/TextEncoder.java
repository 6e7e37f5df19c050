package nocturne.qwen;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import nocturne.io.SafetensorsFolder;
import nocturne.io.TensorSource;
import nocturne.problem.UserMistake;
import nocturne.quant.Float8Tensors;
import nocturne.quant.QuantizedLayers;
import nocturne.qwen.VisionPatches.PatchGrid;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;

/// The language model of Qwen2.5-VL, used for what it thinks of a prompt: the features of every token after the last
/// layer and the final norm. It is never trained.
///
/// Its files stay mapped and its layers are brought to the device one at a time, all prompts going through each: the
/// released model would take 28 GB in float32, one layer takes 0.9. So encode many prompts in one call. A prompt's
/// result is the same bits whatever stands beside it, because prompts are never padded nor computed together.
///
/// Source: transformers' `Qwen2_5_VLTextModel`. Owns its files and its arena until closed. Not thread-safe.
public final class TextEncoder implements AutoCloseable {
    // In memory, newer libraries call the model `model.language_model`; files are found with either name.
    private static final List<String> PREFIXES = List.of("model.language_model.", "language_model.model.", "model.");
    private static final String RELEASED_PREFIX = "model.";

    private final TextEncoderConfig config;
    private final TensorSource source;
    private final QuantizedLayers layers;
    private final Backend backend;
    private final TensorArena arena;
    private final String prefix;

    /// A prompt on its way into the model.
    ///
    /// @param ids         token ids, unpadded
    /// @param pictureRows `[picture tokens, width]` from the vision tower, which take the place of the image tokens'
    ///                    own rows in order; empty where there are no pictures
    /// @param positions   one triple a token
    record Input(int[] ids, float[] pictureRows, TokenPositions positions) {
        static Input ofWords(int[] ids) {
            return new Input(ids, new float[0], TokenPositions.flat(ids.length));
        }

        static Input withPictures(int[] ids, float[] pictureRows, List<PatchGrid> grids, int mergeSize,
                int imageToken) {
            return new Input(ids, pictureRows, TokenPositions.of(ids, imageToken, grids, mergeSize));
        }
    }

    /// Sees what the layers are given, for tests.
    interface Observer {
        /// @param layer  `0 .. layers`; number `layers` is what the final norm is given
        /// @param hidden `[S, width]`
        void before(int layer, int input, Tensor hidden);
    }

    /// Opens `config.json` and the safetensors of a pipeline's `text_encoder/` folder.
    ///
    /// @param backend where it computes; not closed with the encoder
    /// @throws UserMistake everything that is missing or does not fit, by file and tensor
    public static TextEncoder open(Path folder, EncoderLoading loading, Backend backend) {
        TextEncoderConfig config = TextEncoderConfig.read(folder.resolve("config.json"));
        return new TextEncoder(config, SafetensorsFolder.open(folder), loading, backend);
    }

    /// @param files closed with the encoder, or at once if they do not fit
    TextEncoder(TextEncoderConfig config, TensorSource files, EncoderLoading loading, Backend backend) {
        this.config = config;
        Float8Tensors numbers = Float8Tensors.ofOwned(files);
        source = numbers;
        this.backend = backend;
        prefix = prefix(source, PREFIXES, "layers.", RELEASED_PREFIX);
        try {
            Weights check = Weights.checking(source);
            check.tensor(prefix + "embed_tokens.weight", config.vocabulary(), config.width());
            for (int i = 0; i < config.layers(); i++) TextEncoderLayer.load(check, layerPrefix(i), config);
            check.tensor(prefix + "norm.weight", config.width());
            check.requireComplete("text encoder");
            layers = loading.layers(numbers, IntStream.range(0, config.layers()).mapToObj(this::modules).toList());
        } catch (UserMistake unfit) {
            source.close();
            throw unfit;
        }
        arena = backend.newArena();
    }

    private TextEncoder(TextEncoderConfig config, Backend backend) {
        this.config = config;
        this.backend = backend;
        source = new NoTensors();
        layers = EncoderLoading.PLAIN.layers(Float8Tensors.ofOwned(source), List.of());
        prefix = RELEASED_PREFIX;
        arena = backend.newArena();
    }

    /// Without numbers; see [NoTensors].
    static TextEncoder empty(TextEncoderConfig config, Backend backend) {
        return new TextEncoder(config, backend);
    }

    /// The first of `prefixes` under which a tensor `<prefix><part>...` lies, or `otherwise` where none does.
    static String prefix(TensorSource source, List<String> prefixes, String part, String otherwise) {
        return prefixes.stream()
                .filter(prefix -> source.tensors().keySet().stream().anyMatch(name -> name.startsWith(prefix + part)))
                .findFirst().orElse(otherwise);
    }

    public TextEncoderConfig config() {
        return config;
    }

    /// The features of every token of each input, `[S, width]` row-major.
    List<float[]> encode(List<Input> inputs) {
        return encode(inputs, (layer, input, hidden) -> {});
    }

    List<float[]> encode(List<Input> inputs, Observer observer) {
        try (TensorArena.Scope all = arena.scope()) {
            Tape tape = Tape.inference(backend, arena);
            List<Tensor> hidden = new ArrayList<>();
            List<HalfRotation> rotations = new ArrayList<>();
            for (Input input : inputs) {
                hidden.add(backend.tensor(arena, embed(input), input.ids.length, config.width()));
                rotations.add(HalfRotation.of(tape,
                        input.positions.angles(config.ropeTheta(), config.ropeSections()), config.headDim() / 2));
            }
            for (int i = 0; i < config.layers(); i++) {
                try (TensorArena.Scope one = arena.scope(); QuantizedLayers.Part kept = layers.part(modules(i))) {
                    Weights weights = Weights.of(source, kept, backend, arena);
                    TextEncoderLayer layer = TextEncoderLayer.load(weights, layerPrefix(i), config);
                    for (int n = 0; n < hidden.size(); n++) {
                        observer.before(i, n, hidden.get(n));
                        try (TensorArena.Scope prompt = arena.scope()) {
                            layer.apply(tape, hidden.get(n), rotations.get(n));
                        }
                    }
                }
            }
            Tensor weight = Weights.of(source, backend, arena).tensor(prefix + "norm.weight", config.width());
            List<float[]> results = new ArrayList<>();
            for (int n = 0; n < hidden.size(); n++) {
                observer.before(config.layers(), n, hidden.get(n));
                try (TensorArena.Scope one = arena.scope()) {
                    Tensor normed = arena.allocate(hidden.get(n).shape());
                    backend.norms().rmsNorm(hidden.get(n), weight, config.rmsEps(), normed);
                    results.add(backend.toArray(normed));
                }
            }
            return results;
        }
    }

    /// The rows of the embedding table for the tokens, the vision tower's rows for pieces of pictures.
    private float[] embed(Input input) {
        int width = config.width();
        boolean pictures = input.pictureRows.length > 0;
        long pieces = Arrays.stream(input.ids).filter(id -> id == config.imageToken()).count();
        if (pictures && pieces * width != input.pictureRows.length) {
            throw new IllegalArgumentException("%d numbers for %d picture tokens of width %d"
                    .formatted(input.pictureRows.length, pieces, width));
        }
        float[] rows = new float[Math.multiplyExact(input.ids.length, width)];
        int pictureAt = 0;
        for (int i = 0; i < input.ids.length; i++) {
            int id = input.ids[i];
            if (id < 0 || id >= config.vocabulary()) throw new IllegalArgumentException("no token has the id " + id);
            if (pictures && id == config.imageToken()) {
                System.arraycopy(input.pictureRows, pictureAt, rows, i * width, width);
                pictureAt += width;
            } else {
                source.widen(prefix + "embed_tokens.weight", (long) id * width, width,
                        MemorySegment.ofArray(rows), 4L * i * width);
            }
        }
        return rows;
    }

    private String layerPrefix(int index) {
        return prefix + "layers." + index + ".";
    }

    private List<String> modules(int index) {
        return EncoderLoading.modules(source, layerPrefix(index));
    }

    @Override
    public void close() {
        arena.close();
        source.close();
    }
}
