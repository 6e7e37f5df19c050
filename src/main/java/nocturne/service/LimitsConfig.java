package nocturne.service;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import nocturne.bundle.BundleLimits;
import nocturne.plan.Limits;

/// What a bundle may cost and may ask for: `nocturne.limits`.
///
/// @param entries    most files and folders in it
/// @param entryBytes most bytes of one file
/// @param totalBytes most bytes altogether
/// @param ratio      most unpacked bytes per packed byte of a zip
/// @param time       how long unpacking may take
/// @param look       how long its pictures may be looked at
/// @param steps, pictures, pixels, checkpoints, samples that its recipe may ask for; see [Limits]
@ConfigurationProperties("nocturne.limits")
record LimitsConfig(
        @Bindable(defaultValue = "10000") int entries,
        @Bindable(defaultValue = "268435456") long entryBytes,
        @Bindable(defaultValue = "8589934592") long totalBytes,
        @Bindable(defaultValue = "200") int ratio,
        @Bindable(defaultValue = "10m") Duration time,
        @Bindable(defaultValue = "10s") Duration look,
        @Bindable(defaultValue = "200000") long steps,
        @Bindable(defaultValue = "20000") long pictures,
        @Bindable(defaultValue = "4194304") long pixels,
        @Bindable(defaultValue = "200") long checkpoints,
        @Bindable(defaultValue = "5000") long samples) {

    /// @throws IllegalArgumentException if one of them would refuse every recipe
    Limits ofRecipe() {
        return new Limits(steps, pictures, pixels, checkpoints, samples);
    }

    BundleLimits ofBundle() {
        return new BundleLimits(entries, entryBytes, totalBytes, ratio, time);
    }
}
