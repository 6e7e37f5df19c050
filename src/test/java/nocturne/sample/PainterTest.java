package nocturne.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.image.Picture;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.Grid;
import nocturne.qwen.PromptEmbedding;
import nocturne.qwen.Vae;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;

/// From a request to a picture, with the shipped autoencoder and a model that knows what to draw.
class PainterTest {
    private static final FlowMatchConfig SCHEDULE = new FlowMatchConfig(0.5, 0.9, 256, 8192, 0.02, 1000);
    private static final Path FOLDER = Path.of("models/qwen-image-tiny/vae");

    /// A model that pulls everything to its control picture draws what the autoencoder makes of that picture, whatever
    /// the noise; one level of 255 is left to rounding.
    @Test
    void aModelThatCopiesItsControlDrawsIt() {
        Golden.assumePresent(FOLDER);
        try (CpuBackend backend = new CpuBackend(2); TensorArena weights = backend.newArena()) {
            Vae vae = Vae.load(FOLDER, backend, weights);
            Picture blue = halves(96, 64);
            Denoiser copier = (tokens, grids, sigma, prompt) -> {
                int length = grids.getFirst().tokens() * 64;
                float[] velocity = new float[length];
                for (int i = 0; i < length; i++) velocity[i] = (tokens[i] - tokens[length + i]) / sigma;
                return velocity;
            };
            PromptEmbedding none = new PromptEmbedding(0, 1, new float[0]);
            Conditions conditions = new Conditions(none, none, List.of(Painter.control(blue, vae)));
            SampleRequest request = new SampleRequest("", "", 96, 64, 4, Guidance.OFF, 7, 1, List.of(blue));
            Painter painter = new Painter(new Sampler(copier, SCHEDULE), vae);
            Picture drawn = painter.paint(request, conditions, Sampler.Progress.NONE);
            assertThat(drawn.width()).isEqualTo(96);
            assertThat(drawn.height()).isEqualTo(64);
            Picture expected = vae.decodePicture(vae.encode(blue).mode(), 8, 12);
            for (int i = 0; i < drawn.rgb().length; i++) {
                assertThat(drawn.rgb()[i] & 0xff).isCloseTo(expected.rgb()[i] & 0xff, within(1));
            }
            assertThat(painter.paint(request, conditions, Sampler.Progress.NONE).rgb()).isEqualTo(drawn.rgb());
        }
    }

    @Test
    void controlPicturesAreBroughtToTheAreaAskedForInTheirOwnProportions() {
        Golden.assumePresent(FOLDER);
        try (CpuBackend backend = new CpuBackend(2); TensorArena weights = backend.newArena()) {
            Vae vae = Vae.load(FOLDER, backend, weights);
            Conditions.Control control = Painter.control(halves(300, 150), 64 * 64, vae);
            assertThat(control.grid()).isEqualTo(Grid.ofPixels(96, 32));
            assertThat(control.packed()).hasSize(control.grid().tokens() * 64);
            Picture asSeen = halves(96, 32);
            assertThat(Painter.control(asSeen, 96 * 32, vae).packed())
                    .as("a picture of that size already is not touched")
                    .isEqualTo(Painter.control(asSeen, vae).packed());
        }
    }

    /// Blue on the left, white on the right.
    private static Picture halves(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            boolean left = i % width < width / 2;
            rgb[3 * i] = (byte) (left ? 0 : 255);
            rgb[3 * i + 1] = (byte) (left ? 0 : 255);
            rgb[3 * i + 2] = (byte) 255;
        }
        return new Picture(width, height, rgb);
    }
}
