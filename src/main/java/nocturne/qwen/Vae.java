package nocturne.qwen;

import java.nio.file.Path;
import nocturne.image.Picture;
import nocturne.io.SafetensorsFolder;
import nocturne.io.TensorSource;
import nocturne.problem.UserMistake;
import nocturne.qwen.FeatureMap.Extent;
import nocturne.tensor.Backend;
import nocturne.tensor.TensorArena;
import org.jspecify.annotations.Nullable;

/// The autoencoder of Qwen-Image: pictures to latents an eighth of their size, and back.
///
/// Memory at its peak is [#encodeBytes] and [#decodeBytes], three times the widest layer: about `12 * baseDim` bytes a
/// pixel, 1.2 GB for a megapixel at the released width of 96, besides 4 MiB for each thread; half of that on a device
/// that computes in two bytes. It is given back after each call, unless [#workingIn] lends some. A picture
/// that would take more than the limit is worked on in overlapping tiles; then the attention in
/// the middle sees one tile at a time, which changes the result a little, so the limit should be generous.
///
/// Source: diffusers' `AutoencoderKLQwenImage` for pictures of one frame; "Wan", arXiv:2503.20314, section 4.1.
public final class Vae {
    /// Enough for 1.8 megapixels at the released width: every size the model is trained at goes through in one piece.
    private static final long DEFAULT_LIMIT = 2L << 30;

    private final VaeConfig config;
    private final Backend backend;
    private final VaeLayers encoder;
    private final VaeLayers decoder;
    private final long limitBytes;
    /// Where the work is done; null for memory of its own.
    private final @Nullable TensorArena lent;

    private Vae(VaeConfig config, Backend backend, VaeLayers encoder, VaeLayers decoder, long limitBytes,
            @Nullable TensorArena lent) {
        this.config = config;
        this.backend = backend;
        this.encoder = encoder;
        this.decoder = decoder;
        this.limitBytes = limitBytes;
        this.lent = lent;
    }

    /// Reads `config.json` and the safetensors beside it.
    ///
    /// @param folder  a pipeline's `vae` folder
    /// @param weights where the weights stay, in float32
    /// @throws UserMistake `MODEL_INVALID` with everything that is missing or does not fit; also what
    ///     [SafetensorsFolder#open] throws
    public static Vae load(Path folder, Backend backend, TensorArena weights) {
        VaeConfig config = VaeConfig.read(folder.resolve("config.json"));
        try (TensorSource source = SafetensorsFolder.open(folder)) {
            return load(config, source, backend, weights);
        }
    }

    /// @param source  the tensors under their names in released files; not needed any more afterwards
    /// @param weights where the weights stay, in float32
    /// @throws UserMistake `MODEL_INVALID` naming every missing or misshapen tensor
    public static Vae load(VaeConfig config, TensorSource source, Backend backend, TensorArena weights) {
        VaeWeights tensors = new VaeWeights(source, backend, weights);
        VaeLayers encoder = VaeLayers.encoder(tensors, config);
        VaeLayers decoder = VaeLayers.decoder(tensors, config);
        tensors.requireComplete();
        return new Vae(config, backend, encoder, decoder, DEFAULT_LIMIT, null);
    }

    /// An autoencoder without numbers, to find out with a [Backend#rehearsal] what memory a real one takes.
    public static Vae empty(VaeConfig config, Backend backend, TensorArena weights) {
        VaeWeights tensors = new VaeWeights(new NoTensors(), backend, weights);
        return new Vae(config, backend, VaeLayers.encoder(tensors, config), VaeLayers.decoder(tensors, config),
                DEFAULT_LIMIT, null);
    }

    public VaeConfig config() {
        return config;
    }

    /// The same autoencoder, working in tiles where a picture would take more than this.
    public Vae withMemoryLimit(long bytes) {
        return new Vae(config, backend, encoder, decoder, bytes, lent);
    }

    /// The same autoencoder, which works in memory that is there already and gives it back to the arena.
    public Vae workingIn(TensorArena passes) {
        return new Vae(config, backend, encoder, decoder, limitBytes, passes);
    }

