package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import nocturne.golden.Golden;
import nocturne.image.Picture;
import nocturne.image.Resample;
import nocturne.io.TensorSource;
import nocturne.qwen.VisionPatches.PatchGrid;
import nocturne.qwen.VisionPreprocessor.Settings;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Sizes and pixel values of the pipelines, made by diffusers and transformers.
class VisionPreprocessorGoldenTest {
    private static final VisionPreprocessor RELEASED =
            VisionPreprocessor.open(Path.of("models/qwen-image-tiny/processor"));

    @TestFactory
    Stream<DynamicTest> roundsSizesAsThePipelinesDo() {
        return each(Golden.json("golden2/size_cases.json").get("pipeline_sizes"), size -> {
            PictureSize picture = new PictureSize(size.get("w").asInt(), size.get("h").asInt());
            PictureSize condition = picture.ofArea(PictureSize.CONDITION_AREA);
            PictureSize vae = picture.ofArea(PictureSize.VAE_AREA);
            assertThat(condition).as("condition").isEqualTo(widthHeight(size.get("condition_wh")));
            assertThat(vae).as("vae").isEqualTo(widthHeight(size.get("vae_wh")));
            assertThat(RELEASED.seenSize(condition.width(), condition.height())).as("seen by the language model")
                    .isEqualTo(heightWidth(size.get("smart_resized_condition_hw")));
            assertThat(RELEASED.grid(condition.width(), condition.height()))
                    .isEqualTo(new PatchGrid(size.at("/grid_thw/1").asInt(), size.at("/grid_thw/2").asInt()));
            assertThat(RELEASED.tokens(condition.width(), condition.height()))
                    .isEqualTo(size.get("image_tokens").asInt());
            assertThat(RELEASED.seenSize(vae.width(), vae.height())).as("seen by the original edit pipeline")
                    .isEqualTo(heightWidth(size.get("edit_v1_smart_hw_of_1mp")));
        });
    }

    @TestFactory
    Stream<DynamicTest> keepsTheAreaInItsBounds() {
        return each(Golden.json("golden2/size_cases.json").get("smart_resize"), size -> {
            Settings released = RELEASED.settings();
            int merge = released.mergeSize();
            assertThat(size.get("factor").asInt()).isEqualTo(released.patchSize() * merge);
            VisionPreprocessor bounded = new VisionPreprocessor(new Settings(size.get("min_pixels").asLong(),
                    size.get("max_pixels").asLong(), released.patchSize(), merge, released.frames(), released.mean(),
                    released.deviation()));
            assertThat(bounded.seenSize(size.get("w").asInt(), size.get("h").asInt()))
                    .isEqualTo(heightWidth(size.get("out_hw")));
        });
    }

    @Test
    void makesThePixelValuesOfTheProcessor() {
        TensorSource golden = Golden.tensors("golden2/qwen25vl_vision.safetensors");
        List<Picture> pictures = new ArrayList<>();
        for (int i = 0; golden.has("image." + i + ".rgb"); i++) {
            Picture picture = picture(golden, "image." + i + ".rgb");
            Picture resized = picture(golden, "image." + i + ".resized_torchvision_bicubic");
            assertThat(RELEASED.seenSize(picture.width(), picture.height()))
                    .isEqualTo(new PictureSize(resized.width(), resized.height()));
            assertThat(Resample.torchvisionBicubic(picture, resized.width(), resized.height()).rgb())
                    .as("picture %d resized", i).isEqualTo(resized.rgb());
            pictures.add(picture);
        }
        assertPixelValues(golden, "pixel_values", "image_grid_thw", pictures);
    }

    @Test
    void makesThePixelValuesOfThe8BitRoute() {
        TensorSource golden = Golden.tensors("golden2/aitk_float_control.safetensors");
        assertPixelValues(golden, "pixel_values_uint8_route", "image_grid_thw", List.of(picture(golden, "rgb")));
    }

    static Picture picture(TensorSource golden, String key) {
        List<Long> shape = golden.entry(key).shape();
        return new Picture(shape.get(1).intValue(), shape.get(0).intValue(),
                golden.bytes(key).toArray(ValueLayout.JAVA_BYTE));
    }

    private static void assertPixelValues(TensorSource golden, String key, String gridKey, List<Picture> pictures) {
        VisionPatches patches = RELEASED.patches(pictures);
        int[] grid = golden.ints(gridKey);
        assertThat(patches.grids()).hasSize(grid.length / 3);
        for (int i = 0; i < patches.grids().size(); i++) {
            assertThat(patches.grids().get(i)).isEqualTo(new PatchGrid(grid[3 * i + 1], grid[3 * i + 2]));
        }
        assertThat(patches.patchLength()).isEqualTo(golden.entry(key).shape().get(1).intValue());
        assertThat(Golden.maxAbsDiff(patches.pixelValues(), golden.floats(key))).isLessThanOrEqualTo(1e-5);
    }

    private interface Check {
        void of(JsonNode row);
    }

    private static Stream<DynamicTest> each(JsonNode rows, Check check) {
        assertThat(rows).isNotEmpty();
        return StreamSupport.stream(rows.spliterator(), false).map(row -> DynamicTest.dynamicTest(
                "%s x %s".formatted(row.get("w"), row.get("h")), () -> check.of(row)));
    }

    private static PictureSize widthHeight(JsonNode pair) {
        return new PictureSize(pair.get(0).asInt(), pair.get(1).asInt());
    }

    private static PictureSize heightWidth(JsonNode pair) {
        return new PictureSize(pair.get(1).asInt(), pair.get(0).asInt());
    }
}
