package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import nocturne.problem.SickMachine;
import nocturne.tensor.DeviceMemory;
import org.jspecify.annotations.Nullable;

/// A card.
///
/// Four streams: one computes, two bring numbers in, one takes them out. Events between them keep to the order in
/// which work was asked for, as [Device] promises: a copy waits for the kernels before it, and the kernels after it for
/// the copy. The host waits only for memory of the ring to come free, for what it reads, and where memory is given
/// back.
public final class CudaDevice implements Device {
    private static final long RING_BYTES = 64L << 20;

    private final DriverSession session;
    private final Driver driver;
    private final Card card;
    private final LoadedKernels kernels;
    private final PinnedRing ring;
    private final long compute;
    private final long in;
    private final long out;
    /// Of copies beside the work, which wait for nothing but their own marks.
    private final long later;
    private final long computed;
    private final LastLaunch lastLaunch = new LastLaunch();
    private final List<String> notices = new ArrayList<>();
    private @Nullable CublasLtProducts libraryProducts;

    private CudaDevice(DriverSession session, Card card, List<byte[]> images, long ringBytes) {
        this.session = session;
        this.driver = session.driver();
        this.card = card;
        compute = session.stream();
        in = session.stream();
        out = session.stream();
        later = session.stream();
        computed = session.event();
        ring = new PinnedRing(session, ringBytes);
        kernels = new LoadedKernels(session, images);
    }

    /// @param card      that [CudaProbe] has found
    /// @param libraries where NVIDIA's lie
    /// @param products  whose they are
    /// @throws SickMachine `DEVICE_...` if the card cannot be used, or not with products as they were asked for
    public static CudaDevice open(Card card, CudaLibraries libraries, ProductSource products) {
        List<byte[]> images = KernelImages.ofProgram(libraries).on(card);
        CudaDevice device = open(CudaDriver.load(libraries), card, images, RING_BYTES);
        try {
            device.multiplyBy(() -> CublasLt.load(libraries), products);
            return device;
        } catch (RuntimeException | Error failure) {
            closing(device, failure);
            throw failure;
        }
    }

    static CudaDevice open(Driver driver, Card card, List<byte[]> images, long ringBytes) {
        DriverSession session = DriverSession.open(driver, card);
        try {
            return new CudaDevice(session, card, images, ringBytes);
        } catch (RuntimeException | Error failure) {
            closing(session, failure);
            throw failure;
        }
    }

    private static void closing(AutoCloseable resource, Throwable failure) {
        try {
            resource.close();
        } catch (Exception alsoFailed) {
            failure.addSuppressed(alsoFailed);
        }
    }

    /// Tries cuBLASLt, unless our own kernels were asked for, and lets it multiply from now on if all is well.
    ///
    /// @param library loads it
    /// @throws SickMachine `DEVICE_LIBRARIES` if it cannot be used and was asked for
    void multiplyBy(Supplier<CublasLt> library, ProductSource products) {
        if (products == ProductSource.OWN) return;
        MemorySegment workspace = MemorySegment.NULL;
        try {
            CublasLt loaded = library.get();
            workspace = allocate(CublasLtProducts.WORKSPACE_BYTES);
            libraryProducts = tried(new CublasLtProducts(loaded, workspace, compute,
                    card.capability().equals(Card.Capability.HOPPER), new ComputeQueue()));
        } catch (SickMachine | IllegalStateException unusable) {
            // Of a card that is sick the library is not the reason.
            session.enter();
            if (products == ProductSource.CUBLAS) {
                throw new SickMachine("DEVICE_LIBRARIES", "--gemm cublas: " + unusable.getMessage(), unusable);
            }
            notices.add("matrix products are those of our own kernels: " + unusable.getMessage());
            if (workspace.byteSize() > 0) release(workspace);
        }
    }

    private CublasLtProducts tried(CublasLtProducts library) {
        try (LibraryTrial trial = new LibraryTrial(this, library)) {
            Optional<String> fault = trial.faultOfProducts();
            if (fault.isPresent()) {
                throw new IllegalStateException("%s: %s. Please report this.".formatted(library.name(), fault.get()));
            }
            faultOfCodeProducts(trial).ifPresent(why -> {
                library.refuseCodes();
                notices.add("products of codes are those of our own kernels: %s: %s. Please report this.".formatted(
                        library.name(), why));
            });
            return library;
        } catch (RuntimeException | Error failure) {
            closing(library, failure);
            throw failure;
        }
    }

    private Optional<String> faultOfCodeProducts(LibraryTrial trial) {
        try {
            return trial.faultOfCodeProducts();
        } catch (IllegalStateException refused) {
            return Optional.of(String.valueOf(refused.getMessage()));
        }
    }

    /// What the library's products have to do with all other work.
    private final class ComputeQueue implements CublasLtProducts.Queue {
        @Override
        public void enter() {
            session.enter();
        }

        @Override
        public void launched(int rows, int columns, int depth) {
            lastLaunch.isProduct(rows, columns, depth);
        }

        @Override
        public void finish() {
            synchronise();
        }
    }

    @Override
    public Optional<LibraryProducts> libraryProducts() {
        return Optional.ofNullable(libraryProducts);
    }

    @Override
    public List<String> notices() {
        return List.copyOf(notices);
    }

    @Override
    public String name() {
        return card.name();
    }

    @Override
    public boolean multipliesE4m3() {
        return card.capability().isAtLeast(Card.Capability.WITH_E4M3);
    }