    /// Device memory for encoding a picture in one piece, in bytes.
    public long encodeBytes(int height, int width) {
        return encoder.peakBytes(new Extent(height, width, config.inputChannels()));
    }

    /// Device memory for decoding to a picture of this size in one piece, in bytes.
    public long decodeBytes(int height, int width) {
        return decoder.peakBytes(new Extent(height / config.scale(), width / config.scale(), config.latentDim()));
    }

    /// @param picture sides are multiples of [VaeConfig#scale]
    public Moments encode(Picture picture) {
        return encode(Pixels.of(picture), picture.height(), picture.width());
    }

    /// @param pixels `[3, height, width]` in -1..1; sides are multiples of [VaeConfig#scale]
    public Moments encode(float[] pixels, int height, int width) {
        int scale = config.scale();
        int channels = config.inputChannels();
        if (height % scale != 0 || width % scale != 0 || pixels.length != (long) channels * height * width) {
            throw new IllegalArgumentException("%d numbers for a picture [%d, %d, %d], whose sides are multiples of %d"
                    .formatted(pixels.length, channels, height, width, scale));
        }
        Tiles tiles = Tiles.of(height / scale, width / scale,
                (h, w) -> encodeBytes(scale * h, scale * w) <= limitBytes);
        float[] moments = tiles.blend(2 * config.latentDim(), 1, (top, left) -> run(encoder,
                crop(pixels, channels, height, width, scale * top, scale * left,
                        scale * tiles.tileHeight(), scale * tiles.tileWidth()),
                new Extent(scale * tiles.tileHeight(), scale * tiles.tileWidth(), channels)));
        return Moments.of(config, height / scale, width / scale, moments);
    }

    /// @param latents normalised, `[latentDim, height, width]`
    /// @param height  in latents
    /// @param width   in latents
    /// @return `[3, scale * height, scale * width]`, in -1..1
    public float[] decode(float[] latents, int height, int width) {
        float[] pixels = decodeUnclamped(latents, height, width);
        for (int i = 0; i < pixels.length; i++) pixels[i] = Math.clamp(pixels[i], -1f, 1f);
        return pixels;
    }

    /// [#decode] as a picture of 8 bits a channel.
    public Picture decodePicture(float[] latents, int height, int width) {
        return Pixels.picture(decode(latents, height, width), config.scale() * height, config.scale() * width);
    }

    float[] decodeUnclamped(float[] latents, int height, int width) {
        if (latents.length != (long) config.latentDim() * height * width) {
            throw new IllegalArgumentException("%d numbers for latents [%d, %d, %d]".formatted(
                    latents.length, config.latentDim(), height, width));
        }
        float[] own = Latents.denormalise(latents, config);
        int scale = config.scale();
        Tiles tiles = Tiles.of(height, width, (h, w) -> decodeBytes(scale * h, scale * w) <= limitBytes);
        return tiles.blend(config.inputChannels(), scale, (top, left) -> run(decoder,
                crop(own, config.latentDim(), height, width, top, left, tiles.tileHeight(), tiles.tileWidth()),
                new Extent(tiles.tileHeight(), tiles.tileWidth(), config.latentDim())));
    }

    private float[] run(VaeLayers layers, float[] planes, Extent extent) {
        if (lent != null) return run(layers, planes, extent, lent);
        try (TensorArena own = backend.newArena()) {
            return run(layers, planes, extent, own);
        }
    }

    /// Channels first in, channels first out.
    private float[] run(VaeLayers layers, float[] planes, Extent extent, TensorArena work) {
        float[] rows = layers.run(backend, work, extent, Latents.channelsLast(planes, extent.channels()));
        return Latents.channelsFirst(rows, layers.after(extent).channels());
    }

    /// A window of a picture `[channels, height, width]`; the picture itself where the window is all of it.
    private static float[] crop(float[] planes, int channels, int height, int width, int top, int left, int rows,
            int columns) {
        if (rows == height && columns == width) return planes;
        float[] window = new float[channels * rows * columns];
        for (int row = 0; row < channels * rows; row++) {
            int from = (row / rows * height + top + row % rows) * width + left;
            System.arraycopy(planes, from, window, row * columns, columns);
        }
        return window;
    }
}
