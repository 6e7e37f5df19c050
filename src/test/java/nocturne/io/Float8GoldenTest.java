package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.ValueLayout;
import nocturne.golden.Golden;
import org.junit.jupiter.api.Test;

/// 8-bit floats as torch decodes and encodes them.
class Float8GoldenTest {
    private static final TensorSource GOLDEN = Golden.tensors("golden2/float8_e4m3fn_codec.safetensors");

    @Test
    void everyByteHasTheReferencesValue() {
        float[] values = GOLDEN.floats("decode_table");
        int[] isNaN = GOLDEN.ints("is_nan");
        for (int bits = 0; bits < 256; bits++) {
            float ours = HalfPrecision.fromE4m3((byte) bits);
            if (isNaN[bits] == 1) assertThat(ours).isNaN();
            else assertThat(ours).as("byte %d", bits).isEqualTo(values[bits]);
        }
    }

    @Test
    void everySampleHasTheReferencesByte() {
        float[] values = GOLDEN.floats("encode_in");
        byte[] expected = GOLDEN.bytes("encode_bits").toArray(ValueLayout.JAVA_BYTE);
        for (int i = 0; i < values.length; i++) {
            assertThat(HalfPrecision.toE4m3(values[i])).as("%s", values[i]).isEqualTo(expected[i]);
        }
    }
}
