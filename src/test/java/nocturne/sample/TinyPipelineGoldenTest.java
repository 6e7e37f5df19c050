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
import nocturne.qwen.PromptEncoder;
import nocturne.qwen.PromptEncoder.Prompt;
import nocturne.qwen.PromptTemplate;
import nocturne.qwen.QwenImageTransformer;
import nocturne.qwen.TransformerConfig;
import nocturne.qwen.Vae;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The tiny pipeline from its shipped files, from words to picture, against diffusers in float32.
class TinyPipelineGoldenTest {
    private static final Path PIPELINE = Path.of("models/qwen-image-tiny");
    private static final JsonNode RUNS = Golden.json("tiny/reference.json");
    private static final double BOUND = 1e-3;

    static IntStream runs() {
        return IntStream.range(0, RUNS.size());
    }

    @ParameterizedTest
    @MethodSource("runs")
    void drawsTheReferencesPictureFromItsWords(int run) {
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
            PromptEmbedding prompt;
            PromptEmbedding negative;
            try (PromptEncoder encoder = PromptEncoder.open(PIPELINE, PromptTemplate.TEXT_TO_IMAGE, backend)) {
                prompt = encoder.encode(Prompt.ofWords(settings.path("prompt").asText()));
                negative = encoder.encode(Prompt.ofWords(settings.path("negative").asText()));
            }
            float[] packed = sampler.sample(golden.floats(run + ".noise_packed"), grid, settings.path("steps").asInt(),
                    new Guidance(settings.path("guidance").asDouble(), true),
                    new Conditions(prompt, negative, List.of()), Sampler.Progress.NONE);
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
}
