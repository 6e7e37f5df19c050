package nocturne.service;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import nocturne.bundle.BundleLimits;

/// What a bundle may cost: `nocturne.limits`.
///
/// @param entries    most files and folders in it
/// @param entryBytes most bytes of one file
/// @param totalBytes most bytes altogether
/// @param ratio      most unpacked bytes per packed byte of a zip
/// @param time       how long unpacking may take
@ConfigurationProperties("nocturne.limits")
record LimitsConfig(
        @Bindable(defaultValue = "10000") int entries,
        @Bindable(defaultValue = "268435456") long entryBytes,
        @Bindable(defaultValue = "8589934592") long totalBytes,
        @Bindable(defaultValue = "200") int ratio,
        @Bindable(defaultValue = "10m") Duration time) {

    BundleLimits limits() {
        return new BundleLimits(entries, entryBytes, totalBytes, ratio, time);
    }
}
