package nocturne.service;

import nocturne.job.JobId;

/// The jobs that a trainer works on right now, for whoever wants them to end.
public interface RunningJobs {

    /// Ends the job's trainer, if it has one, and then cancels the job. Returns at once; harmless to repeat.
    void cancel(JobId id);

    /// Starts no more jobs, and lets the running ones save their state and leave.
    void drain(String reason);
}
