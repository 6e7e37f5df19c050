package nocturne.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import nocturne.cuda.Card.Capability;
import nocturne.problem.SickMachine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The binding really loads, and every call arrives at the driver as it was meant: on a driver that prints what it
/// hears.
///
/// In a process of its own, which finds that driver on its library path. NVIDIA's runtime must be there for the binding
/// to load; where it is not, this is skipped.
final class CudaDriverTest {
    private static final int LAUNCHES = 20_000;

    @TempDir
    private Path folder;

    /// Handles are small numbers, and each function says what it was called with.
    private static final String DRIVER = """
            #include <cstdio>
            #include <cstdint>
            #include <cstring>
            #define API extern "C" __attribute__((visibility("default")))
            typedef uintptr_t handle;
            static bool quiet = false;
            #define SAY(...) do { if (!quiet) { printf(__VA_ARGS__); printf("\\n"); fflush(stdout); } } while (0)
            API int cuInit(unsigned flags) { SAY("init %u", flags); return 0; }
            API int cuDeviceGet(int* device, int index) { SAY("device %d", index); *device = 70 + index; return 0; }
            API int cuDevicePrimaryCtxRetain(handle* context, int device) {
                SAY("retain %d", device); *context = 11; return 0;
            }
            API int cuDevicePrimaryCtxRelease_v2(int device) { SAY("release %d", device); return 0; }
            API int cuCtxSetCurrent(handle context) { SAY("current %lu", context); return 0; }
            API int cuCtxSynchronize() { SAY("synchronise"); return 0; }
            API int cuMemGetInfo_v2(size_t* free, size_t* total) {
                SAY("info"); *free = 5L << 30; *total = 24L << 30; return 0;
            }
            API int cuMemAlloc_v2(unsigned long long* address, size_t bytes) {
                SAY("allocate %zu", bytes); *address = 0x7f0000000000ULL; return bytes > (1L << 40) ? 2 : 0;
            }
            API int cuMemFree_v2(unsigned long long address) { SAY("free %llx", address); return 0; }
            static char host[1 << 16];
            API int cuMemHostAlloc(void** memory, size_t bytes, unsigned flags) {
                SAY("host %zu %u", bytes, flags); *memory = host; return bytes > sizeof host ? 2 : 0;
            }
            API int cuMemFreeHost(void* memory) { SAY("free host %d", memory == host); return 0; }
            API int cuStreamCreate(handle* stream, unsigned flags) {
                static handle next = 21; SAY("stream %u", flags); *stream = next++; return 0;
            }
            API int cuStreamDestroy_v2(handle stream) { SAY("destroy stream %lu", stream); return 0; }
            API int cuStreamWaitEvent(handle stream, handle event, unsigned flags) {
                SAY("stream %lu waits for %lu, %u", stream, event, flags); return 0;
            }
            API int cuEventCreate(handle* event, unsigned flags) {
                static handle next = 31; if (next < 33) SAY("event %u", flags); *event = next++; return 0;
            }
            API int cuEventDestroy_v2(handle event) { if (event < 33) SAY("destroy event %lu", event); return 0; }
            API int cuEventRecord(handle event, handle stream) { SAY("record %lu on %lu", event, stream); return 0; }
            API int cuEventSynchronize(handle event) { SAY("wait for %lu", event); return 0; }
            API int cuMemcpyHtoDAsync_v2(unsigned long long to, const void* from, size_t bytes, handle stream) {
                SAY("in %llx %.5s %zu %lu", to, static_cast<const char*>(from), bytes, stream); return 0;
            }
            API int cuMemcpyDtoHAsync_v2(void* to, unsigned long long from, size_t bytes, handle stream) {
                strcpy(static_cast<char*>(to), "HELLO"); SAY("out %llx %zu %lu", from, bytes, stream); return 0;
            }
            API int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes, handle stream) {
                SAY("copy %llx %llx %zu %lu", to, from, bytes, stream); return 0;
            }
            API int cuModuleLoadData(handle* module, const void* image) {
                SAY("load %.5s", static_cast<const char*>(image)); *module = 41; return 0;
            }
            API int cuModuleUnload(handle module) { SAY("unload %lu", module); return 0; }
            API int cuModuleGetFunction(handle* function, handle module, const char* name) {
                SAY("function %lu %s", module, name); *function = 51; return strcmp(name, "none") == 0 ? 500 : 0;
            }
            API int cuFuncSetAttribute(handle function, int attribute, int value) {
                SAY("attribute %lu %d %d", function, attribute, value); return 0;
            }
            API int cuLaunchKernel(handle function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                    unsigned bz, unsigned shared, handle stream, void** arguments, void** extra) {
                if (gx == 4711) { quiet = true; return 0; }
                SAY("launch %lu %u %u %u %u %u %u %u %lu: %llx %d %lld %g %d", function, gx, gy, gz, bx, by, bz, shared,
                    stream, *static_cast<unsigned long long*>(arguments[0]), *static_cast<int*>(arguments[1]),
                    *static_cast<long long*>(arguments[2]), *static_cast<float*>(arguments[3]), extra == nullptr);
                return 0;
            }
            """;

