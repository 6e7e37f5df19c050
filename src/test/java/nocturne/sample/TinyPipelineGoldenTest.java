package nocturne.sample;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.SafetensorsFolder;
import nocturne.io.TensorSource;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.Grid;
import nocturne.qwen.Latents;
import nocturne.qwen.PromptEmbedding;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerConfig;
import nocturne.qwen.Vae;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The tiny pipeline from its shipped files, prompt embeddings to picture, against diffusers in float32.
class TinyPipelineGoldenTest {
    private static final Path PIPELINE = Path.of("models/qwen-image-tiny");
    private static final JsonNode RUNS = Golden.json("tiny/reference.json");
    private static final double BOUND = 1e-3;

    static IntStream runs() {
        return IntStream.range(0, RUNS.size());
    }

    @ParameterizedTest
    @MethodSource("runs")
    void drawsTheReferencesPicture(int run) {
        Golden.assumePresent(PIPELINE);
        JsonNode settings = RUNS.path(run);
        TensorSource golden = Golden.tensors("tiny/reference.safetensors");
        Grid grid = Grid.ofPixels(settings.path("width").asInt(), settings.path("height").asInt());
        try (CpuBackend backend = new CpuBackend(2); TensorArena weights = backend.newArena();
                TensorArena work = backend.newArena();
                TensorSource files = SafetensorsFolder.open(PIPELINE.resolve("transformer"))) {
            QwenImageTransformer transformer = QwenImageTransformer.load(
                    TransformerConfig.read(PIPELINE.resolve("transformer/config.json")), files, backend, weights);
            Sampler sampler = new Sampler(new TransformerDenoiser(transformer, backend, work),
                    FlowMatchConfig.read(PIPELINE.resolve("scheduler/scheduler_config.json")));
            float[] packed = sampler.sample(golden.floats(run + ".noise_packed"), grid, settings.path("steps").asInt(),
                    new Guidance(settings.path("guidance").asDouble(), true),
                    new Conditions(embedding(golden, run + ".prompt_embeds"),
                            embedding(golden, run + ".negative_prompt_embeds"), List.of()),
                    Sampler.Progress.NONE);
            assertThat(Golden.maxAbsDiff(packed, golden.floats(run + ".final_packed"))).as("latents")
                    .isLessThanOrEqualTo(BOUND);
            Vae vae = Vae.load(PIPELINE.resolve("vae"), backend, weights);
            int height = 2 * grid.rows();
            int width = 2 * grid.columns();
            float[] image = vae.decode(Latents.unpack(packed, vae.config().latentDim(), height, width), height, width);
            assertThat(Golden.maxAbsDiff(image, golden.floats(run + ".image"))).as("picture")
                    .isLessThanOrEqualTo(BOUND);
        }
    }

    private static PromptEmbedding embedding(TensorSource golden, String name) {
        List<Long> shape = golden.entry(name).shape();
        return new PromptEmbedding(shape.get(1).intValue(), shape.get(2).intValue(), golden.floats(name));
    }
}
