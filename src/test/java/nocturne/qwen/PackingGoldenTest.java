package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import org.junit.jupiter.api.Test;

/// Packing moves numbers and changes none: the bits are the reference's.
class PackingGoldenTest {
    private final TensorSource golden = Golden.tensors("golden/packing.safetensors");
    private final float[] latents = golden.floats("latents");
    private final float[] packed = golden.floats("packed");
    private final int batch = extent(0);
    private final int channels = extent(1);
    private final int height = extent(2);
    private final int width = extent(3);

    @Test
    void latentsBecomeTheReferencesTokens() {
        assertThat(Latents.pack(latents, batch, channels, height, width)).isEqualTo(packed);
    }

    @Test
    void tokensBecomeLatentsAgain() {
        assertThat(Latents.unpack(packed, batch, channels, height, width)).isEqualTo(latents);
    }

    private int extent(int axis) {
        return Math.toIntExact(golden.entry("latents").shape().get(axis));
    }
}
