package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import nocturne.io.DType;
import nocturne.problem.SickMachine;
import nocturne.tensor.Philox;
import nocturne.tensor.Tensor;
import nocturne.tensor.WeightStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What only a real card can show: that images load, that streams wait as they should, that errors are what the manual
/// says. Skipped, with the reason, where there is none. The twins run on it too.
final class CardTest {
    private static final long BEYOND_THE_RING = 200_000_000;

    private Card card;

    @BeforeEach
    void find() {
        card = TestCard.required();
    }

    @Test
    void aLargeCopyComesBackAsItWent() {
        try (CudaDevice device = TestCard.open(); Arena arena = Arena.ofConfined()) {
            MemorySegment there = arena.allocate(BEYOND_THE_RING, 8);
            var chance = Philox.stream(3, "bytes").asGenerator(0);
            for (long i = 0; i < BEYOND_THE_RING / 8; i++) {
                there.setAtIndex(ValueLayout.JAVA_LONG, i, chance.nextLong());
            }
            MemorySegment memory = device.allocate(BEYOND_THE_RING);
            MemorySegment other = device.allocate(BEYOND_THE_RING);
            MemorySegment back = arena.allocate(BEYOND_THE_RING, 8);
            device.copyIn(there, memory);
            device.copy(memory, other);
            device.copyOut(other, back);
            assertThat(back.mismatch(there)).isEqualTo(-1);
            assertThat(device.freeBytes()).isLessThan(card.bytes());
        }
    }

    /// As [CudaDeviceTest] has it on a pretended driver, with a kernel of ours.
    @Test
    void copiesAndKernelsKeepTheirOrder() {
        int numbers = 1 << 20;
        try (CudaDevice device = TestCard.open(); Arena arena = Arena.ofConfined()) {
            MemorySegment ones = arena.allocate(4L * numbers, 4);
            for (int i = 0; i < numbers; i++) ones.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
            MemorySegment one = device.allocate(4L * numbers);
            MemorySegment sum = device.allocate(4L * numbers);
            device.copyIn(ones, one);
            MemorySegment host = arena.allocate(4L * numbers, 4);
            Arguments arguments = new Arguments();
            for (int round = 0; round < 20; round++) {
                for (int i = 0; i < numbers; i++) host.setAtIndex(ValueLayout.JAVA_FLOAT, i, round);
                device.copyIn(host, sum);
                // Which the card must not see.
                host.fill((byte) 0x77);
                for (int i = 0; i < 50; i++) {
                    device.launch("add_scaled_f32", numbers / 2048, 256,
                            arguments.start().pointer(one).number(2).pointer(sum).longInteger(numbers));
                }
                device.copyOut(sum, host);
                for (int i = 0; i < numbers; i += 1013) {
                    assertThat(host.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(round + 100f);
                }
            }
        }
    }

    /// The next weights come by a stream of their own while kernels read those before them.
    @Test
    void weightsThatComeAndGoAreWholeWhenTheyAreRead() {
        int numbers = 4 << 20;
        int parts = 5;
        try (CudaDevice device = CudaDevice.open(card, TestCard.libraries(), ProductSource.OWN);
                Arena arena = Arena.ofConfined()) {
            WeightStream.Sequence walk = new WeightRing(device, DType.F32, 2).newSequence();
            List<Tensor> weights = new ArrayList<>();
            MemorySegment host = arena.allocate(4L * numbers, 4);
            for (int part = 0; part < parts; part++) {
                float value = part + 1;
                weights.addAll(walk.load(part, memory -> {
                    Tensor tensor = memory.allocate(DType.F32, numbers);
                    for (int i = 0; i < numbers; i++) host.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
                    device.copyIn(host, tensor.data());
                    return List.of(tensor);
                }, List::copyOf));
            }
            MemorySegment sum = device.allocate(4L * numbers);
            Arguments arguments = new Arguments();
            device.launch("fill_f32", numbers / 2048, 256, arguments.start().pointer(sum).number(0)
                    .longInteger(numbers));
            float expected = 0;
            for (int pass = 0; pass < 6; pass++) {
                for (int part = 0; part < parts; part++) {
                    walk.need(part);
                    for (int i = 0; i < 20; i++) {
                        device.launch("add_scaled_f32", numbers / 2048, 256, arguments.start()
                                .pointer(weights.get(part).data()).number(1).pointer(sum).longInteger(numbers));
                    }
                    expected += 20 * (part + 1);
                }
            }
            device.copyOut(sum, host);
            for (int i = 0; i < numbers; i += 1013) {
                assertThat(host.getAtIndex(ValueLayout.JAVA_FLOAT, i)).as("number %d", i).isEqualTo(expected);
            }
        }
    }

    @Test
    void askingForTooMuchDoesNoHarm() {
        try (CudaDevice device = TestCard.open()) {
            assertThatThrownBy(() -> device.allocate(2 * card.bytes()))
                    .isInstanceOfSatisfying(SickMachine.class,
                            problem -> assertThat(problem.code()).isEqualTo("GPU_OUT_OF_MEMORY"))
                    .hasMessageContaining("are free");
            device.release(device.allocate(1 << 20));
        }
    }

    @Test
    void imagesOfTheRunTimeCompilerLoad() {
        CudaLibraries libraries = TestCard.libraries();
        assumeTrue(libraries.file(CudaLibrary.NVRTC).isPresent(), "this machine has no NVRTC");
        Nvrtc nvrtc = Nvrtc.of(libraries);
        byte[] image = nvrtc.compile(KernelSources.ofProgram(), "elementwise", Architecture.of(card.capability()));
        try (CudaDevice device = CudaDevice.open(CudaDriver.load(libraries), card, List.of(image), 1 << 20)) {
            MemorySegment memory = device.allocate(4);
            device.launch("fill_f32", 1, 32, new Arguments().start().pointer(memory).number(7).longInteger(1));
            device.synchronise();
        }
    }

    @Test
    void cublasLtPassesItsTrial() {
        CudaLibraries libraries = TestCard.libraries();
        assumeTrue(libraries.file(CudaLibrary.CUBLAS_LT).isPresent() && libraries.file(CudaLibrary.CUBLAS).isPresent(),
                "this machine has no cuBLASLt");
        try (CudaDevice device = CudaDevice.open(card, libraries, ProductSource.CUBLAS)) {
            assertThat(device.notices()).isEmpty();
            assertThat(device.libraryProducts()).isPresent();
        }
    }

    /// In a process of its own, which is of no use afterwards.
    @Test
    void aKernelThatWritesNowhereEndsTheUseOfTheCard() throws Exception {
        ChildJvm.End end = ChildJvm.run(Map.of(), Astray.class, System.getProperty("nocturne.card", "cuda:0"));
        assertThat(end.text()).startsWith("DEVICE_ERROR_700: ").contains("fill_f32 with grid 1 x 1 x 1, block 32");
    }

    /// What the child runs.
    static final class Astray {
        public static void main(String[] args) {
            System.setProperty("nocturne.card", args[0]);
            try (CudaDevice device = TestCard.open()) {
                device.launch("fill_f32", 1, 32, new Arguments().start().pointer(MemorySegment.ofAddress(4096))
                        .number(7).longInteger(32));
                device.synchronise();
            } catch (SickMachine sick) {
                System.out.println(sick.code() + ": " + sick.getMessage());
            }
        }
    }
}
