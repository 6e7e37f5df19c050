package nocturne.train;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import nocturne.dataset.CacheFolder;
import nocturne.dataset.CacheKey;
import nocturne.dataset.CachedTensor;
import nocturne.image.Picture;
import nocturne.io.DType;
import nocturne.quant.WeightType;
import nocturne.qwen.EncoderLoading;
import nocturne.qwen.Latents;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.PromptEmbedding;
import nocturne.qwen.PromptEncoder;
import nocturne.qwen.PromptTemplate;
import nocturne.qwen.Vae;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// The frozen encoders, behind a cache on disk: each is loaded when something is missing from the cache and not before.
///
/// Latents are the autoencoder's mode, not a draw from its posterior: the same picture then has the same latents in
/// every run, controls are what the inference pipelines condition on, and the posterior's spread is tiny.
final class Encoders implements AutoCloseable {
    /// Decoded control pictures that may wait for the text encoder: 100 MB, a quarter of the heap we start with.
    private static final long PIXELS_AT_ONCE = 1L << 25;

    private final ModelFolder model;
    private final Backend backend;
    private final CacheFolder cache;
    private final EncoderLoading textLoading;
    private final String vaeIdentity;
    private final String textIdentity;
    private final Map<PromptTemplate, PromptEncoder> promptEncoders = new EnumMap<>(PromptTemplate.class);
    private final TensorArena vaeWeights;
    private long vaeBytes;
    private @Nullable Vae vae;
    private @Nullable String processorIdentity;

    /// A prompt to encode.
    ///
    /// @param controlHashes identify the control pictures, in order
    /// @param controls      loads them; called only where the cache has no answer
    record Prompt(PromptTemplate template, String text, List<String> controlHashes, Supplier<List<Picture>> controls) {
        static Prompt ofWords(String text) {
            return new Prompt(PromptTemplate.TEXT_TO_IMAGE, text, List.of(), List::of);
        }
    }

    /// With all weights as they are in the files.
    Encoders(ModelFolder model, Backend backend, CacheFolder cache) {
        this(model, backend, cache, EncoderLoading.PLAIN);
    }

    /// @param textLoading of the text encoder and the vision tower
    Encoders(ModelFolder model, Backend backend, CacheFolder cache, EncoderLoading textLoading) {
        this.model = model;
        this.backend = backend;
        this.cache = cache;
        this.textLoading = textLoading;
        vaeWeights = backend.newArena();
        // What was encoded in other numbers differs, and a run must not depend on who filled the cache.
        String numbers = vaeWeights.type() == DType.F32 ? "" : " in " + vaeWeights.type();
        vaeIdentity = model.identity("vae") + numbers;
        WeightType format = textLoading.format();
        textIdentity = model.identity("text_encoder", "tokenizer") + numbers
                + (format == null ? "" : " in " + format.spelling());
    }

    /// Has the autoencoder's weights take no more than they need.
    ///
    /// @param bytes that they take
    void expectAutoencoder(long bytes) {
        vaeBytes = bytes;
    }

    /// The autoencoder, loaded at first use.
    Vae vae() {
        Vae loaded = vae;
        if (loaded == null) {
            vaeWeights.reserve(vaeBytes);
            loaded = model.loadVae(backend, vaeWeights);
            vae = loaded;
        }
        return loaded;
    }

    /// A picture's normalised latents, packed.
    ///
    /// @param pixelsHash identifies the pixels
    /// @param picture    loads them, sides multiples of 16; called only where the cache has no answer
    /// @return `[tokens, 64]`
    float[] latents(String pixelsHash, Supplier<Picture> picture) {
        Map<String, CachedTensor> entry = cache.get(CacheKey.of("latents", pixelsHash, vaeIdentity), () -> {
            Picture pixels = picture.get();
            int scale = vae().config().scale();
            int channels = vae().config().latentDim();
            int height = pixels.height() / scale;
            int width = pixels.width() / scale;
            float[] packed = Latents.pack(vae().encode(pixels).mode(), channels, height, width);
            long tokens = (long) (height / 2) * (width / 2);
            return Map.of("packed", new CachedTensor(List.of(tokens, packed.length / tokens), packed));
        });
        return tensor(entry, "packed").values();
    }

