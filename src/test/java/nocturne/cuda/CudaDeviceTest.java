package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import nocturne.cuda.Card.Capability;
import nocturne.cuda.PretendedDriver.Eager;
import nocturne.problem.SickMachine;
import nocturne.tensor.Philox;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The device on a pretended driver: order of work, bookkeeping, and what comes of each of the driver's answers.
final class CudaDeviceTest {
    private static final Card CARD = new Card(0, "NVIDIA Pretended", new Capability(8, 9), PretendedDriver.TOTAL_BYTES);
    /// So small that a copy of a few thousand numbers goes around it several times.
    private static final long RING_BYTES = 4096;

    @AutoClose
    private final Arena host = Arena.ofConfined();

    private final Arguments arguments = new Arguments();

    /// Hundreds of copies in, launches, copies on the card and copies out in an order by chance, against an array.
    @ParameterizedTest
    @EnumSource
    void workIsDoneInTheOrderInWhichItWasAskedFor(Eager eager) {
        int numbers = 3000;
        PretendedDriver driver = new PretendedDriver(eager);
        try (CudaDevice device = open(driver)) {
            MemorySegment[] memory = {device.allocate(4L * numbers), device.allocate(4L * numbers)};
            MemorySegment staging = host.allocate(4L * numbers, 4);
            float[][] expected = new float[2][numbers];
            var chance = Philox.stream(7, "work").asGenerator(0);
            for (MemorySegment each : memory) device.copyIn(staging, each);
            for (int i = 0; i < 600; i++) {
                int which = chance.nextInt(2);
                int count = 1 + chance.nextInt(numbers);
                switch (chance.nextInt(4)) {
                    case 0 -> {
                        for (int n = 0; n < count; n++) {
                            staging.setAtIndex(ValueLayout.JAVA_FLOAT, n, i);
                            expected[which][n] = i;
                        }
                        device.copyIn(staging.asSlice(0, 4L * count), memory[which].asSlice(0, 4L * count));
                        // Which the device must not see.
                        staging.fill((byte) 0x77);
                    }
                    case 1 -> {
                        device.launch("add", 1, 32, add(memory[which], count, i));
                        for (int n = 0; n < count; n++) expected[which][n] += i;
                    }
                    case 2 -> {
                        device.copy(memory[which].asSlice(0, 4L * count), memory[1 - which].asSlice(0, 4L * count));
                        System.arraycopy(expected[which], 0, expected[1 - which], 0, count);
                    }
                    default -> assertThat(read(device, memory[which], count)).as("after step %d", i)
                            .isEqualTo(Arrays.copyOf(expected[which], count));
                }
            }
            for (int which = 0; which < 2; which++) {
                assertThat(read(device, memory[which], numbers)).isEqualTo(expected[which]);
            }
            for (MemorySegment each : memory) device.release(each);
            assertThat(device.usedBytes()).isZero();
        }
        assertThat(driver.live()).isEmpty();
    }

