package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.io.Safetensors;
import nocturne.io.TensorSource;
import nocturne.qwen.TextEncoder.Input;
import nocturne.tensor.Tape;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// A miniature Qwen2.5-VL with random weights, run by transformers in float32. The reference pads; we do not, and must
/// give the same rows where its mask is 1.
class TextEncoderGoldenTest {
    /// What the golden files allow a float32 implementation.
    static final double MAX_ABS = 2e-4;
    static final double RELATIVE_L2 = 1e-4;

    private static final TensorSource GOLDEN = Golden.tensors("golden2/qwen25vl_text.safetensors");
    private static final JsonNode META = Golden.json("golden2/qwen25vl_text_meta.json");
    private static final CpuBackend BACKEND = new CpuBackend(2);

    @AfterAll
    static void closeBackend() {
        BACKEND.close();
    }

    static TextEncoder tinyEncoder(CpuBackend backend) {
        TextEncoderConfig config =
                TextEncoderConfig.of(Golden.json("golden2/qwen25vl_tiny_config.json"), "qwen25vl_tiny_config.json");
        return new TextEncoder(config, Safetensors.open(Golden.path("golden2/qwen25vl_tiny.safetensors")),
                EncoderLoading.PLAIN, backend);
    }

    @TestFactory
    Stream<DynamicTest> everyLayerSeesWhatTheReferenceSees() {
        return Stream.of("right", "left").map(side -> DynamicTest.dynamicTest(side + " padding", () -> {
            int padded = GOLDEN.entry(side + ".input_ids").shape().get(1).intValue();
            int[] allIds = GOLDEN.ints(side + ".input_ids");
            int[] mask = GOLDEN.ints(side + ".attention_mask");
            List<int[]> kept = new ArrayList<>();   // for each prompt, its unpadded rows in the padded batch
            for (int n = 0; n < allIds.length / padded; n++) {
                kept.add(IntStream.range(n * padded, (n + 1) * padded).filter(i -> mask[i] == 1).toArray());
            }
            try (TextEncoder encoder = tinyEncoder(BACKEND)) {
                int layers = encoder.config().layers();
                List<Input> inputs = kept.stream().map(rows -> Input.ofWords(
                        Arrays.stream(rows).map(row -> allIds[row]).toArray())).toList();
                List<float[]> results = encoder.encode(inputs, (layer, input, hidden) -> assertClose(
                        BACKEND.toArray(hidden), rows(side + (layer == layers ? ".last_layer_prenorm"
                                : ".hidden_states." + layer), kept.get(input)), "layer " + layer));
                int drop = META.get("drop_idx").asInt();
                int width = encoder.config().width();
                int longest = GOLDEN.entry(side + ".prompt_embeds").shape().get(1).intValue();
                for (int n = 0; n < results.size(); n++) {
                    float[] result = results.get(n);
                    assertClose(result, rows(side + ".hidden_states." + layers, kept.get(n)), "prompt " + n);
                    float[] embeds = Arrays.copyOfRange(result, drop * width, result.length);
                    assertThat(embeds.length / width).isEqualTo(META.get("embed_counts").get(n).asInt());
                    int first = n * longest;
                    assertClose(embeds, rows(side + ".prompt_embeds",
                            IntStream.range(first, first + embeds.length / width).toArray()), "embeds " + n);
                }
            }
        }));
    }

    @Test
    void aTruncatedPromptKeepsItsFirstTokens() {
        int drop = META.get("drop_idx").asInt();
        int[] ids = GOLDEN.ints("trunc.input_ids");
        assertThat(ids).hasSize(drop + PromptTemplate.WORD_LIMIT).hasSize(META.get("trunc_kept").asInt());
        try (TextEncoder encoder = tinyEncoder(BACKEND)) {
            float[] result = encoder.encode(List.of(Input.ofWords(ids))).getFirst();
            int width = encoder.config().width();
            float[] first = GOLDEN.floats("trunc.prompt_embeds_first16");
            float[] last = GOLDEN.floats("trunc.prompt_embeds_last16");
            assertClose(Arrays.copyOfRange(result, drop * width, drop * width + first.length), first, "first rows");
            assertClose(Arrays.copyOfRange(result, result.length - last.length, result.length), last, "last rows");
        }
    }

