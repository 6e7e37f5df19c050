package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import nocturne.cuda.SimulatedDevice.Order;
import nocturne.io.DType;
import nocturne.io.HalfPrecision;
import nocturne.tensor.Philox;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The kernel of `kernels/noise.cu` against [Philox].
class NoiseTwinTest {
    private static float[] onDevice(Order order, DType type, Philox source, long first, int count) {
        try (CudaBackend backend = new CudaBackend(Simulated.device(order, 1), type);
                TensorArena arena = backend.newArena()) {
            Tensor noise = arena.allocate(count);
            backend.fillNormal(source, first, noise);
            return backend.toArray(noise);
        }
    }

    /// From the start of a stream, from each place in a block of the cipher, past 2^32 blocks, and over the end of all
    /// positions; seeds and streams with each of their bits.
    @ParameterizedTest
    @CsvSource({"1, 2, 0, 20000", "-1, -2, 1, 1", "0x5eed5eed5eed, -81985529216486896, 6, 3", "3, 4, 7, 1023",
        "5, 6, 17179869181, 9", "7, 8, -5, 12"})
    void normalNumbersAreThoseOfPhilox(String seed, long stream, long first, int count) {
        Philox source = new Philox(Long.decode(seed), stream);
        float[] expected = new float[count];
        source.fillNormal(expected, first);
        float[] ours = onDevice(Order.ASCENDING, DType.F32, source, first, count);
        int different = 0;
        for (int i = 0; i < count; i++) {
            assertThat(ours[i]).as("position %d", first + i).isCloseTo(expected[i], within(Math.ulp(expected[i])));
            if (ours[i] != expected[i]) different++;
        }
        assertThat(different).as("that are neighbours of the number expected").isLessThan(2);
        assertThat(onDevice(Order.SHUFFLED, DType.F32, source, first, count)).isEqualTo(ours);
    }

    @Test
    void noiseInBf16IsTheSameRounded() {
        float[] expected = new float[1000];
        new Philox(1, 2).fillNormal(expected, 3);
        for (int i = 0; i < expected.length; i++) {
            expected[i] = HalfPrecision.fromBf16(HalfPrecision.toBf16(expected[i]));
        }
        assertThat(onDevice(Order.ASCENDING, DType.BF16, new Philox(1, 2), 3, 1000)).isEqualTo(expected);
    }
}
