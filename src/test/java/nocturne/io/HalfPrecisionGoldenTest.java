package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;

import nocturne.golden.Golden;
import org.junit.jupiter.api.Test;

/// All 256 codes of the 8-bit float as PyTorch decodes them; NaN codes are listed apart and stored as 0.
class HalfPrecisionGoldenTest {
    @Test
    void everyE4m3CodeDecodesToTheReferenceValue() {
        TensorSource golden = Golden.tensors("golden2/float8_e4m3fn_codec.safetensors");
        float[] table = golden.floats("decode_table");
        int[] isNan = golden.ints("is_nan");
        assertThat(table).hasSize(256);
        for (int code = 0; code < 256; code++) {
            float ours = HalfPrecision.fromE4m3((byte) code);
            if (isNan[code] != 0) assertThat(ours).as("code %02x", code).isNaN();
            else assertThat(ours).as("code %02x", code).isEqualTo(table[code]);
        }
    }

    @Test
    void everyEncodedSampleDecodesToTheNearestValueToIt() {
        TensorSource golden = Golden.tensors("golden2/float8_e4m3fn_codec.safetensors");
        float[] values = golden.floats("encode_in");
        int[] bits = golden.ints("encode_bits");
        for (int i = 0; i < values.length; i++) {
            float chosen = Math.abs(HalfPrecision.fromE4m3((byte) bits[i]) - values[i]);
            for (int code = 0; code < 256; code++) {
                float other = Math.abs(HalfPrecision.fromE4m3((byte) code) - values[i]);
                if (!Float.isNaN(other)) assertThat(chosen).as("%s", values[i]).isLessThanOrEqualTo(other);
            }
        }
    }
}
