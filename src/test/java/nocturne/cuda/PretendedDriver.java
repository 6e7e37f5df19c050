package nocturne.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// A driver without a card. What it is told to do on a stream it does as early or as late as it may: whatever a real
/// card may do in between gives the same, if waits stand where they should.
///
/// Its kernels are `add` (pointer, int64_t count, float), which adds to each number, and `fault`, which leaves the
/// context unusable.
final class PretendedDriver implements Driver {
    static final long TOTAL_BYTES = 1L << 20;
    private static final int ILLEGAL_ADDRESS = 700;

    /// What is done as soon as it may; the rest is done when somebody waits for it.
    enum Eager { COPIES, KERNELS, NOTHING }

    private record Happening(Stream stream, long position) {}

    private static final class Stream {
        private final Deque<Runnable> waiting = new ArrayDeque<>();
        private final Deque<Happening> needs = new ArrayDeque<>();
        private long told;
        private long done;

        void tell(Happening needed, Runnable work) {
            needs.add(needed);
            waiting.add(work);
            told++;
        }
    }

    private static final Happening NOTHING = new Happening(new Stream(), 0);

    private final Eager eager;
    private final Map<Long, Stream> streams = new LinkedHashMap<>();
    private final Map<Long, Happening> events = new HashMap<>();
    private final Map<Long, Arena> memory = new HashMap<>();
    private final Map<Long, Long> sizes = new HashMap<>();
    private final Map<Long, String> functions = new HashMap<>();
    private final Set<String> live = new TreeSet<>();
    private final List<String> calls = new ArrayList<>();
    private final Map<Long, Integer> sharedBytes = new HashMap<>();
    private final ThreadLocal<Long> current = ThreadLocal.withInitial(() -> 0L);
    private long handles = 1000;
    private long used;
    private long others;
    private long total = TOTAL_BYTES;
    private int failingCall;
    private String failingName = "";
    private int failure;
    private int sticky;

    PretendedDriver(Eager eager) {
        this.eager = eager;
    }

    /// The call of this number, from 1 on, answers with a code.
    PretendedDriver failingAt(int call, int code) {
        failingCall = call;
        failure = code;
        return this;
    }

    /// The next call of a function does.
    PretendedDriver failingNext(String function, int code) {
        failingName = function;
        failure = code;
        return this;
    }

    PretendedDriver withOthersUsing(long bytes) {
        others = bytes;
        return this;
    }

    PretendedDriver withTotal(long bytes) {
        total = bytes;
        return this;
    }

    /// What was made and not given back.
    Set<String> live() {
        return live;
    }

    List<String> calls() {
        return calls;
    }

    private int called(String function) {
        calls.add(function);
        if (sticky == 0 && (calls.size() == failingCall || function.equals(failingName))) {
            failingName = "";
            if (CudaError.of(failure).blame().isSticky()) sticky = failure;
            return failure;
        }
        return sticky;
    }

    private int make(long[] answer, String kind) {
        int code = called("make " + kind);
        answer[0] = 0;
        if (code == 0) {
            answer[0] = handles++;
            live.add(kind + " " + answer[0]);
        }
        return code;
    }

    /// Giving back works even where the driver complains, as far as a test may know.
    private int giveBack(String kind, long handle) {
        if (!live.remove(kind + " " + handle)) throw new AssertionError("given back twice: " + kind + " " + handle);
        return called("give back " + kind);
    }

    @Override
    public int init() {
        return called("init");
    }

    @Override
    public int device(int[] device, int index) {
        device[0] = 70 + index;
        return called("device");
    }

    @Override
    public int retainContext(long[] context, int device) {
        return make(context, "context of " + device);
    }

    @Override
    public int releaseContext(int device) {
        String context = live.stream().filter(name -> name.startsWith("context of " + device)).findFirst()
                .orElseThrow(() -> new AssertionError("no context of " + device));
        live.remove(context);
        return called("give back context");
    }

    @Override
    public int setCurrentContext(long context) {
        current.set(context);
        return called("setCurrentContext");
    }

    private void requireContext() {
        if (current.get() == 0) throw new AssertionError("called by a thread without a context");
    }

    @Override
    public int synchronise() {
        requireContext();
        int code = called("synchronise");
        streams.values().forEach(stream -> runUntil(new Happening(stream, stream.told)));
        return code != 0 ? code : sticky;
    }

    @Override
    public int memory(long[] freeAndTotal) {
        freeAndTotal[0] = total - used - others;
        freeAndTotal[1] = total;
        return called("memory");
    }

    @Override
    public int allocate(long[] address, long bytes) {
        requireContext();
        int code = called("make memory");
        if (code == 0 && bytes > total - used - others) code = CudaError.OUT_OF_MEMORY.number();
        if (code != 0) return code;
        address[0] = take(bytes);
        used += bytes;
        live.add("memory " + address[0]);
        return 0;
    }

    private long take(long bytes) {
        Arena arena = Arena.ofShared();
        long address = arena.allocate(bytes, 256).fill((byte) 0x5a).address();
        memory.put(address, arena);
        sizes.put(address, bytes);
        return address;
    }

    private int free(String kind, long address) {
        requireContext();
        if (sticky == 0 && streams.values().stream().anyMatch(stream -> !stream.waiting.isEmpty())) {
            throw new AssertionError(kind + " given back while work is to be done");
        }
        memory.remove(address).close();
        return giveBack(kind, address);
    }

