package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Against diffusers in float32. The reference itself lies 4e-6 from the same sums in float64; the bound is the one
/// that the numbers' authors recommend.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class VaeGoldenTest {
    private static final double BOUND = 1e-4;
    private static final JsonNode MANIFEST = Golden.json("golden/vae.json");

    private final CpuBackend backend = new CpuBackend(2);
    private final TensorArena weights = backend.newArena();
    private Vae vae;

    @BeforeAll
    void load() {
        VaeConfig config = VaeConfig.of(MANIFEST.path("config"), "vae.json");
        vae = Vae.load(config, Golden.tensors("golden/vae_weights.safetensors"), backend, weights);
    }

    @AfterAll
    void close() {
        weights.close();
        backend.close();
    }

    static List<String> cases() {
        return Golden.names(MANIFEST.path("cases"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void encodesToTheReferencesMoments(String name) {
        TensorSource golden = golden(name);
        Moments moments = encode(name);
        float[] reference = golden.floats("moments");
        int half = reference.length / 2;
        assertClose("mean", moments.mean(), Arrays.copyOf(reference, half));
        assertClose("mode", moments.mean(), golden.floats("mode"));
        assertClose("log-variance", moments.logVariance(), golden.floats("logvar_clamped"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void latentsAreNormalised(String name) {
        TensorSource golden = golden(name);
        Moments moments = encode(name);
        assertClose("mode", moments.mode(), golden.floats("latents"));
        assertClose("sample", moments.sample(golden.floats("sample_noise")), golden.floats("sampled_latents"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void decodesToTheReferencesPicture(String name) {
        TensorSource golden = golden(name);
        int height = MANIFEST.path("cases").path(name).path("latent").path(0).asInt();
        int width = MANIFEST.path("cases").path(name).path("latent").path(1).asInt();
        assertClose("round trip", vae.decode(encode(name).mode(), height, width), golden.floats("decoded"));
        float[] random = golden.floats("latents_random");
        assertClose("clamped", vae.decode(random, height, width), golden.floats("decoded_random"));
        assertClose("unclamped", vae.decodeUnclamped(random, height, width), golden.floats("decoded_random_unclamped"));
    }

    private Moments encode(String name) {
        JsonNode sizes = MANIFEST.path("cases").path(name);
        return vae.encode(golden(name).floats("image"), sizes.path("height").asInt(), sizes.path("width").asInt());
    }

    private static TensorSource golden(String name) {
        return Golden.tensors("golden/vae_" + name + ".safetensors");
    }

    private static void assertClose(String what, float[] ours, float[] reference) {
        assertThat(Golden.maxAbsDiff(ours, reference)).as(what).isLessThanOrEqualTo(BOUND);
    }
}
