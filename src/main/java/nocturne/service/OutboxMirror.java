package nocturne.service;

import nocturne.job.JobId;

/// Brings what a trainer has made to where people look for it.
public interface OutboxMirror {

    /// Publishes the files that are there now and were not published yet. Returns when they are visible.
    ///
    /// @throws nocturne.problem.SickMachine if the disk refuses; what was published before is whole
    void sync(JobId id);
}
