package nocturne.service;

import nocturne.job.Job;

/// What a job needs beside a device before it can begin, such as its model.
public interface Provisions {

    /// Whether nothing is missing. What is missing is on its way then, or the job fails by itself; returns at once.
    boolean isReady(Job job);

    /// Told when a job that was not ready may be ready now.
    void onChange(Runnable listener);
}
