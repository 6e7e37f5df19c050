package nocturne.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import nocturne.golden.Golden;
import nocturne.image.Resample.Filter;
import nocturne.image.Resample.Order;
import nocturne.io.TensorSource;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Pillow's, torchvision's and torch's own answers. The 8-bit filters are integer arithmetic once the weights are
/// rounded, so nothing less than the same bytes will do; the file would allow one level, two when enlarging.
class ResampleGoldenTest {
    private static final TensorSource GOLDEN = Golden.tensors("golden2/image_resize.safetensors");

    private record Case(int index, int height, int width, JsonNode json) {
        Picture picture() {
            List<Long> shape = GOLDEN.entry(index + ".rgb").shape();
            return new Picture(shape.get(1).intValue(), shape.get(0).intValue(), bytes(index + ".rgb"));
        }

        /// The order in which the library that made the numbers went, as the file records it.
        Order order(String key) {
            return json.get(key).asText().equals("vertical_first") ? Order.VERTICAL_FIRST : Order.HORIZONTAL_FIRST;
        }
    }

    @TestFactory
    Stream<DynamicTest> lanczosIsPillows() {
        return cases(c -> assertThat(Resample
                .pillow(c.picture(), c.width, c.height, Filter.LANCZOS, c.order("lanczos_pil_order")).rgb())
                .isEqualTo(bytes(c.index + ".lanczos_pil")));
    }

    @TestFactory
    Stream<DynamicTest> bicubicIsPillows() {
        return cases(c -> assertThat(Resample
                .pillow(c.picture(), c.width, c.height, Filter.BICUBIC, c.order("bicubic_pil_order")).rgb())
                .isEqualTo(bytes(c.index + ".bicubic_pil")));
    }

    @TestFactory
    Stream<DynamicTest> theOtherBicubicIsTorchvisions() {
        return cases(c -> assertThat(Resample.torchvisionBicubic(c.picture(), c.width, c.height).rgb())
                .isEqualTo(bytes(c.index + ".bicubic_torchvision_u8")));
    }

    @TestFactory
    Stream<DynamicTest> bilinearIsTorchs() {
        return cases(c -> {
            Picture picture = c.picture();
            int pixels = picture.width() * picture.height();
            float[] planes = new float[3 * pixels];
            for (int i = 0; i < planes.length; i++) planes[i % 3 * pixels + i / 3] = (picture.rgb()[i] & 0xff) / 255f;
            float[] resized = Resample.bilinear(planes, 3, picture.height(), picture.width(), c.height, c.width);
            assertThat(Golden.maxAbsDiff(resized, GOLDEN.floats(c.index + ".bilinear_noaa_float")))
                    .isLessThanOrEqualTo(1e-6);
        });
    }

    private static byte[] bytes(String key) {
        return GOLDEN.bytes(key).toArray(ValueLayout.JAVA_BYTE);
    }

    private interface Check {
        void of(Case one);
    }

    private static Stream<DynamicTest> cases(Check check) {
        JsonNode cases = Golden.json("golden2/size_cases.json").get("resize_cases");
        assertThat(cases).isNotEmpty();
        return StreamSupport.stream(cases.spliterator(), false)
                .map(c -> new Case(c.get("index").asInt(), c.at("/out_hw/0").asInt(), c.at("/out_hw/1").asInt(), c))
                .map(c -> DynamicTest.dynamicTest("%s to %s".formatted(c.json.get("in_hw"), c.json.get("out_hw")),
                        () -> check.of(c)));
    }
}
