package nocturne.service.slot;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import nocturne.job.JobId;
import org.jspecify.annotations.Nullable;

/// Which share of a GPU's memory each job may use: all of it at first, less after it was not enough, and never again so
/// little that the job cannot go on as it began.
///
/// Forgotten when the service ends, as rests are.
final class MemoryShares {
    private final List<String> shares;
    private final Map<JobId, Use> uses = new HashMap<>();

    /// @param lowered how many shares down it is; 0 for all of the memory
    /// @param most    how many it may go down
    private record Use(int lowered, int most) {}

    /// @param shares less and less
    MemoryShares(List<String> shares) {
        this.shares = List.copyOf(shares);
    }

    /// What the job's next trainer may use; null for all of it.
    synchronized @Nullable String of(JobId id) {
        int lowered = use(id).lowered();
        return lowered == 0 ? null : shares.get(lowered - 1);
    }

    /// @return the next lower share; empty if there is none that the job can use
    synchronized Optional<String> lower(JobId id) {
        Use use = use(id);
        if (use.lowered() == use.most()) return Optional.empty();
        uses.put(id, new Use(use.lowered() + 1, use.most()));
        return Optional.of(shares.get(use.lowered()));
    }

    /// Back to the share before, which is then the least.
    ///
    /// @return false if the job has all of the memory already
    synchronized boolean raise(JobId id) {
        Use use = use(id);
        if (use.lowered() == 0) return false;
        uses.put(id, new Use(use.lowered() - 1, use.lowered() - 1));
        return true;
    }

    /// Whether less was tried, and was too little for the job to go on.
    synchronized boolean isRaised(JobId id) {
        return use(id).most() < shares.size();
    }

    synchronized void forget(JobId id) {
        uses.remove(id);
    }

    private Use use(JobId id) {
        return uses.getOrDefault(id, new Use(0, shares.size()));
    }
}
