package nocturne.desk;

import java.time.Duration;
import nocturne.job.Job;
import org.jspecify.annotations.Nullable;

/// A job as a person sees it now: what `job.json` says, and how far its trainer has got since.
///
/// @param job   the last state that is on the disk
/// @param step  updates made, saved or not
/// @param phase what the trainer is doing, such as `training`; empty where none is at work
/// @param left  until the last step; null where nobody knows
public record JobView(Job job, long step, String phase, @Nullable Duration left) {}
