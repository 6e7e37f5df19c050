package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.SafetensorsFolder;
import nocturne.io.TensorSource;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// What the shipped autoencoder promises beyond the reference's numbers.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VaeTest {
    private static final Path FOLDER = Path.of("models/qwen-image-tiny/vae");

    private final CpuBackend backend = new CpuBackend(2);
    private final TensorArena weights = backend.newArena();
    private Vae vae;

    @BeforeAll
    void load() {
        Golden.assumePresent(FOLDER);
        vae = Vae.load(FOLDER, backend, weights);
    }

    @AfterAll
    void close() {
        weights.close();
        backend.close();
    }

    /// A shape on a plain background, as the tiny model knows them, but larger.
    private static float[] picture(int height, int width) {
        float[] pixels = new float[3 * height * width];
        for (int c = 0; c < 3; c++) {
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    boolean inside = Math.hypot(y - height * 0.45, x - width * 0.6) < 0.3 * height;
                    pixels[(c * height + y) * width + x] = inside ? 0.7f - 0.6f * c : -0.5f + 0.4f * c;
                }
            }
        }
        return pixels;
    }

    /// Tiles see less than the whole picture: the middle's attention, and zeros beyond their own edges. The bounds are
    /// the model's own looseness, about 2.5 of 255 steps on average; a misplaced tile or a wrong share in the overlap
    /// exceeds them many times over.
    @Test
    void tilesGiveNearlyWhatOnePieceGives() {
        int height = 224;
        int width = 320;
        Vae small = vae.withMemoryLimit(vae.decodeBytes(128, 128));
        float[] latents = vae.encode(picture(height, width), height, width).mode();
        float[] tiledLatents = small.encode(picture(height, width), height, width).mode();
        assertThat(meanDiff(tiledLatents, latents)).as("mean |latents|").isBetween(1e-9, 0.01);
        assertThat(Golden.maxAbsDiff(tiledLatents, latents)).as("max |latents|").isLessThan(0.25);
        float[] whole = vae.decode(latents, height / 8, width / 8);
        float[] tiled = small.decode(latents, height / 8, width / 8);
        assertThat(meanDiff(tiled, whole)).as("mean |pixels|").isBetween(1e-9, 0.02);
        assertThat(Golden.maxAbsDiff(tiled, whole)).as("max |pixels|").isLessThan(0.25);
    }

    /// The plan shown before a job relies on these numbers; an arena rounds each of its seven tensors up to 64 bytes.
    @Test
    void takesExactlyTheMemoryItStatesAndGivesItBack() {
        WatchedBackend watched = new WatchedBackend(backend);
        Vae observed = Vae.load(FOLDER, watched, weights);
        float[] latents = observed.encode(picture(96, 160), 96, 160).mode();
        observed.decode(latents, 12, 20);
        assertThat(watched.arenas).hasSize(2);
        assertThat(watched.arenas.get(0).peakBytes() - vae.encodeBytes(96, 160)).as("encode").isBetween(0L, 512L);
        assertThat(watched.arenas.get(1).peakBytes() - vae.decodeBytes(96, 160)).as("decode").isBetween(0L, 512L);
        assertThat(watched.released).as("blocks given back").isEqualTo(watched.taken).isPositive();
    }

    @Test
    void sizesThatAreNoMultipleOfTheScaleAreRefused() {
        assertThatThrownBy(() -> vae.encode(picture(60, 64), 60, 64)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> vae.encode(picture(64, 64), 64, 72)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> vae.decode(new float[16 * 8], 8, 8)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void everyMissingOrMisshapenTensorIsNamedAtOnce() {
        VaeConfig config = vae.config();
        VaeConfig other = new VaeConfig(config.baseDim(), config.latentDim(), List.of(1, 2, 6, 4), config.resBlocks(),
                config.inputChannels(), config.latentsMean(), config.latentsStd());
        assertThatThrownBy(() -> load(other)).isInstanceOfSatisfying(UserMistake.class, mistake -> {
            assertThat(mistake.problems()).extracting(Problem::code).containsOnly("MODEL_INVALID");
            assertThat(mistake.problems()).extracting(Problem::where)
                    .allSatisfy(where -> assertThat(where).contains("diffusion_pytorch_model.safetensors"));
            assertThat(mistake.problems()).extracting(Problem::what)
                    .contains("has no tensor encoder.down_blocks.6.conv_shortcut.weight [32, 48, 1, 1, 1]")
                    .contains("tensor encoder.down_blocks.4.conv1.weight is [32, 16, 3, 3, 3]; "
                            + "config.json makes it [48, 16, 3, 3, 3]");
            assertThat(mistake.problems()).extracting(Problem::what)
                    .noneSatisfy(what -> assertThat(what).contains("decoder.mid_block"));
        });
    }

    private void load(VaeConfig config) {
        try (TensorSource source = SafetensorsFolder.open(FOLDER)) {
            Vae.load(config, source, backend, weights);
        }
    }

    @Test
    void everyProblemOfTheConfigIsNamedAtOnce(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("config.json");
        Files.writeString(file, """
                {"base_dim": 0, "z_dim": 2, "dim_mult": [1, -2], "num_res_blocks": "two", "attn_scales": [0.5],
                 "latents_mean": [0, 0, 0], "latents_std": [1, 0], "input_channels": 4}
                """);
        assertThatThrownBy(() -> VaeConfig.read(file)).isInstanceOfSatisfying(UserMistake.class, mistake ->
                assertThat(mistake.problems()).extracting(problem -> problem.where().replace(file + " ", ""))
                        .containsExactlyInAnyOrder("base_dim", "dim_mult", "num_res_blocks", "attn_scales",
                                "latents_mean", "latents_std", "input_channels"));
    }

    @Test
    void aConfigThatIsMissingOrNoJsonIsTheUsersMistake(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> Vae.load(folder, backend, weights)).isInstanceOf(UserMistake.class);
        Files.writeString(folder.resolve("config.json"), "{");
        assertThatThrownBy(() -> Vae.load(folder, backend, weights)).isInstanceOf(UserMistake.class);
        Files.writeString(folder.resolve("config.json"), "");
        assertThatThrownBy(() -> Vae.load(folder, backend, weights)).isInstanceOf(UserMistake.class);
    }

    private static double meanDiff(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
        return sum / a.length;
    }
}