    @Test
    void memoryIsCounted() {
        try (CudaDevice device = open(new PretendedDriver(Eager.NOTHING))) {
            MemorySegment first = device.allocate(1000);
            MemorySegment second = device.allocate(500);
            device.release(first);
            device.allocate(100);
            assertThat(device.usedBytes()).isEqualTo(600);
            assertThat(device.peakBytes()).isEqualTo(1500);
            assertThat(device.freeBytes()).isEqualTo(PretendedDriver.TOTAL_BYTES - 600);
            assertThat(device.allocate(0).byteSize()).isZero();
            device.release(second);
            assertThatThrownBy(() -> device.release(second)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> device.release(MemorySegment.ofAddress(4711)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void memoryThatIsNotThereIsExplained() {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING).withOthersUsing(PretendedDriver.TOTAL_BYTES / 2);
        try (CudaDevice device = open(driver)) {
            device.allocate(256 << 10);
            assertThatThrownBy(() -> device.allocate(512 << 10))
                    .isInstanceOfSatisfying(SickMachine.class,
                            problem -> assertThat(problem.code()).isEqualTo("GPU_OUT_OF_MEMORY"))
                    .hasMessageStartingWith(
                            "the memory of NVIDIA Pretended is not enough: 0.00 GiB more were asked for;")
                    .hasMessageContainingAll("in use by this run", "are free", "taken by the driver and by other",
                            "--vram", "nvidia-smi");
            assertThat(device.usedBytes()).isEqualTo(256 << 10);
            // Who asks for less may have it.
            device.allocate(128 << 10);
        }
        assertThat(driver.live()).isEmpty();
    }

    @Test
    void aLaunchThatIsRefusedNamesItsShape() {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING);
        try (CudaDevice device = open(driver)) {
            MemorySegment memory = device.allocate(40);
            driver.failingNext("launch", 701);
            assertThatThrownBy(() -> device.launch("add", 5, 6, 7, 32, 2, 1, 100, add(memory, 10, 1)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("launching add with grid 5 x 6 x 7, block 32 x 2 x 1, 100 bytes of dynamic shared"
                            + " memory: CUDA error 701 (launch out of resources).");
            // Nothing was started, so nothing is broken.
            device.launch("add", 1, 32, add(memory, 10, 1));
            device.synchronise();
        }
    }

    @Test
    void anUnknownKernelIsOurMistake() {
        try (CudaDevice device = open(new PretendedDriver(Eager.NOTHING))) {
            assertThatThrownBy(() -> device.launch("ad", 1, 1, arguments.start()))
                    .isInstanceOf(IllegalStateException.class).hasMessage("there is no kernel ad in kernels/");
        }
    }

    @Test
    void aKernelIsLookedForOnceAndToldOfItsSharedMemoryOnce() {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING);
        try (CudaDevice device = open(driver)) {
            MemorySegment memory = device.allocate(40);
            for (int shared : new int[] {48 << 10, 64 << 10, 64 << 10, 10, 99 << 10, 80 << 10}) {
                device.launch("add", 1, 1, 1, 1, 1, 1, shared, add(memory, 10, 1));
            }
            assertThat(driver.calls()).filteredOn("function"::equals).hasSize(1);
            assertThat(driver.calls()).filteredOn("setAttribute"::equals).hasSize(2);
        }
    }

    @Test
    void anErrorThatIsToldLaterNamesTheKernelsThatMayHaveMadeIt() {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING);
        try (CudaDevice device = open(driver)) {
            MemorySegment memory = device.allocate(40);
            device.launch("add", 1, 32, add(memory, 10, 1));
            device.synchronise();
            device.launch("fault", 1, 32, arguments.start());
            device.launch("add", 3, 64, add(memory, 10, 1));
            assertThatThrownBy(device::synchronise)
                    .isInstanceOfSatisfying(SickMachine.class,
                            problem -> assertThat(problem.code()).isEqualTo("DEVICE_ERROR_700"))
                    .hasMessageStartingWith("waiting for the card (something may have gone wrong in one of the 2"
                            + " kernels launched since the host last waited, the last of which was add with"
                            + " grid 3 x 1 x 1, block 64 x 1 x 1, 0 bytes of dynamic shared memory): CUDA error 700"
                            + " (illegal address). Start again: ");
            // From here on there is no going on, and nobody asks the driver any more.
            int calls = driver.calls().size();
            assertThatThrownBy(() -> device.allocate(1)).isInstanceOfSatisfying(SickMachine.class,
                    problem -> assertThat(problem.code()).isEqualTo("DEVICE_ERROR_700"));
            assertThatThrownBy(() -> device.launch("add", 1, 1, add(memory, 1, 1))).isInstanceOf(SickMachine.class);
            assertThatThrownBy(() -> device.copyIn(host.allocate(4), memory.asSlice(0, 4)))
                    .isInstanceOf(SickMachine.class);
            assertThat(driver.calls()).hasSize(calls);
        }
        assertThat(driver.live()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(CudaError.class)
    void everyErrorHasTheTypeThatItsNextStepNeeds(CudaError error) {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING);
        try (CudaDevice device = open(driver)) {
            int code = error == CudaError.OTHER ? 4711 : error.number();
            driver.failingNext("waitFor", code);
            assertThatThrownBy(device::synchronise).hasMessageContaining("CUDA error " + code).satisfies(thrown -> {
                String wanted = switch (error.blame()) {
                    case MEMORY -> "GPU_OUT_OF_MEMORY";
                    case TAKEN -> "DEVICE_UNAVAILABLE";
                    case DAMAGED -> "DEVICE_DAMAGED";
                    case LOST -> "DEVICE_LOST";
                    case DRIVER -> "DEVICE_DRIVER";
                    case KERNEL -> "DEVICE_ERROR_" + code;
                    case PROGRAM -> "our own mistake";
                };
                assertThat(thrown instanceof SickMachine sick ? sick.code() : "our own mistake").isEqualTo(wanted);
            });
        }
        assertThat(driver.live()).isEmpty();
    }

    @Test
    void anyThreadMayUseItOneAtATime() throws InterruptedException {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING);
        CudaDevice device = open(driver);
        Thread other = Thread.ofPlatform().start(() -> {
            MemorySegment memory = device.allocate(40);
            device.launch("add", 1, 1, add(memory, 10, 1));
        });
        other.join();
        device.synchronise();
        device.close();
        // The pretended driver throws at any call of a thread without a context; then there would be no memory.
        assertThat(driver.calls()).contains("make memory", "launch");
        assertThat(driver.calls()).filteredOn("setCurrentContext"::equals).hasSize(4);
        assertThat(driver.live()).isEmpty();
    }

    @Test
    void closingTwiceDoesNothingTheSecondTime() {
        PretendedDriver driver = new PretendedDriver(Eager.NOTHING);
        CudaDevice device = open(driver);
        device.close();
        int calls = driver.calls().size();
        device.close();
        assertThat(driver.calls()).hasSize(calls);
    }

    private Arguments add(MemorySegment numbers, long count, float added) {
        return arguments.start().pointer(numbers).longInteger(count).number(added);
    }

    private float[] read(CudaDevice device, MemorySegment memory, int count) {
        MemorySegment target = host.allocate(4L * count, 4);
        device.copyOut(memory.asSlice(0, 4L * count), target);
        return target.toArray(ValueLayout.JAVA_FLOAT);
    }

    @ParameterizedTest
    @CsvSource({"8, 0, false", "8, 6, false", "8, 9, true", "9, 0, true", "12, 0, true"})
    void cardsFromAdaOnMultiplyE4m3(int major, int minor, boolean expected) {
        Card card = new Card(0, "NVIDIA Pretended", new Capability(major, minor), PretendedDriver.TOTAL_BYTES);
        try (CudaDevice device = CudaDevice.open(
                new PretendedDriver(Eager.NOTHING), card, List.of(new byte[] {1}, new byte[] {2}), RING_BYTES)) {
            assertThat(device.multipliesE4m3()).isEqualTo(expected);
        }
    }

    @Test
    void aLibraryThatIsMissingIsANoticeUnlessItWasAskedFor() {
        CudaLibraries nowhere = CudaLibraries.in(List.of(), Map::of);
        try (CudaDevice device = open(new PretendedDriver(Eager.NOTHING))) {
            device.multiplyBy(() -> CublasLt.load(nowhere), ProductSource.OWN);
            assertThat(device.notices()).isEmpty();
            device.multiplyBy(() -> CublasLt.load(nowhere), ProductSource.AUTO);
            assertThat(device.libraryProducts()).isEmpty();
            assertThat(device.notices()).singleElement().asString()
                    .startsWith("matrix products are those of our own kernels: libcublasLt.so.13 was not found: ")
                    .contains("nvidia-cublas", "--cuda-libs");
            assertThatThrownBy(() -> device.multiplyBy(() -> CublasLt.load(nowhere), ProductSource.CUBLAS))
                    .isInstanceOfSatisfying(SickMachine.class,
                            problem -> assertThat(problem.code()).isEqualTo("DEVICE_LIBRARIES"))
                    .hasMessageStartingWith("--gemm cublas: libcublasLt.so.13 was not found: ");
        }
    }

    @Test
    void ofACardThatIsSickTheLibraryIsNotTheReason() {
        PretendedDriver driver = new PretendedDriver(Eager.KERNELS);
        try (CudaDevice device = open(driver)) {
            assertThatThrownBy(() -> device.multiplyBy(() -> {
                device.launch("fault", 1, 32, arguments.start());
                device.synchronise();
                throw new AssertionError("the fault was not seen");
            }, ProductSource.AUTO)).isInstanceOfSatisfying(SickMachine.class,
                    problem -> assertThat(problem.code()).isEqualTo("DEVICE_ERROR_700"));
            assertThat(device.notices()).isEmpty();
        }
    }

    static CudaDevice open(Driver driver) {
        return CudaDevice.open(driver, CARD, List.of(new byte[] {1}, new byte[] {2}), RING_BYTES);
    }
}
