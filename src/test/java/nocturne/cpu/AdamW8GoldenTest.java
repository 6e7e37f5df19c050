package nocturne.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import nocturne.golden.AdamW8Golden;
import nocturne.io.DType;
import nocturne.tensor.Backend;
import nocturne.tensor.MomentCodes;
import nocturne.tensor.Optimisation.Moments8;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;

/// bitsandbytes' AdamW8bit on the processor.
class AdamW8GoldenTest extends AdamW8Golden {
    @Override
    protected Backend backend() {
        return new CpuBackend(2);
    }

    @Test
    void theCodesMeanWhatTheyMeanInTheReference() {
        assertThat(MomentCodes.SIGNED.values()).isEqualTo(GOLDEN.floats("qmap_signed"));
        assertThat(MomentCodes.UNSIGNED.values()).isEqualTo(GOLDEN.floats("qmap_unsigned"));
        assertThat(META.path("block").intValue()).isEqualTo(MomentCodes.BLOCK);
    }

    @Test
    void everyValueIsNearestToItself() {
        for (MomentCodes codes : List.of(MomentCodes.SIGNED, MomentCodes.UNSIGNED)) {
            for (int code = 0; code < 256; code++) {
                assertThat(codes.nearest(codes.value((byte) code))).isEqualTo((byte) code);
            }
            assertThat(codes.nearest(-2)).isEqualTo((byte) 0);
            assertThat(codes.nearest(2)).isEqualTo((byte) 255);
        }
    }

    /// The same bits however the blocks are spread over threads.
    @Test
    void theNumberOfThreadsChangesNothing() {
        float[][] results = new float[2][];
        for (int threads = 1; threads <= 2; threads++) {
            int size = 40_000;
            try (Backend backend = new CpuBackend(3 * threads - 2); TensorArena arena = backend.newArena()) {
                float[] numbers = new float[size];
                for (int i = 0; i < size; i++) numbers[i] = (float) Math.sin(i);
                Tensor p = backend.floats(arena, numbers, size);
                Tensor g = backend.floats(arena, numbers, size);
                Moments8 moments = new Moments8(zeros(backend, arena, DType.U8, size),
                        zeros(backend, arena, DType.U8, size),
                        zeros(backend, arena, DType.F32, MomentCodes.blocks(size)),
                        zeros(backend, arena, DType.F32, MomentCodes.blocks(size)));
                for (int step = 1; step <= 3; step++) {
                    backend.optimisation().adamW8(p, g, moments, SETTINGS, step, 0.5f);
                }
                results[threads - 1] = backend.toArray(p);
            }
        }
        assertThat(results[0]).isEqualTo(results[1]);
    }
}
