package nocturne.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import nocturne.tensor.DeviceMemory;

/// The card of this machine, for tests that want a real one beside the simulated.
///
/// That is `cuda:0`, or another one by `-Dnocturne.card=cuda:1`, or none by `-Dnocturne.card=none`. It is opened once
/// and lent: who closes what was lent gives back what was allocated on it, and no more.
final class TestCard {
    private static final String WANTED = System.getProperty("nocturne.card", "cuda:0");
    private static final CudaPresence PRESENCE = WANTED.equals("none")
            ? new CudaPresence.Absent("-Dnocturne.card=none", "") : CudaProbe.look();

    private TestCard() {}

    private static final class Opened {
        static final CudaDevice DEVICE = open();
    }

    static Optional<Card> find() {
        if (!(PRESENCE instanceof CudaPresence.Found found)) return Optional.empty();
        return found.cards().stream().filter(card -> card.device().equals(WANTED) && card.isUsable()).findFirst();
    }

    /// Skips the calling test where there is none.
    static Card required() {
        String why = PRESENCE instanceof CudaPresence.Absent absent ? absent.reason() : "no usable card " + WANTED;
        assumeTrue(find().isPresent(), "no test on a card: " + why);
        return find().orElseThrow();
    }

    /// Opens it once more; the caller closes it.
    static CudaDevice open() {
        return CudaDevice.open(find().orElseThrow(), libraries(), products());
    }

    /// Our own, or those that `-Dnocturne.gemm` names.
    private static ProductSource products() {
        return ProductSource.valueOf(System.getProperty("nocturne.gemm", "own").toUpperCase(Locale.ROOT));
    }

    /// With NVRTC where a build with -Pcubins may have put it.
    static CudaLibraries libraries() {
        return CudaLibraries.find(Path.of("target/nvrtc").toAbsolutePath());
    }

    /// Only where there is one; the same card for all, one after the other.
    static Device lend() {
        CudaDevice device = Opened.DEVICE;
        return new Device() {
            @Override
            public String name() {
                return device.name();
            }

            @Override
            public boolean multipliesE4m3() {
                return device.multipliesE4m3();
            }

            @Override
            public Optional<DeviceMemory> memory() {
                return device.memory();
            }

            @Override
            public Optional<LibraryProducts> libraryProducts() {
                return device.libraryProducts();
            }

            @Override
            public MemorySegment allocate(long bytes) {
                return device.allocate(bytes);
            }

            @Override
            public void release(MemorySegment memory) {
                device.release(memory);
            }

            @Override
            public void copyIn(MemorySegment host, MemorySegment memory) {
                device.copyIn(host, memory);
            }

            @Override
            public void copyOut(MemorySegment memory, MemorySegment host) {
                device.copyOut(memory, host);
            }

            @Override
            public void copy(MemorySegment from, MemorySegment to) {
                device.copy(from, to);
            }

            @Override
            public MemorySegment allocateHost(long bytes) {
                return device.allocateHost(bytes);
            }

            @Override
            public long newEvent() {
                return device.newEvent();
            }

            @Override
            public void record(long event) {
                device.record(event);
            }

            @Override
            public void copyInLater(MemorySegment host, MemorySegment memory, long after, long done) {
                device.copyInLater(host, memory, after, done);
            }

            @Override
            public void waitFor(long event) {
                device.waitFor(event);
            }

            @Override
            public void launch(String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
                    int sharedBytes, Arguments arguments) {
                device.launch(kernel, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, arguments);
            }

            @Override
            public void close() {
                device.synchronise();
            }
        };
    }
}