    /// Bytes of the card's memory that are allocated.
    public long usedBytes() {
        return session.usedBytes();
    }

    /// The most that were.
    public long peakBytes() {
        return session.peakBytes();
    }

    @Override
    public Optional<DeviceMemory> memory() {
        return Optional.of(session.memory());
    }

    /// Bytes that are free on the card now, whoever took the rest.
    public long freeBytes() {
        return session.freeBytes();
    }

    @Override
    public MemorySegment allocate(long bytes) {
        // The driver gives no memory of no size.
        return MemorySegment.ofAddress(session.allocate(Math.max(1, bytes))).reinterpret(bytes);
    }

    @Override
    public void release(MemorySegment memory) {
        // Whoever cleans up after a card that no longer answers is to come to its end.
        if (session.isSick()) return;
        synchronise();
        session.free(memory.address());
    }

    @Override
    public void copyIn(MemorySegment host, MemorySegment device) {
        requireSameSize(host, device);
        session.enter();
        inAfterCompute(in);
        for (long from = 0; from < host.byteSize(); from += ring.largest()) {
            long bytes = Math.min(ring.largest(), host.byteSize() - from);
            MemorySegment piece = ring.take(bytes);
            MemorySegment.copy(host, from, piece, 0, bytes);
            check(driver.copyIn(device.address() + from, piece.address(), bytes, in), "copying to the card");
            long arrived = ring.inUseBy(in);
            if (from + bytes == host.byteSize()) {
                check(driver.streamWaits(compute, arrived), "waiting for a copy to the card");
            }
        }
    }

    @Override
    public void copyOut(MemorySegment device, MemorySegment host) {
        requireSameSize(host, device);
        session.enter();
        inAfterCompute(out);
        MemorySegment before = MemorySegment.NULL;
        long end = 0;
        // While a piece is taken from the ring the next one is on its way.
        for (long from = 0; from < host.byteSize(); from += ring.largest()) {
            long bytes = Math.min(ring.largest(), host.byteSize() - from);
            MemorySegment piece = ring.take(bytes);
            check(driver.copyOut(piece.address(), device.address() + from, bytes, out), "copying from the card");
            ring.inUseBy(out);
            unload(before, end, host, from - before.byteSize());
            before = piece;
            end = ring.position();
        }
        unload(before, end, host, host.byteSize() - before.byteSize());
        lastLaunch.done();
    }

    private void unload(MemorySegment piece, long end, MemorySegment host, long to) {
        if (piece.byteSize() == 0) return;
        ring.waitUntil(end);
        MemorySegment.copy(piece, 0, host, to, piece.byteSize());
    }

    /// Lets a stream go on when all that was launched so far is done.
    private void inAfterCompute(long stream) {
        check(driver.record(computed, compute), "marking what was launched");
        check(driver.streamWaits(stream, computed), "waiting for what was launched");
    }

    @Override
    public void copy(MemorySegment from, MemorySegment to) {
        requireSameSize(from, to);
        session.enter();
        if (from.byteSize() == 0) return;
        check(driver.copy(to.address(), from.address(), from.byteSize(), compute), "copying on the card");
    }

    private static void requireSameSize(MemorySegment one, MemorySegment other) {
        if (one.byteSize() != other.byteSize()) {
            throw new IllegalArgumentException("copies " + one.byteSize() + " bytes, and " + other.byteSize());
        }
    }

    @Override
    public MemorySegment allocateHost(long bytes) {
        return MemorySegment.ofAddress(session.pinned(Math.max(1, bytes))).reinterpret(bytes);
    }

    @Override
    public long newEvent() {
        return session.event();
    }

    @Override
    public void record(long event) {
        session.enter();
        check(driver.record(event, compute), "marking what was launched");
    }

    @Override
    public void copyInLater(MemorySegment host, MemorySegment device, long after, long done) {
        requireSameSize(host, device);
        session.enter();
        check(driver.streamWaits(later, after), "waiting for what was launched");
        if (host.byteSize() > 0) {
            check(driver.copyIn(device.address(), host.address(), host.byteSize(), later), "copying to the card");
        }
        check(driver.record(done, later), "marking a copy");
    }

    @Override
    public void waitFor(long event) {
        session.enter();
        check(driver.streamWaits(compute, event), "waiting for a copy to the card");
    }

    @Override
    public void launch(String kernel, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, Arguments arguments) {
        session.enter();
        long handle = kernels.find(kernel, sharedBytes).handle();
        lastLaunch.is(kernel, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes);
        int code = driver.launch(handle, gridX, gridY, gridZ, blockX, blockY, blockZ, sharedBytes, compute,
                arguments.addresses().address());
        if (code != 0) throw session.failure(code, lastLaunch.launching());
    }

    /// Waits until all work is done.
    ///
    /// @throws SickMachine `DEVICE_...` if some of it went wrong
    public void synchronise() {
        session.enter();
        check(driver.record(computed, compute), "marking what was launched");
        check(driver.waitFor(computed), "waiting for the card");
        lastLaunch.done();
    }

    /// An error that is told here may be that of any kernel since the host last waited.
    private void check(int code, String doing) {
        if (code != 0) throw session.failure(code, doing + lastLaunch.suspects());
    }

    /// Gives everything back, memory that nobody released too.
    @Override
    public void close() {
        CublasLtProducts library = libraryProducts;
        libraryProducts = null;
        try {
            if (library != null && !session.isSick()) library.close();
        } finally {
            session.close();
        }
    }
}
