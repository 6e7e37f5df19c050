package nocturne.service;

import nocturne.job.JobId;

/// Whether a job is still this host's, where several hosts share the work.
public interface Ownership {

    /// Asked before a result is published. False if another host has taken the job over meanwhile.
    boolean stillOurs(JobId id);
}
