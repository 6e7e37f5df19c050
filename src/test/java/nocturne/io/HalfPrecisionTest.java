package nocturne.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class HalfPrecisionTest {
    @Example
    void everyBf16SurvivesTheRoundTrip() {
        for (int bits = 0; bits < 65536; bits++) {
            float value = HalfPrecision.fromBf16((short) bits);
            short back = HalfPrecision.toBf16(value);
            if (Float.isNaN(value)) assertThat(HalfPrecision.fromBf16(back)).isNaN();
            else assertThat(back).as("bf16 %04x", bits).isEqualTo((short) bits);
        }
    }

    @Example
    void everyF16SurvivesTheRoundTrip() {
        for (int bits = 0; bits < 65536; bits++) {
            float value = HalfPrecision.fromF16((short) bits);
            short back = HalfPrecision.toF16(value);
            if (Float.isNaN(value)) assertThat(HalfPrecision.fromF16(back)).isNaN();
            else assertThat(back).as("f16 %04x", bits).isEqualTo((short) bits);
        }
    }

    /// The middle between each bf16 and the next goes to the even one, and a hair beside it to its own side.
    @Example
    void bf16RoundsToTheNearestAndTiesToEven() {
        for (int bits = 0; bits < 0x7f80; bits++) {
            for (int sign : new int[] {0, 0x8000}) {
                int low = bits | sign;
                float middle = Float.intBitsToFloat(low << 16 | 0x8000);
                short even = (short) ((low & 1) == 0 ? low : low + 1);
                assertThat(HalfPrecision.toBf16(middle)).isEqualTo(even);
                assertThat(HalfPrecision.toBf16(Float.intBitsToFloat(low << 16 | 0x7fff))).isEqualTo((short) low);
                assertThat(HalfPrecision.toBf16(Float.intBitsToFloat(low << 16 | 0x8001))).isEqualTo((short) (low + 1));
            }
        }
    }

    @Property
    void aNarrowedNumberIsNeverFartherThanItsNeighbours(@ForAll float value) {
        if (Math.abs(value) > HalfPrecision.F16_MAX) return;
        short bits = HalfPrecision.toF16(value);
        BigDecimal chosen = distance(value, HalfPrecision.fromF16(bits));
        for (int neighbour : new int[] {bits - 1, bits + 1}) {
            float other = HalfPrecision.fromF16((short) neighbour);
            if (Float.isFinite(other)) assertThat(chosen).isLessThanOrEqualTo(distance(value, other));
        }
    }

    private static BigDecimal distance(float a, float b) {
        return new BigDecimal(a).subtract(new BigDecimal(b)).abs();
    }

    @Example
    void limitsAreWhereTheFormatsHaveThem() {
        assertThat(HalfPrecision.fromF16((short) 0x7bff)).isEqualTo(HalfPrecision.F16_MAX);
        assertThat(HalfPrecision.fromF16((short) 0x0400)).isEqualTo(HalfPrecision.F16_MIN_NORMAL);
        assertThat(HalfPrecision.fromF16(HalfPrecision.toF16(65520))).isInfinite();
        assertThat(HalfPrecision.fromBf16(HalfPrecision.toBf16(Float.MAX_VALUE))).isInfinite();
        assertThat(HalfPrecision.fromBf16(HalfPrecision.toBf16(Float.intBitsToFloat(0x7f800001)))).isNaN();
        assertThat(HalfPrecision.fromE4m3((byte) 0x7e)).isEqualTo(448);
        assertThat(HalfPrecision.fromE4m3((byte) 0x01)).isEqualTo(0x1p-9f);
        assertThat(HalfPrecision.fromE4m3((byte) 0xff)).isNaN();
        assertThat(HalfPrecision.fromE5m2((byte) 0x7b)).isEqualTo(57344);
    }
}
