package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import nocturne.cuda.Card.Capability;
import nocturne.cuda.PretendedDriver.Eager;
import nocturne.problem.SickMachine;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A short life of a device, in which the driver fails once: at the first call, at the second, and so on to the last.
final class DriverFaultTest {
    private static final Card CARD = new Card(0, "NVIDIA Pretended", new Capability(8, 9), PretendedDriver.TOTAL_BYTES);
    private static final int MOST_CALLS = 1000;

    /// 2: out of memory; 46: somebody else has the card; 700, 719: a kernel went wrong; 999: the card is gone; 1: we
    /// have called it wrongly.
    @ParameterizedTest
    @ValueSource(ints = {2, 46, 700, 719, 999, 1})
    void wheneverACallFailsTheRightExceptionComesAndNothingIsLeft(int code) {
        int call = 0;
        boolean failed = true;
        while (failed) {
            call++;
            assertThat(call).isLessThan(MOST_CALLS);
            PretendedDriver driver = new PretendedDriver(Eager.NOTHING).failingAt(call, code);
            failed = failsAsItShould(driver, code, call);
            assertThat(driver.live()).as("left when call %d of %s failed", call, driver.calls()).isEmpty();
        }
        // Opening alone takes nearly a hundred calls; all of them have failed once, and the life without failure came
        // last.
        assertThat(call).isGreaterThan(150);
    }

    private static boolean failsAsItShould(PretendedDriver driver, int code, int call) {
        String function = "";
        try {
            live(driver);
            return false;
        } catch (SickMachine sick) {
            function = driver.calls().get(call - 1);
            assertThat(sick.code()).as("call %d, %s", call, function).isEqualTo(switch (code) {
                case 2 -> function.equals("make host memory") ? "MACHINE_FAILED" : "GPU_OUT_OF_MEMORY";
                case 46 -> "DEVICE_UNAVAILABLE";
                case 999 -> "DEVICE_LOST";
                default -> "DEVICE_ERROR_" + code;
            });
        } catch (IllegalStateException ourMistake) {
            assertThat(code).as("call %d, %s", call, function).isEqualTo(1);
            assertThat(ourMistake).hasMessageContaining("CUDA error 1");
        }
        return true;
    }

    private static void live(Driver driver) {
        try (CudaDevice device = CudaDevice.open(driver, CARD, List.of(new byte[] {1}, new byte[] {2}), 4096);
                Arena arena = Arena.ofConfined()) {
            Arguments arguments = new Arguments();
            MemorySegment numbers = device.allocate(8000);
            MemorySegment more = device.allocate(8000);
            MemorySegment host = arena.allocate(8000, 4);
            device.copyIn(host, numbers);
            device.launch("add", 1, 1, 1, 1, 1, 1, 64 << 10,
                    arguments.start().pointer(numbers).longInteger(2000).number(1));
            device.copy(numbers, more);
            device.copyOut(more, host);
            device.release(more);
            device.freeBytes();
            device.synchronise();
        }
    }
}
