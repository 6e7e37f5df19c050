package nocturne.qwen;

import static nocturne.qwen.TextEncoderGoldenTest.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import nocturne.cpu.CpuBackend;
import nocturne.golden.Golden;
import nocturne.image.Picture;
import nocturne.io.Safetensors;
import nocturne.io.TensorSource;
import nocturne.qwen.TextEncoder.Input;
import nocturne.qwen.VisionPatches.PatchGrid;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Every stage of the vision tower, and prompts with pictures through both networks, against transformers.
class VisionTowerGoldenTest {
    private static final TensorSource GOLDEN = Golden.tensors("golden2/qwen25vl_vision.safetensors");
    private static final JsonNode META = Golden.json("golden2/qwen25vl_vision_meta.json");
    private static final VisionTowerConfig CONFIG =
            VisionTowerConfig.of(Golden.json("golden2/qwen25vl_tiny_config.json"), "qwen25vl_tiny_config.json");
    private static final CpuBackend BACKEND = new CpuBackend(2);

    @AfterAll
    static void closeBackend() {
        BACKEND.close();
    }

    private static VisionTower tinyTower() {
        return new VisionTower(CONFIG, Safetensors.open(Golden.path("golden2/qwen25vl_tiny.safetensors")),
                EncoderLoading.PLAIN, BACKEND);
    }

    private static List<PatchGrid> grids(String key) {
        int[] sizes = GOLDEN.ints(key);
        return IntStream.range(0, sizes.length / 3).mapToObj(i -> new PatchGrid(sizes[3 * i + 1], sizes[3 * i + 2]))
                .toList();
    }

    private static VisionPatches storedPatches() {
        return new VisionPatches(GOLDEN.floats("pixel_values"), CONFIG.patchLength(), grids("image_grid_thw"));
    }

    @Test
    void everyStageIsTheReferences() {
        Map<String, List<float[]>> stages = new TreeMap<>();
        float[] rows;
        try (VisionTower tower = tinyTower()) {
            rows = tower.encode(storedPatches(), (stage, picture, tensor) ->
                    stages.computeIfAbsent(stage, key -> new ArrayList<>()).add(BACKEND.toArray(tensor)));
        }
        assertClose(joined(stages.get("embedded")), GOLDEN.floats("vision.windowed_input"), "windowed input");
        for (int i = 0; i < CONFIG.layers(); i++) {
            assertClose(joined(stages.get("block " + i)), GOLDEN.floats("vision.block_out." + i), "block " + i);
        }
        assertClose(joined(stages.get("merged")), GOLDEN.floats("vision.merger_windowed"), "merger");
        assertClose(rows, GOLDEN.floats("vision.image_embeds"), "picture rows");
        assertThat(GOLDEN.has("vision.block_out." + CONFIG.layers())).as("a block we have not compared").isFalse();
    }

    @Test
    void windowsAndAnglesAreTheReferences() {
        List<Integer> cells = new ArrayList<>();
        List<Integer> bounds = new ArrayList<>(List.of(0));
        List<Integer> pictures = new ArrayList<>(List.of(0));
        List<float[]> embedded = new ArrayList<>();
        List<float[]> angles = new ArrayList<>();
        float[] raster = GOLDEN.floats("vision.patch_embed");
        for (PatchGrid grid : grids("image_grid_thw")) {
            PatchWindows windows = PatchWindows.of(grid, CONFIG);
            int patchesBefore = pictures.getLast();
            for (int cell : windows.cells()) cells.add(patchesBefore / CONFIG.mergeUnit() + cell);
            for (int w = 1; w < windows.bounds().length; w++) bounds.add(patchesBefore + windows.bounds()[w]);
            pictures.add(patchesBefore + windows.patches());
            embedded.add(windows.gather(raster, patchesBefore * CONFIG.width(), CONFIG.mergeUnit() * CONFIG.width()));
            angles.add(windows.angles(CONFIG));
        }
        assertThat(cells).containsExactly(boxed("window_index"));
        assertThat(bounds).containsExactly(boxed("cu_window_seqlens"));
        assertThat(pictures).containsExactly(boxed("cu_seqlens"));
        assertThat(joined(embedded)).isEqualTo(GOLDEN.floats("vision.windowed_input"));
        assertAngles(joined(angles), "vision.rope_cos", false);
        assertAngles(joined(angles), "vision.rope_sin", true);
    }