    @Override
    public int free(long address) {
        used -= sizes.get(address);
        return free("memory", address);
    }

    @Override
    public int allocateHost(long[] address, long bytes) {
        int code = called("make host memory");
        if (code != 0) return code;
        address[0] = take(bytes);
        live.add("host memory " + address[0]);
        return 0;
    }

    @Override
    public int freeHost(long address) {
        return free("host memory", address);
    }

    @Override
    public int createStream(long[] stream, int flags) {
        requireContext();
        int code = make(stream, "stream");
        if (code == 0) streams.put(stream[0], new Stream());
        return code;
    }

    @Override
    public int destroyStream(long stream) {
        return giveBack("stream", stream);
    }

    @Override
    public int createEvent(long[] event, int flags) {
        requireContext();
        int code = make(event, "event");
        if (code == 0) events.put(event[0], NOTHING);
        return code;
    }

    @Override
    public int destroyEvent(long event) {
        return giveBack("event", event);
    }

    @Override
    public int streamWaits(long stream, long event) {
        return tell("streamWaits", stream, events.get(event), () -> {});
    }

    @Override
    public int record(long event, long stream) {
        int code = called("record");
        if (code == 0) events.put(event, new Happening(streams.get(stream), streams.get(stream).told));
        return code;
    }

    @Override
    public int waitFor(long event) {
        requireContext();
        int code = called("waitFor");
        if (code != 0) return code;
        runUntil(events.get(event));
        return sticky;
    }

    @Override
    public int copyIn(long device, long host, long bytes, long stream) {
        return tell("copyIn", stream, NOTHING, () -> move(host, device, bytes));
    }

    @Override
    public int copyOut(long host, long device, long bytes, long stream) {
        return tell("copyOut", stream, NOTHING, () -> move(device, host, bytes));
    }

    @Override
    public int copy(long to, long from, long bytes, long stream) {
        return tell("copy", stream, NOTHING, () -> move(from, to, bytes));
    }

    private static void move(long from, long to, long bytes) {
        MemorySegment.copy(at(from, bytes), 0, at(to, bytes), 0, bytes);
    }

    private static MemorySegment at(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    @Override
    public int loadModule(long[] module, MemorySegment image) {
        requireContext();
        return make(module, "module");
    }

    @Override
    public int unloadModule(long module) {
        return giveBack("module", module);
    }

    @Override
    public int function(long[] function, long module, String name) {
        int code = called("function");
        if (code != 0) return code;
        if (!name.equals("add") && !name.equals("fault")) return CudaError.NOT_FOUND.number();
        function[0] = handles++;
        functions.put(function[0], name);
        return 0;
    }

    @Override
    public int setAttribute(long function, int attribute, int value) {
        if (attribute != MAX_DYNAMIC_SHARED_BYTES) throw new AssertionError("attribute " + attribute);
        sharedBytes.put(function, value);
        return called("setAttribute");
    }

    @Override
    public int launch(long function, int gridX, int gridY, int gridZ, int blockX, int blockY, int blockZ,
            int sharedBytes, long stream, long arguments) {
        requireContext();
        if (sharedBytes > this.sharedBytes.getOrDefault(function, 48 << 10)) return 1;
        if (functions.get(function).equals("fault")) return tell("launch", stream, NOTHING, () -> {
            sticky = ILLEGAL_ADDRESS;
        });
        // As the driver does: arguments are read now, whenever the kernel runs.
        long numbers = argument(arguments, 0).get(ValueLayout.JAVA_LONG, 0);
        long count = argument(arguments, 1).get(ValueLayout.JAVA_LONG, 0);
        float added = argument(arguments, 2).get(ValueLayout.JAVA_FLOAT, 0);
        return tell("launch", stream, NOTHING, () -> {
            MemorySegment each = at(numbers, count * Float.BYTES);
            for (long i = 0; i < count; i++) {
                float sum = each.getAtIndex(ValueLayout.JAVA_FLOAT, i) + added;
                each.setAtIndex(ValueLayout.JAVA_FLOAT, i, sum);
            }
        });
    }

    private static MemorySegment argument(long arguments, int index) {
        return at(at(arguments, 64).getAtIndex(ValueLayout.JAVA_LONG, index), Long.BYTES);
    }

    private int tell(String function, long handle, Happening needed, Runnable work) {
        int code = called(function);
        if (code != 0) return code;
        Stream stream = streams.get(handle);
        stream.tell(needed, work);
        boolean computes = stream == streams.values().iterator().next();
        if (eager == (computes ? Eager.KERNELS : Eager.COPIES)) runWithoutForcing(stream);
        return 0;
    }

    private void runWithoutForcing(Stream stream) {
        while (!stream.waiting.isEmpty() && hasHappened(stream.needs.getFirst())) runNext(stream);
    }

    private static boolean hasHappened(Happening event) {
        return event.stream.done >= event.position;
    }

    private void runUntil(Happening event) {
        while (!hasHappened(event)) {
            runUntil(event.stream.needs.getFirst());
            runNext(event.stream);
        }
    }

    private void runNext(Stream stream) {
        stream.needs.removeFirst();
        Runnable work = stream.waiting.removeFirst();
        if (sticky == 0) work.run();
        stream.done++;
    }
}
