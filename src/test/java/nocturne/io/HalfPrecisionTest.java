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

    @Example
    void everyE4m3SurvivesTheRoundTrip() {
        for (int bits = 0; bits < 256; bits++) {
            float value = HalfPrecision.fromE4m3((byte) bits);
            byte back = HalfPrecision.toE4m3(value);
            if (Float.isNaN(value)) assertThat(HalfPrecision.fromE4m3(back)).isNaN();
            else assertThat(back).as("e4m3 %02x", bits).isEqualTo((byte) bits);
        }
    }

    /// The middle between each e4m3 and the next goes to the even one, and a hair beside it to its own side.
    @Example
    void e4m3RoundsToTheNearestAndTiesToEven() {
        for (int bits = 0; bits < 0x7e; bits++) {
            float middle = (HalfPrecision.fromE4m3((byte) bits) + HalfPrecision.fromE4m3((byte) (bits + 1))) / 2;
            for (int sign : new int[] {0, 0x80}) {
                float signed = sign == 0 ? middle : -middle;
                int even = (bits & 1) == 0 ? bits : bits + 1;
                assertThat(HalfPrecision.toE4m3(signed)).isEqualTo((byte) (even | sign));
                float above = Float.intBitsToFloat(Float.floatToRawIntBits(signed) + 1);
                float below = Float.intBitsToFloat(Float.floatToRawIntBits(signed) - 1);
                assertThat(HalfPrecision.toE4m3(above)).as("%s", above).isEqualTo((byte) (bits + 1 | sign));
                assertThat(HalfPrecision.toE4m3(below)).as("%s", below).isEqualTo((byte) (bits | sign));
            }
        }
    }

    @Example
    void e4m3HasNoInfinities() {
        for (float large : new float[] {449, 464, 1e30f, Float.POSITIVE_INFINITY}) {
            assertThat(HalfPrecision.fromE4m3(HalfPrecision.toE4m3(large))).isEqualTo(HalfPrecision.E4M3_MAX);
            assertThat(HalfPrecision.fromE4m3(HalfPrecision.toE4m3(-large))).isEqualTo(-HalfPrecision.E4M3_MAX);
        }
        assertThat(HalfPrecision.toE4m3(Float.MIN_VALUE)).isZero();
        assertThat(HalfPrecision.toE4m3(-0f)).isEqualTo((byte) 0x80);
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
