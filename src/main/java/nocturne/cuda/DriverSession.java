package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import nocturne.problem.SickMachine;
import nocturne.tensor.DeviceMemory;
import org.jspecify.annotations.Nullable;

/// One card's context, and everything made in it: each answer of the driver is looked at, and what was made is given
/// back when the session ends, the last first.
///
/// After an error that leaves the context unusable, every further use throws that error again: such a process must end.
final class DriverSession implements AutoCloseable {
    private static final double GIB = 1L << 30;

    private final Driver driver;
    private final Card card;
    private final Deque<Release> releases = new ArrayDeque<>();
    private final Map<Long, Long> allocations = new HashMap<>();
    private final long[] answer = new long[2];
    private long context;
    private long usedBytes;
    private long peakBytes;
    private @Nullable Thread user;
    private @Nullable SickMachine sickness;

    /// How to give something back.
    private interface Release {
        int now();
    }

    private DriverSession(Driver driver, Card card) {
        this.driver = driver;
        this.card = card;
    }

    /// @throws SickMachine as [CudaError#failure] says
    static DriverSession open(Driver driver, Card card) {
        DriverSession session = new DriverSession(driver, card);
        session.check(driver.init(), "starting the CUDA driver");
        int[] handle = new int[1];
        session.check(driver.device(handle, card.index()), "asking for " + card.device());
        session.check(driver.retainContext(session.answer, handle[0]), "opening " + card);
        session.context = session.answer[0];
        session.releases.push(() -> driver.releaseContext(handle[0]));
        return session;
    }

    Driver driver() {
        return driver;
    }

    /// Whether every further use throws the error of an earlier one.
    boolean isSick() {
        return sickness != null;
    }

    /// To be called before the driver is: gives the calling thread the context.
    void enter() {
        if (sickness != null) throw again(sickness);
        if (user == Thread.currentThread()) return;
        check(driver.setCurrentContext(context), "giving a thread the context of " + card);
        user = Thread.currentThread();
    }

    /// Looks at an answer that has nothing to tell but whether all is well.
    void check(int code, String doing) {
        if (code != 0) throw failure(code, doing);
    }

    /// The exception for an answer that is not 0; remembers it, if there is no going on.
    RuntimeException failure(int code, String doing) {
        RuntimeException failure = CudaError.failure(code, doing);
        if (CudaError.of(code).blame().isSticky() && failure instanceof SickMachine sick) sickness = sick;
        return failure;
    }

    private static SickMachine again(SickMachine first) {
        return new SickMachine(first.code(), String.valueOf(first.getMessage()), first);
    }

    long stream() {
        enter();
        check(driver.createStream(answer, Driver.STREAM_NON_BLOCKING), "making a stream on " + card);
        long stream = answer[0];
        releases.push(() -> driver.destroyStream(stream));
        return stream;
    }

    long event() {
        enter();
        check(driver.createEvent(answer, Driver.EVENT_DISABLE_TIMING | Driver.EVENT_BLOCKING_SYNC),
                "making an event on " + card);
        long event = answer[0];
        releases.push(() -> driver.destroyEvent(event));
        return event;
    }

    /// Memory of the host that the card reaches; given back with the session.
    ///
    /// @throws SickMachine `MACHINE_FAILED` if the system has not that much to hold still
    long pinned(long bytes) {
        enter();
        int code = driver.allocateHost(answer, bytes);
        if (CudaError.of(code) == CudaError.OUT_OF_MEMORY) {
            throw new SickMachine("MACHINE_FAILED", ("the system has no %d MiB of memory that it can keep in place for"
                    + " copies to the card; end other programs, or raise the limit of a container.").formatted(
                            bytes >> 20), null);
        }
        check(code, "taking host memory for copies");
        long address = answer[0];
        releases.push(() -> driver.freeHost(address));
        return address;
    }

    long module(MemorySegment image, String what) {
        enter();
        check(driver.loadModule(answer, image), "bringing " + what + " to " + card);
        long module = answer[0];
        releases.push(() -> driver.unloadModule(module));
        return module;
    }

    /// Memory of the card.
    ///
    /// @throws SickMachine `GPU_OUT_OF_MEMORY` with all that there is to know about it
    long allocate(long bytes) {
        enter();
        int code = driver.allocate(answer, bytes);
        if (CudaError.of(code) == CudaError.OUT_OF_MEMORY) throw new SickMachine("GPU_OUT_OF_MEMORY", tooLittle(bytes),
                null);
        check(code, "taking %d bytes of %s".formatted(bytes, card));
        allocations.put(answer[0], bytes);
        usedBytes += bytes;
        peakBytes = Math.max(peakBytes, usedBytes);
        return answer[0];
    }

    private String tooLittle(long bytes) {
        long used = usedBytes;
        String rest = "";
        if (driver.memory(answer) == 0) {
            long others = Math.max(0, answer[1] - answer[0] - used);
            rest = ", %s of %s are free, and %s are taken by the driver and by other programs".formatted(
                    gib(answer[0]), gib(answer[1]), gib(others));
        }
        return ("the memory of %s is not enough: %s more were asked for; %s are in use by this run%s. Any of these"
                + " lowers the need: --vram with less than the card has, a smaller datasets[].resolution,"
                + " train.batch_size: 1 with train.gradient_accumulation, model.quantize: true, a lower"
                + " network.linear; or end what else runs on the card (see nvidia-smi).").formatted(
                        card.name(), gib(bytes), gib(used), rest);
    }

    private static String gib(long bytes) {
        return String.format(Locale.ROOT, "%.2f GiB", bytes / GIB);
    }

    /// Gives back what [#allocate] gave; all work that uses it must be done.
    void free(long address) {
        enter();
        Long bytes = allocations.remove(address);
        if (bytes == null) throw new IllegalArgumentException("not memory of this device, or given back twice");
        usedBytes -= bytes;
        check(driver.free(address), "giving back %d bytes of %s".formatted(bytes, card));
    }

    /// Bytes of the card's memory that are allocated, and the most that were.
    long usedBytes() {
        return usedBytes;
    }

    long peakBytes() {
        return peakBytes;
    }

    /// Bytes that are free on the card now, whoever took the rest.
    long freeBytes() {
        return memory().freeBytes();
    }

    DeviceMemory memory() {
        enter();
        check(driver.memory(answer), "asking for the free memory of " + card);
        return new DeviceMemory(answer[1], answer[0], usedBytes, peakBytes);
    }

    /// Waits for all work and gives everything back, as far as the driver still obeys. Once closed, nothing happens.
    ///
    /// @throws SickMachine or an [IllegalStateException] if something failed that had not failed before
    @Override
    public void close() {
        if (releases.isEmpty()) return;
        boolean wasSick = sickness != null;
        // The thread that closes may be another one. Where that fails so does what follows, and is told below.
        int failed = worse(driver.setCurrentContext(context), driver.synchronise());
        for (long address : allocations.keySet()) failed = worse(failed, driver.free(address));
        allocations.clear();
        usedBytes = 0;
        while (!releases.isEmpty()) failed = worse(failed, releases.pop().now());
        if (!wasSick) check(failed, "giving back all that was taken of " + card);
    }

    private static int worse(int before, int now) {
        return before != 0 ? before : now;
    }
}
