package nocturne.service.slot;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import nocturne.event.Event;
import nocturne.job.JobId;
import nocturne.problem.SickMachine;
import nocturne.service.HostJournal;
import nocturne.service.SlotReport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which device works on what, and which one may not. All methods may be called from any thread.
final class SlotBoard {
    private static final Logger LOG = LoggerFactory.getLogger(SlotBoard.class);

    /// What keeps a device from taking jobs; several may at once.
    enum Cause {
        /// Its health, as measured.
        HEALTH(true),
        /// A trainer called it sick.
        TRAINER(true),
        /// A trainer on it cannot be ended.
        UNKILLABLE(true),
        /// Somebody else computes on it.
        STRANGER(false),
        /// A trainer of an earlier service is still there.
        ORPHAN(false);

        /// Whether that is worth telling the world.
        private final boolean quarantine;

        Cause(boolean quarantine) {
            this.quarantine = quarantine;
        }
    }

    /// @param code stable
    record Block(String code, String message) {}

    private static final class Slot {
        private @Nullable JobId job;
        private long vramBytes;
        private final Map<Cause, Block> blocks = new EnumMap<>(Cause.class);

        private boolean isQuarantined() {
            return blocks.keySet().stream().anyMatch(cause -> cause.quarantine);
        }
    }

    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final Rests<String> rest;
    private final HostJournal host;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    /// @param rest of devices on which trainers died at once
    SlotBoard(List<String> devices, Rests<String> rest, HostJournal host) {
        devices.forEach(device -> slots.put(device, new Slot()));
        this.rest = rest;
        this.host = host;
    }

    Set<String> devices() {
        return Set.copyOf(slots.keySet());
    }

    /// Called whenever a device may have become free, or no longer is.
    void onChange(Runnable listener) {
        listeners.add(listener);
    }

    /// Reserves a free device.
    Optional<String> take(JobId job) {
        Optional<String> free;
        synchronized (this) {
            free = slots.keySet().stream().filter(this::isFree).findFirst();
            free.ifPresent(device -> slot(device).job = job);
        }
        if (free.isPresent()) changed();
        return free;
    }

    /// Gives a device back.
    void release(String device) {
        synchronized (this) {
            slot(device).job = null;
        }
        changed();
    }

    synchronized int free() {
        return (int) slots.keySet().stream().filter(this::isFree).count();
    }

    /// Keeps jobs from a device; the one that is there stays.
    void block(String device, Cause cause, String code, String message) {
        boolean news;
        synchronized (this) {
            Slot slot = slot(device);
            Block before = slot.blocks.put(cause, new Block(code, message));
            news = cause.quarantine && (before == null || !before.code().equals(code));
        }
        if (news) {
            LOG.warn("{} takes no more jobs: {} ({})", device, message, code);
            tell(new Event.DeviceQuarantined(device, code, message));
        }
        changed();
    }

    void unblock(String device, Cause cause) {
        boolean restored;
        synchronized (this) {
            Slot slot = slot(device);
            if (slot.blocks.remove(cause) == null) return;
            restored = cause.quarantine && !slot.isQuarantined();
        }
        if (restored) {
            LOG.info("{} takes jobs again", device);
            tell(new Event.DeviceRestored(device));
        }
        changed();
    }

    /// Tries devices again that a trainer called sick, once they have rested.
    void endProbations() {
        for (String device : devices()) {
            if (!rest.rests(device)) unblock(device, Cause.TRAINER);
        }
    }

    synchronized Optional<Block> blocked(String device, Cause cause) {
        return Optional.ofNullable(slot(device).blocks.get(cause));
    }

    synchronized void measured(String device, long vramBytes) {
        slot(device).vramBytes = vramBytes;
    }

    synchronized long vramBytes(String device) {
        return slot(device).vramBytes;
    }

    Duration untilNext(Duration otherwise) {
        return rest.untilNext(otherwise);
    }

    synchronized List<SlotReport.Slot> report() {
        List<SlotReport.Slot> report = new ArrayList<>();
        slots.forEach((device, slot) -> {
            Block block = slot.blocks.values().stream().findFirst().orElse(new Block("", ""));
            report.add(new SlotReport.Slot(device, condition(device, slot), slot.job, block.code(), block.message(),
                    slot.vramBytes));
        });
        return List.copyOf(report);
    }

    private SlotReport.Condition condition(String device, Slot slot) {
        if (slot.isQuarantined()) return SlotReport.Condition.QUARANTINED;
        if (slot.job != null) return SlotReport.Condition.BUSY;
        if (!slot.blocks.isEmpty()) return SlotReport.Condition.HELD;
        return rest.rests(device) ? SlotReport.Condition.RESTING : SlotReport.Condition.FREE;
    }

    private boolean isFree(String device) {
        return condition(device, slot(device)) == SlotReport.Condition.FREE;
    }

    private Slot slot(String device) {
        Slot slot = slots.get(device);
        if (slot == null) throw new IllegalArgumentException("no slot " + device);
        return slot;
    }

    private void tell(Event event) {
        try {
            host.record(event);
        } catch (SickMachine unwritable) {
            LOG.warn("could not be written to the host's journal: {}", event, unwritable);
        }
    }

    private void changed() {
        listeners.forEach(Runnable::run);
    }
}
