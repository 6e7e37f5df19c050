package nocturne.train;

import java.util.Optional;
import java.util.OptionalLong;
import nocturne.tensor.DeviceMemory;
import org.jspecify.annotations.Nullable;

/// How much of a device's memory a run may take.
///
/// @param asked the card's memory that is to be used, in bytes; empty for all that is free
/// @param share of that, above 0 up to 1: less than 1 for another attempt where it was not enough
public record MemoryBudget(OptionalLong asked, double share) {
    /// All that is free.
    public static final MemoryBudget FREE = new MemoryBudget(OptionalLong.empty(), 1);

    /// What the driver's context and the kernels take of a card, when somebody says how much of it to use. An estimate;
    /// of a card's free memory it is gone already.
    static final long CONTEXT_BYTES = 1L << 30;
    /// Of the free memory: the driver gives memory in pieces, and other programs may want some too.
    static final long SPARE_BYTES = 1L << 29;

    public MemoryBudget {
        if (!(share > 0 && share <= 1)) throw new IllegalArgumentException("a share of " + share);
    }

    /// The same where no more than this may be used.
    ///
    /// @param limit in bytes; null for none
    MemoryBudget limitedTo(@Nullable Long limit) {
        return limit == null ? this : new MemoryBudget(OptionalLong.of(Math.min(limit, asked.orElse(limit))), share);
    }

    static MemoryBudget of(long bytes) {
        return new MemoryBudget(OptionalLong.of(bytes), 1);
    }

    /// @param memory of the device, as it stands; empty where it has none of its own, or is not here
    /// @return empty where there is no limit: on the processor
    OptionalLong on(Optional<DeviceMemory> memory) {
        if (asked.isEmpty() && memory.isEmpty()) return OptionalLong.empty();
        long free = memory.map(known -> known.freeBytes() - SPARE_BYTES).orElse(Long.MAX_VALUE);
        long wanted = asked.isPresent() ? asked.getAsLong() - CONTEXT_BYTES : Long.MAX_VALUE;
        return OptionalLong.of((long) (share * Math.max(0, Math.min(free, wanted))));
    }
}
