package nocturne.service;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;

/// How long the private files of jobs that have ended are kept, with which they could be tried again: `nocturne.keep`.
/// Results are kept for ever.
///
/// @param time  for so long after the end
/// @param jobs  and those of so many of the latest jobs, however long ago they ended
/// @param every how often is looked
@ConfigurationProperties("nocturne.keep")
record KeepConfig(
        @Bindable(defaultValue = "14d") Duration time,
        @Bindable(defaultValue = "20") int jobs,
        @Bindable(defaultValue = "1h") Duration every) {
    KeepConfig {
        if (time.isNegative()) throw new IllegalArgumentException("time is 0 or more");
        if (jobs < 0) throw new IllegalArgumentException("jobs is 0 or more");
        if (!every.isPositive()) throw new IllegalArgumentException("every is more than 0");
    }
}
