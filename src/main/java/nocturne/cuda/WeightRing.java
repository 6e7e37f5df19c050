package nocturne.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.Function;
import nocturne.io.DType;
import nocturne.tensor.Tensor;
import nocturne.tensor.TensorArena;
import nocturne.tensor.Weight;
import nocturne.tensor.WeightStream;
import org.jspecify.annotations.Nullable;

/// A few slots of device memory, each of which holds one part's weights; the master copies lie in pinned host memory.
///
/// When a part is asked for, the next ones in the direction of the walk are sent for too, into the slots of those that
/// are farthest away. A slot's copy begins when all that was launched until then is done, beside what is launched
/// afterwards; who needs its content waits on the device, never on the host. At the end of a walk the last parts stay,
/// for the way back.
final class WeightRing implements WeightStream {
    /// Where tensors begin within a slot.
    private static final long ALIGNMENT = 256;

    private final Device device;
    private final DType activations;
    private final Slot[] slots;
    private @Nullable TensorArena staging;
    private long slotBytes;
    private long hostBytes;
    private long loadingBytes;

    /// @param slots at least 2: one is computed with while the other is filled
    WeightRing(Device device, DType activations, int slots) {
        if (slots < 2) throw new IllegalArgumentException("a ring of " + slots);
        this.device = device;
        this.activations = activations;
        this.slots = new Slot[slots];
    }

    /// @param free    happens when nobody uses the slot's former content any more
    /// @param arrived happens when its new content is there
    private record Place(MemorySegment memory, long free, long arrived) {}

    private static final class Slot {
        private final Place place;
        private @Nullable Part part;
        private boolean isAwaited;

        Slot(Place place) {
            this.place = place;
        }
    }

    /// @param master all its tensors, one behind the other
    /// @param from   where each begins
    private record Part(Walk walk, int number, MemorySegment master, List<Tensor> tensors, long[] from) {
        void arriveAt(MemorySegment memory) {
            for (int i = 0; i < from.length; i++) tensors.get(i).moveTo(memory.asSlice(from[i], bytes(tensors.get(i))));
        }

        void leave() {
            tensors.forEach(Tensor::leaveDevice);
        }
    }

    private static long bytes(Tensor tensor) {
        return tensor.type().bytes() * tensor.elements();
    }

    @Override
    public void loaded() {
        if (slots[0] == null) open();
    }

    @Override
    public long deviceBytes() {
        return slots.length * slotBytes;
    }

    @Override
    public long loadingBytes() {
        return loadingBytes;
    }

    @Override
    public long hostBytes() {
        return hostBytes;
    }

    @Override
    public Sequence newSequence() {
        return new Walk();
    }

    private final class Walk implements Sequence {
        private final NavigableMap<Integer, Part> parts = new TreeMap<>();
        private final List<Part> wanted = new ArrayList<>();
        private int last = -1;
        private boolean isForward = true;

        @Override
        public <T> T load(int part, Function<TensorArena, T> loader, Function<T, List<Weight>> weights) {
            if (slots[0] != null) throw new IllegalStateException("loading after the first use");
            TensorArena arena = staging;
            if (arena == null) {
                arena = new TensorArena(device, activations);
                staging = arena;
            }
            try (TensorArena.Scope scope = arena.scope()) {
                T made = loader.apply(arena);
                parts.put(part, moveOut(this, part, tensors(weights.apply(made))));
                return made;
            }
        }

        @Override
        public void need(int part) {
            if (slots[0] == null) open();
            // Whoever is back at the first part is about to begin again.
            if (part != last) isForward = part > last || part == 0;
            last = part;
            wanted.clear();
            NavigableMap<Integer, Part> ahead = isForward ? parts.tailMap(part, true)
                    : parts.headMap(part, true).descendingMap();
            for (Part next : ahead.values()) {
                if (wanted.size() == slots.length) break;
                wanted.add(next);
            }
            // The nearest first: copies arrive in this order.
            for (Part next : wanted) if (slotOf(next) == null) bring(next, this);
            Part now = parts.get(part);
            if (now != null) await(now);
        }

        private boolean wants(Part part) {
            return wanted.contains(part);
        }

        private long distance(Part part) {
            return part.walk == this ? Math.abs(part.number - last) : Long.MAX_VALUE;
        }
    }

    private static List<Tensor> tensors(List<Weight> weights) {
        List<Tensor> tensors = new ArrayList<>();
        for (Weight weight : weights) {
            if (weight instanceof Tensor tensor) {
                tensors.add(tensor);
            } else if (weight instanceof CodedWeight coded) {
                tensors.addAll(List.of(coded.codes(), coded.scales(), coded.zeroPoints()));
            } else {
                throw new IllegalArgumentException("a weight " + weight.shape() + " that another device keeps");
            }
        }
        return tensors;
    }

    /// Makes the master copy of what was loaded.
    private Part moveOut(Walk walk, int number, List<Tensor> tensors) {
        long[] from = new long[tensors.size()];
        long end = 0;
        for (int i = 0; i < from.length; i++) {
            from[i] = end;
            end += (bytes(tensors.get(i)) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }
        slotBytes = Math.max(slotBytes, end);
        hostBytes += end;
        MemorySegment master = device.allocateHost(end);
        for (int i = 0; i < from.length; i++) {
            Tensor tensor = tensors.get(i);
            if (tensor.elements() > 0) device.copyOut(tensor.data(), master.asSlice(from[i], bytes(tensor)));
        }
        Part part = new Part(walk, number, master, tensors, from);
        part.leave();
        return part;
    }

    /// From now on the sizes are known.
    private void open() {
        if (staging != null) {
            loadingBytes = staging.reservedBytes();
            staging.close();
        }
        staging = null;
        for (int i = 0; i < slots.length; i++) {
            slots[i] = new Slot(new Place(device.allocate(slotBytes), device.newEvent(), device.newEvent()));
        }
    }

    private @Nullable Slot slotOf(Part part) {
        for (Slot slot : slots) if (slot.part == part) return slot;
        return null;
    }

    private void bring(Part part, Walk walk) {
        Slot slot = farthest(walk);
        if (slot.part != null) slot.part.leave();
        slot.part = part;
        slot.isAwaited = false;
        device.record(slot.place.free);
        device.copyInLater(part.master, slot.place.memory.asSlice(0, part.master.byteSize()), slot.place.free,
                slot.place.arrived);
    }

    /// An empty slot, else that of the part nobody wants soon and that is farthest away.
    private Slot farthest(Walk walk) {
        Slot farthest = null;
        long most = -1;
        for (Slot slot : slots) {
            if (slot.part == null) return slot;
            if (walk.wants(slot.part) || walk.distance(slot.part) <= most) continue;
            farthest = slot;
            most = walk.distance(slot.part);
        }
        if (farthest == null) throw new IllegalStateException("all parts in the ring are wanted");
        return farthest;
    }

    private void await(Part part) {
        Slot slot = slotOf(part);
        if (slot == null) throw new IllegalStateException("part " + part.number + " was not brought");
        if (slot.isAwaited) return;
        device.waitFor(slot.place.arrived);
        slot.isAwaited = true;
        part.arriveAt(slot.place.memory);
    }
}
