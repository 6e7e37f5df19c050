package nocturne.service.slot;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which devices become slots.
final class Devices {
    /// Kinds of device that the engine computes on.
    private static final Set<String> USABLE = Set.of("cpu", "cuda");
    private static final String AUTO = "auto";
    private static final String CPU = "cpu";
    private static final Logger LOG = LoggerFactory.getLogger(Devices.class);

    private Devices() {}

    /// @param wanted  `auto`, or names
    /// @param health  knows the GPUs
    /// @param foreign whether the trainer is not ours, and may know any device
    /// @throws UserMistake `CONFIG_INVALID`
    static List<String> of(List<String> wanted, DeviceHealth health, boolean foreign) throws InterruptedException {
        if (wanted.isEmpty() || wanted.equals(List.of(AUTO))) return found(health);
        List<Problem> problems = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (String device : wanted) {
            if (!device.matches("[a-z][a-z0-9]*(:[0-9]{1,3})?")) {
                problems.add(problem(device, "is no device; write cpu, or cuda:0 and so on"));
            } else if (!seen.add(device)) {
                problems.add(problem(device, "stands there twice; a device runs one job at a time"));
            } else if (!foreign && !isUsable(device)) {
                problems.add(problem(device, "is a device that this version cannot compute on; it knows " + USABLE));
            }
        }
        if (!problems.isEmpty()) throw new UserMistake("The slots of the service cannot be used.", problems);
        return List.copyOf(wanted);
    }

    private static List<String> found(DeviceHealth health) throws InterruptedException {
        try {
            List<String> gpus = health.read().orElse(Map.of()).values().stream().filter(Devices::isNewEnough)
                    .map(DeviceHealth.Reading::device).toList();
            return gpus.isEmpty() ? List.of(CPU) : gpus;
        } catch (IOException unknown) {
            LOG.warn("Which GPUs this machine has is not known: {}. Jobs will run on the processor.",
                    unknown.getMessage());
            return List.of(CPU);
        }
    }

    private static boolean isNewEnough(DeviceHealth.Reading gpu) {
        if (gpu.inability().isEmpty()) return true;
        LOG.warn("{} gets no jobs: {}", gpu.device(), gpu.inability());
        return false;
    }

    private static boolean isUsable(String device) {
        return USABLE.contains(device.replaceFirst(":.*", ""));
    }

    private static Problem problem(String device, String what) {
        return new Problem("CONFIG_INVALID", "nocturne.slots", "\"" + device + "\" " + what);
    }
}
