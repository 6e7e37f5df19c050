package nocturne.service.slot;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Measures the devices of this machine.
interface DeviceHealth {

    /// Nothing is known; all is assumed to be well.
    DeviceHealth UNKNOWN = () -> Optional.of(Map.of());

    /// @return by device, such as `cuda:0`; empty if nothing could be measured just now, which tells nothing
    /// @throws IOException the same, with a reason worth telling
    Optional<Map<String, Reading>> read() throws IOException, InterruptedException;

    /// What the driver says has to be done before a device can be used again. Names and meanings are NVML's.
    ///
    /// Source: NVIDIA GPU Memory Error Management, "Error Recovery and Response Flags".
    enum Recovery {
        NONE,
        RESET,
        REBOOT,
        /// Processes that talk to other devices have to end first; then one of the others is said.
        DRAIN_P2P,
        /// May go on with what it does; nothing new until it was reset.
        DRAIN_AND_RESET,
        /// The machine no longer reaches the device.
        LOST
    }

    /// @param device        such as `cuda:0`
    /// @param name          for people
    /// @param recovery      what has to be done
    /// @param uncorrectable memory errors that could not be corrected, since the last reset
    /// @param slowdowns     why it runs slower than it could, to stay cool or within its power; empty if it does not
    /// @param usedBytes     of its memory
    /// @param processes     that compute on it
    /// @param inability     why the engine cannot compute on it at all; empty if nothing is known against it
    record Reading(String device, String name, Recovery recovery, long uncorrectable, List<String> slowdowns,
            long usedBytes, Set<Long> processes, String inability) {
        public Reading {
            slowdowns = List.copyOf(slowdowns);
            processes = Set.copyOf(processes);
        }
    }
}