    /// The transformer's text input for each prompt. The missing ones are encoded together, which is much cheaper.
    List<PromptEmbedding> prompts(List<Prompt> prompts) {
        Map<CacheKey, Prompt> missing = new LinkedHashMap<>();
        for (Prompt prompt : prompts) if (!cache.contains(key(prompt))) missing.putIfAbsent(key(prompt), prompt);
        for (PromptTemplate template : PromptTemplate.values()) {
            encodeInto(template, missing.values().stream().filter(prompt -> prompt.template == template).toList());
        }
        List<PromptEmbedding> all = new ArrayList<>();
        for (Prompt prompt : prompts) all.add(embedding(prompt, null));
        return all;
    }

    /// Encodes prompts of one template into the cache, as many at once as their control pictures leave room for.
    private void encodeInto(PromptTemplate template, List<Prompt> prompts) {
        int from = 0;
        while (from < prompts.size()) {
            List<PromptEncoder.Prompt> loaded = new ArrayList<>();
            long pixels = 0;
            for (int i = from; i < prompts.size() && pixels < PIXELS_AT_ONCE; i++) {
                List<Picture> controls = prompts.get(i).controls.get();
                for (Picture control : controls) pixels += (long) control.width() * control.height();
                loaded.add(new PromptEncoder.Prompt(prompts.get(i).text, controls));
            }
            List<PromptEmbedding> encoded = encoder(template).encode(loaded);
            for (int i = 0; i < encoded.size(); i++) embedding(prompts.get(from + i), encoded.get(i));
            from += encoded.size();
        }
    }

    private PromptEmbedding embedding(Prompt prompt, @Nullable PromptEmbedding fresh) {
        Map<String, CachedTensor> entry = cache.get(key(prompt), () -> {
            // Nothing fresh: a damaged cache file is noticed only now, after the missing ones were encoded.
            PromptEmbedding embedding = fresh != null
                    ? fresh
                    : encoder(prompt.template).encode(new PromptEncoder.Prompt(prompt.text, prompt.controls.get()));
            List<Long> shape = List.of((long) embedding.tokens(), (long) embedding.width());
            return Map.of("rows", new CachedTensor(shape, embedding.rows()));
        });
        CachedTensor rows = tensor(entry, "rows");
        return new PromptEmbedding(rows.shape().get(0).intValue(), rows.shape().get(1).intValue(), rows.values());
    }

    private CacheKey key(Prompt prompt) {
        List<String> determinants = new ArrayList<>(List.of(prompt.template.name(), prompt.text, textIdentity));
        determinants.addAll(prompt.controlHashes);
        if (!prompt.controlHashes.isEmpty()) determinants.add(processorIdentity());
        return CacheKey.of("prompts", determinants.toArray(String[]::new));
    }

    /// Of the part that only prompts with control pictures need; read from its files once, not for each prompt.
    private String processorIdentity() {
        String identity = processorIdentity;
        if (identity == null) {
            identity = model.identity("processor");
            processorIdentity = identity;
        }
        return identity;
    }

    private PromptEncoder encoder(PromptTemplate template) {
        return promptEncoders.computeIfAbsent(template, t -> PromptEncoder.open(model.root(), t, textLoading, backend));
    }

    private static CachedTensor tensor(Map<String, CachedTensor> entry, String name) {
        CachedTensor tensor = entry.get(name);
        if (tensor == null) throw new IllegalStateException("cache entry without " + name + ": " + entry.keySet());
        return tensor;
    }

    /// Gives the text encoders' memory back: they are not needed while training.
    void releasePromptEncoders() {
        promptEncoders.values().forEach(PromptEncoder::close);
        promptEncoders.clear();
    }

    /// Gives the autoencoder's memory back until it is used again.
    void releaseAutoencoder() {
        vae = null;
        vaeWeights.close();
    }

    /// What the cache had and what it lacked so far.
    CacheFolder.Statistics statistics() {
        return cache.statistics();
    }

    @Override
    public void close() {
        releasePromptEncoders();
        vaeWeights.close();
    }
}
