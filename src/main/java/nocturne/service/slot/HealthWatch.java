package nocturne.service.slot;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import nocturne.event.Event;
import nocturne.problem.SickMachine;
import nocturne.service.HostJournal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Turns what is measured about the devices into what may run on them.
///
/// What the driver asks for decides, not a table of error numbers of our own: nothing, and a new trainer may start; a
/// reset, and the device is left; a reboot, and the host is.
final class HealthWatch {
    private static final Logger LOG = LoggerFactory.getLogger(HealthWatch.class);
    /// Readings without a slowdown until the next one is another episode.
    private static final int CALM = 3;

    private final DeviceHealth health;
    private final SlotBoard board;
    private final HostJournal host;
    private final boolean share;
    private final LongPredicate isOurs;
    private final BiConsumer<String, Wish> leave;
    private final Consumer<String> drain;
    private final Map<String, Long> errorsBefore = new ConcurrentHashMap<>();
    private final Map<String, Integer> throttled = new ConcurrentHashMap<>();
    private final Set<String> seen = ConcurrentHashMap.newKeySet();
    private String lastTrouble = "";

    /// @param share  also use devices on which others compute
    /// @param isOurs whether a process is one of our trainers
    /// @param leave  asks the trainer on a device to go
    /// @param drain  asks all of them, and takes nothing new
    HealthWatch(DeviceHealth health, SlotBoard board, HostJournal host, boolean share, LongPredicate isOurs,
            BiConsumer<String, Wish> leave, Consumer<String> drain) {
        this.health = health;
        this.board = board;
        this.host = host;
        this.share = share;
        this.isOurs = isOurs;
        this.leave = leave;
        this.drain = drain;
    }

    /// Looks once.
    synchronized void look() throws InterruptedException {
        Optional<Map<String, DeviceHealth.Reading>> readings = Optional.empty();
        try {
            readings = health.read();
            lastTrouble = "";
        } catch (IOException | RuntimeException e) {
            String trouble = String.valueOf(e.getMessage());
            if (!trouble.equals(lastTrouble)) LOG.warn("the health of the devices is not known: {}", trouble);
            lastTrouble = trouble;
        }
        readings.ifPresent(this::follow);
    }

    private void follow(Map<String, DeviceHealth.Reading> readings) {
        for (String device : board.devices()) {
            DeviceHealth.Reading reading = readings.get(device);
            if (reading != null) {
                seen.add(device);
                follow(device, reading);
            } else if (seen.contains(device)) {
                leave(device, "GPU_LOST", "has fallen off the bus: the machine no longer sees it");
            }
        }
    }

    private void follow(String device, DeviceHealth.Reading reading) {
        board.measured(device, reading.usedBytes());
        long before = errorsBefore.getOrDefault(device, reading.uncorrectable());
        errorsBefore.put(device, Math.min(before, reading.uncorrectable()));
        switch (reading.recovery()) {
            case LOST -> leave(device, "GPU_LOST", "has fallen off the bus: the machine no longer reaches it");
            case RESET -> leave(device, "GPU_NEEDS_RESET", "has to be reset: nvidia-smi -r, when nothing runs on it");
            case DRAIN_AND_RESET -> leave(device, "GPU_NEEDS_RESET",
                    "should be reset as soon as nothing runs on it: nvidia-smi -r");
            case DRAIN_P2P -> board.block(device, SlotBoard.Cause.HEALTH, "GPU_DRAINS",
                    "takes no new jobs until the traffic between GPUs has ended");
            case REBOOT -> {
                leave(device, "GPU_NEEDS_REBOOT", "can only be used again after a reboot of this machine");
                drain.accept(device + " can only be used again after a reboot of this machine");
            }
            case NONE -> {
                // Errors from before our time were somebody else's; a reset sets the count to 0.
                if (reading.uncorrectable() > before) {
                    leave(device, "GPU_MEMORY_ERRORS", "has memory errors that cannot be corrected (%d since its last"
                            .formatted(reading.uncorrectable()) + " reset); reset it: nvidia-smi -r");
                } else {
                    board.unblock(device, SlotBoard.Cause.HEALTH);
                }
            }
        }
        strangers(device, reading);
        throttling(device, reading);
    }

    private void leave(String device, String code, String message) {
        String sentence = device + " " + message;
        board.block(device, SlotBoard.Cause.HEALTH, code, sentence);
        leave.accept(device, new Wish(Wish.Kind.LEAVE_DEVICE, code, sentence));
    }

    private void strangers(String device, DeviceHealth.Reading reading) {
        boolean stranger = reading.processes().stream().anyMatch(pid -> !isOurs.test(pid));
        if (stranger && !share) {
            board.block(device, SlotBoard.Cause.STRANGER, "GPU_IN_USE",
                    "another program computes on it: process " + reading.processes());
        } else {
            board.unblock(device, SlotBoard.Cause.STRANGER);
        }
    }

    /// One event for each time that it begins; the trainer is judged by the steps it makes, so it is not killed.
    private void throttling(String device, DeviceHealth.Reading reading) {
        if (reading.slowdowns().isEmpty()) {
            throttled.computeIfPresent(device, (_, calm) -> calm >= CALM ? null : calm + 1);
            return;
        }
        if (throttled.put(device, 1) != null) return;
        String reasons = String.join(", ", reading.slowdowns());
        LOG.warn("{} runs slower than it could: {}", device, reasons);
        try {
            host.record(new Event.DeviceThrottled(device, reasons));
        } catch (SickMachine unwritable) {
            LOG.warn("could not be written to the host's journal: {}", unwritable.getMessage());
        }
    }
}