    /// The reference stores each table twice over, for both halves of a head.
    private static void assertAngles(float[] angles, String key, boolean sine) {
        int half = CONFIG.headDim() / 2;
        float[] table = new float[2 * angles.length];
        for (int i = 0; i < table.length; i++) {
            float angle = angles[i / (2 * half) * half + i % half];
            table[i] = (float) (sine ? Math.sin(angle) : Math.cos(angle));
        }
        assertClose(table, GOLDEN.floats(key), key);
    }

    @TestFactory
    Stream<DynamicTest> promptsWithPicturesGiveTheReferencesFeatures() {
        return META.get("cases").properties().stream().flatMap(entry -> Stream.of("mrope", "flat").map(mode ->
                DynamicTest.dynamicTest(entry.getKey() + " " + mode,
                        () -> check(entry.getKey(), entry.getValue(), mode))));
    }

    private static void check(String name, JsonNode meta, String mode) {
        List<Picture> pictures = pictures(meta);
        VisionPreprocessor preprocessor = VisionPreprocessor.open(Path.of("models/qwen-image-tiny/processor"));
        VisionPatches patches = preprocessor.patches(pictures);
        assertThat(patches.grids()).isEqualTo(grids(name + ".image_grid_thw"));
        int[] ids = GOLDEN.ints(name + ".input_ids");
        try (VisionTower tower = tinyTower(); TextEncoder encoder = TextEncoderGoldenTest.tinyEncoder(BACKEND)) {
            float[] pictureRows = tower.encode(patches);
            int width = encoder.config().width();
            assertThat(pictureRows.length / width).isEqualTo(meta.get("image_tokens").asInt());
            Input input = Input.withPictures(ids, pictureRows, patches.grids(), CONFIG.mergeSize(),
                    encoder.config().imageToken());
            if (mode.equals("flat")) {
                input = new Input(ids, pictureRows, TokenPositions.flat(ids.length));
            } else {
                assertThat(IntStream.range(0, 3).mapToObj(axis -> positionsOf(name, axis, ids.length)))
                        .containsExactly(input.positions().axes());
            }
            float[] features = encoder.encode(List.of(input)).getFirst();
            assertClose(features, GOLDEN.floats(name + "." + mode + ".last_hidden_state"), "features");
            assertClose(Arrays.copyOfRange(features, meta.get("drop_idx").asInt() * width, features.length),
                    GOLDEN.floats(name + "." + mode + ".prompt_embeds"), "embeddings");
        }
    }

    /// The template, the prompt and the pictures' runs of tokens, with the released vocabulary.
    @TestFactory
    Stream<DynamicTest> theReleasedTokenizerAndTemplateGiveTheIdsOfTheReference() {
        return TokenizerGoldenTest.withReleased(VisionTowerGoldenTest::idCases);
    }

    private static Stream<DynamicTest> idCases(Tokenizer tokenizer) {
        VisionPreprocessor preprocessor = VisionPreprocessor.open(Path.of("models/qwen-image-tiny/processor"));
        return META.get("cases").properties().stream().map(entry -> DynamicTest.dynamicTest(entry.getKey(), () -> {
            JsonNode meta = entry.getValue();
            PromptTemplate template = meta.get("pipeline").asText().contains("Plus")
                    ? PromptTemplate.EDIT_PLUS : PromptTemplate.EDIT;
            int[] pictureTokens = pictures(meta).stream()
                    .mapToInt(picture -> preprocessor.tokens(picture.width(), picture.height())).toArray();
            PromptTemplate.Encoded encoded = template.encode(tokenizer, meta.get("prompt").asText(), pictureTokens);
            assertThat(TextEncoderGoldenTest.compact(encoded, META.get("id_map_real_to_compact")))
                    .isEqualTo(GOLDEN.ints(entry.getKey() + ".input_ids"));
            assertThat(encoded.kept()).isEqualTo(meta.get("embed_length").asInt());
        }));
    }

    private static List<Picture> pictures(JsonNode meta) {
        return StreamSupport.stream(meta.get("image_indices").spliterator(), false)
                .map(index -> VisionPreprocessorGoldenTest.picture(GOLDEN, "image." + index.asInt() + ".rgb")).toList();
    }

    private static int[] positionsOf(String name, int axis, int tokens) {
        return Arrays.copyOfRange(GOLDEN.ints(name + ".mrope.position_ids"), axis * tokens, (axis + 1) * tokens);
    }

    private static Integer[] boxed(String key) {
        return Arrays.stream(GOLDEN.ints(key)).boxed().toArray(Integer[]::new);
    }

    private static float[] joined(List<float[]> parts) {
        float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