    /// The miniature model has 400 rows of embeddings; the file says which real ids they stand for.
    @Test
    void theReleasedTokenizerAndTemplateGiveTheIdsOfTheReference() {
        Tokenizer tokenizer = TokenizerGoldenTest.released();
        JsonNode map = META.get("id_map_real_to_compact");
        List<String> prompts = new ArrayList<>();
        META.get("prompts").forEach(prompt -> prompts.add(prompt.asText()));
        int padded = GOLDEN.entry("right.input_ids").shape().get(1).intValue();
        for (int n = 0; n < prompts.size(); n++) {
            int[] expected = Arrays.copyOfRange(GOLDEN.ints("right.input_ids"), n * padded,
                    n * padded + META.get("token_counts_full").get(n).asInt());
            assertThat(compact(PromptTemplate.TEXT_TO_IMAGE.encode(tokenizer, prompts.get(n)), map))
                    .as(prompts.get(n)).isEqualTo(expected);
        }
        assertThat(compact(PromptTemplate.TEXT_TO_IMAGE.encode(tokenizer, META.get("trunc_prompt").asText()), map))
                .isEqualTo(GOLDEN.ints("trunc.input_ids"));
    }

    static int[] compact(PromptTemplate.Encoded encoded, JsonNode map) {
        return Arrays.stream(encoded.ids()).map(id -> map.get(Integer.toString(id)).asInt()).toArray();
    }

    /// Twelve tokens at arbitrary places in time, row and column.
    @Test
    void rotatesEachFrequencyByItsOwnAxis() {
        List<Integer> sections = TextEncoderConfig.of(Golden.json("golden2/qwen25vl_tiny_config.json"), "config")
                .ropeSections();
        double theta = Golden.json("golden2/qwen25vl_tiny_config.json").get("rope_theta").asDouble();
        int[] positions = GOLDEN.ints("rope.position_ids");
        int tokens = positions.length / 3;
        int headDim = GOLDEN.entry("rope.q").shape().get(2).intValue();
        TokenPositions places = new TokenPositions(IntStream.range(0, 3)
                .mapToObj(axis -> Arrays.copyOfRange(positions, axis * tokens, (axis + 1) * tokens))
                .toArray(int[][]::new));
        float[] angles = places.angles(theta, sections);
        float[] cosines = GOLDEN.floats("rope.cos_full3");
        float[] sines = GOLDEN.floats("rope.sin_full3");
        for (int token = 0; token < tokens; token++) {
            for (int i = 0; i < headDim / 2; i++) {
                int axis = i < sections.get(0) ? 0 : i < sections.get(0) + sections.get(1) ? 1 : 2;
                int at = (axis * tokens + token) * headDim + i;
                float angle = angles[token * headDim / 2 + i];
                assertThat((float) Math.cos(angle)).isCloseTo(cosines[at], within(1e-5f));
                assertThat((float) Math.sin(angle)).isCloseTo(sines[at], within(1e-5f));
            }
        }
        try (TensorArena arena = BACKEND.newArena()) {
            Tape tape = Tape.inference(BACKEND, arena);
            HalfRotation rotation = HalfRotation.of(tape, angles, headDim / 2);
            for (String part : List.of("rope.q", "rope.k")) {
                int heads = GOLDEN.entry(part).shape().getFirst().intValue();
                Tensor x = BACKEND.tensor(arena, tokensFirst(GOLDEN.floats(part), heads, tokens, headDim), tokens,
                        heads * headDim);
                assertClose(BACKEND.toArray(rotation.turn(tape, x)),
                        tokensFirst(GOLDEN.floats(part + "_rot"), heads, tokens, headDim), part);
            }
        }
    }

    /// `[heads, tokens, headDim]` as `[tokens, heads * headDim]`.
    private static float[] tokensFirst(float[] x, int heads, int tokens, int headDim) {
        float[] y = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            int head = i / headDim / tokens;
            int token = i / headDim % tokens;
            y[(token * heads + head) * headDim + i % headDim] = x[i];
        }
        return y;
    }

    /// Some rows of a golden tensor, read as a matrix over its innermost axis.
    private static float[] rows(String key, int[] rows) {
        float[] all = GOLDEN.floats(key);
        int width = GOLDEN.entry(key).shape().getLast().intValue();
        float[] some = new float[rows.length * width];
        for (int i = 0; i < rows.length; i++) System.arraycopy(all, rows[i] * width, some, i * width, width);
        return some;
    }

    static void assertClose(float[] ours, float[] reference, String what) {
        assertThat(Golden.maxAbsDiff(ours, reference)).as("max |ours - reference| of " + what)
                .isLessThanOrEqualTo(MAX_ABS);
        assertThat(Golden.relativeL2(ours, reference)).as("relative L2 of " + what).isLessThanOrEqualTo(RELATIVE_L2);
    }
}
