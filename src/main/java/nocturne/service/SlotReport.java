package nocturne.service;

import java.util.List;
import java.util.Locale;
import nocturne.job.JobId;
import org.jspecify.annotations.Nullable;

/// The slots as they are, for whoever shows or measures them.
public interface SlotReport {

    /// In the order of the configuration.
    List<Slot> slots();

    /// @param device    such as `cuda:0` or `cpu`
    /// @param condition of it
    /// @param job       that a trainer works on there, null if none does
    /// @param code      why it takes no job, such as `GPU_NEEDS_RESET`; empty where it does
    /// @param message   the same for people
    /// @param vramBytes held on the device as last measured, 0 if not known
    record Slot(String device, Condition condition, @Nullable JobId job, String code, String message, long vramBytes) {}

    /// Whether a slot takes jobs.
    enum Condition {
        FREE,
        BUSY,
        /// For a few moments, after a trainer that died at once.
        RESTING,
        /// Somebody else's process computes there, or a trainer that an earlier service left.
        HELD,
        /// Until somebody or something has looked after it.
        QUARANTINED;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
