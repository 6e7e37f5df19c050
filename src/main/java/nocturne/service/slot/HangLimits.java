package nocturne.service.slot;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import java.util.Locale;

/// How long a trainer may show no sign before it counts as hung: `nocturne.trainer.hang`.
///
/// @param silence  without a beat, whatever it is at; it promises one every two seconds
/// @param loading  without a piece of work done while it reads bundle and model
/// @param caching  the same for one picture or caption
/// @param training the same for one step, but never less than `paces` times the usual step
/// @param sampling the same for one sample picture
/// @param saving   the same for one file
/// @param paces    see there
/// @param grace    for a hung trainer between SIGTERM and SIGKILL, which will hardly use it
@ConfigurationProperties("nocturne.trainer.hang")
record HangLimits(
        @Bindable(defaultValue = "5m") Duration silence,
        @Bindable(defaultValue = "30m") Duration loading,
        @Bindable(defaultValue = "30m") Duration caching,
        @Bindable(defaultValue = "10m") Duration training,
        @Bindable(defaultValue = "30m") Duration sampling,
        @Bindable(defaultValue = "30m") Duration saving,
        @Bindable(defaultValue = "20") int paces,
        @Bindable(defaultValue = "10s") Duration grace) {

    /// @param phase         as the heartbeat says it
    /// @param secondsPerStep the usual step, 0 if none was made yet
    Duration of(String phase, double secondsPerStep) {
        return switch (phase.toLowerCase(Locale.ROOT)) {
            case "caching" -> caching;
            case "training" -> {
                Duration usual = Duration.ofMillis(Math.round(paces * secondsPerStep * 1000));
                yield usual.compareTo(training) > 0 ? usual : training;
            }
            case "sampling" -> sampling;
            case "saving" -> saving;
            default -> loading;
        };
    }
}