    @Test
    void everyCallArrivesAsItWasMeantAndALaunchLeavesNoGarbage() throws Exception {
        assumeTrue(CudaLibraries.find(null).file(CudaLibrary.RUNTIME).isPresent(), "this machine has no CUDA runtime");
        StubDriver.compile(DRIVER, folder.resolve("libcuda.so.1"));
        ChildJvm.End end = ChildJvm.run(Map.of("LD_LIBRARY_PATH", folder.toString()), Life.class);
        assertThat(end.code()).as(end.text()).isZero();
        assertThat(end.text().lines()).containsExactly("""
                init 0
                device 3
                retain 73
                current 11
                stream 1
                stream 1
                stream 1
                stream 1
                event 3
                host 4096 0
                event 3
                load image
                allocate 6
                record 31 on 21
                stream 22 waits for 31, 0
                in 7f0000000000 hello 6 22
                record 32 on 22
                stream 21 waits for 32, 0
                function 41 none
                no kernel: there is no kernel none in kernels/
                function 41 mix_bf16
                attribute 51 8 101376
                launch 51 5 6 7 32 2 1 101376 21: 7f0000000000 -9 5000000000 0.25 1
                copy 7f0000000002 7f0000000000 2 21
                record 31 on 21
                stream 23 waits for 31, 0
                out 7f0000000000 6 23
                record 33 on 23
                wait for 32
                wait for 33
                got HELLO
                info
                free 5368709120
                allocate 2199023255552
                info
                no memory: true
                record 31 on 21
                wait for 31
                free 7f0000000000
                launches leave less than a byte of garbage: true
                """.lines().toArray(String[]::new));
    }

    /// What the child runs.
    static final class Life {
        public static void main(String[] args) {
            Driver driver = CudaDriver.load(CudaLibraries.find(null));
            Card card = new Card(3, "Card", new Capability(8, 9), 24L << 30);
            byte[] image = "image".getBytes(StandardCharsets.US_ASCII);
            try (CudaDevice device = CudaDevice.open(driver, card, List.of(image), 4096)) {
                MemorySegment memory = device.allocate(6);
                Arguments arguments = new Arguments();
                MemorySegment host = Arena.global().allocateFrom("hello");
                device.copyIn(host, memory);
                try {
                    device.launch("none", 1, 1, arguments.start());
                } catch (IllegalStateException e) {
                    say("no kernel: " + e.getMessage());
                }
                device.launch("mix_bf16", 5, 6, 7, 32, 2, 1, 99 << 10,
                        arguments.start().pointer(memory).integer(-9).longInteger(5_000_000_000L).number(0.25f));
                device.copy(memory.asSlice(0, 2), memory.asSlice(2, 2));
                device.copyOut(memory, host);
                say("got " + host.getString(0));
                say("free " + device.freeBytes());
                try {
                    device.allocate(2L << 40);
                } catch (SickMachine e) {
                    say("no memory: " + e.code().equals("GPU_OUT_OF_MEMORY"));
                }
                device.release(memory);
                say("launches leave less than a byte of garbage: " + (garbage(device, arguments) < LAUNCHES));
            }
        }

        private static long garbage(Device device, Arguments arguments) {
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = 0;
            // The first half compiles what is called.
            for (int i = 0; i < 2 * LAUNCHES; i++) {
                if (i == LAUNCHES) before = threads.getCurrentThreadAllocatedBytes();
                device.launch("mix_bf16", 4711, 32,
                        arguments.start().pointer(MemorySegment.NULL).integer(1).longInteger(2).number(3));
            }
            return threads.getCurrentThreadAllocatedBytes() - before;
        }

        private static void say(String words) {
            System.out.println(words);
            System.out.flush();
        }
    }
}
