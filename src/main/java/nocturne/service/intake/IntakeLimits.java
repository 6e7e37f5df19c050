package nocturne.service.intake;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import nocturne.bundle.BundleLimits;

/// What a bundle may cost: `nocturne.limits`.
///
/// @param entries    most files and folders in a bundle
/// @param entryBytes most bytes of one file, unpacked
/// @param totalBytes most bytes altogether, unpacked
/// @param ratio      most unpacked bytes per packed byte, of a file above 1 MiB
/// @param time       how long unpacking may take
@ConfigurationProperties("nocturne.limits")
record IntakeLimits(
        @Bindable(defaultValue = "10000") int entries,
        @Bindable(defaultValue = "268435456") long entryBytes,
        @Bindable(defaultValue = "8589934592") long totalBytes,
        @Bindable(defaultValue = "200") int ratio,
        @Bindable(defaultValue = "10m") Duration time) {

    BundleLimits forBundles() {
        return new BundleLimits(entries, entryBytes, totalBytes, ratio, time);
    }
}
