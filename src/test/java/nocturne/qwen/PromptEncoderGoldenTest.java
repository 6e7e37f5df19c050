package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.TensorSource;
import nocturne.qwen.PromptEncoder.Prompt;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The tiny pipeline's own files, against the reference pipeline in float32; its README promises 1e-4.
class PromptEncoderGoldenTest {
    private static final double MAX_ABS = 1e-4;

    @TestFactory
    Stream<DynamicTest> givesTheEmbeddingsOfTheReferencePipeline() {
        TensorSource reference = Golden.tensors("tiny/reference.safetensors");
        JsonNode prompts = Golden.json("tiny/reference.json");
        assertThat(prompts).isNotEmpty();
        return IntStream.range(0, prompts.size()).boxed().flatMap(i -> Stream.of("prompt", "negative").map(kind ->
                DynamicTest.dynamicTest(i + " " + kind, () -> {
                    String key = i + (kind.equals("prompt") ? ".prompt_embeds" : ".negative_prompt_embeds");
                    try (CpuBackend backend = new CpuBackend(2);
                            PromptEncoder encoder = PromptEncoder.open(Path.of("models/qwen-image-tiny"),
                                    PromptTemplate.TEXT_TO_IMAGE, backend)) {
                        PromptEmbedding ours = encoder.encode(Prompt.ofWords(prompts.get(i).get(kind).asText()));
                        assertThat(List.of(1L, (long) ours.tokens(), (long) ours.width()))
                                .isEqualTo(reference.entry(key).shape());
                        assertThat(Golden.maxAbsDiff(ours.rows(), reference.floats(key)))
                                .as("max |ours - reference|").isLessThanOrEqualTo(MAX_ABS);
                    }
                })));
    }
}
