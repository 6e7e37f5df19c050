package nocturne.service;

import java.util.List;

/// The devices that can each run one job, seen by whoever brings jobs.
public interface Slots {

    /// What they are called, such as `cpu` or `cuda:0`.
    default List<String> names() {
        return List.of();
    }

    /// How many more jobs could start at once, now: healthy devices that no running or queued job is waiting for. 0
    /// while the service drains, outside its hours, and when the disk is too full to take anything.
    int free();

    /// Called, on any thread, whenever [#free] may have changed.
    void onChange(Runnable listener);
}
