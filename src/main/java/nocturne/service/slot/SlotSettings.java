package nocturne.service.slot;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import java.util.List;

/// What may run here, and when: the settings directly below `nocturne`.
///
/// @param slots    `auto` (each GPU that the engine can use, else `cpu`), or the devices by name: `cuda:0,cuda:1`
/// @param progress at most one progress event a job in this time
/// @param windows  times of the day in which jobs may run, such as `22:00-07:00`; none means always
/// @param zone     of those times, such as `Europe/Berlin`; empty for this machine's
@ConfigurationProperties("nocturne")
record SlotSettings(
        @Bindable(defaultValue = "auto") List<String> slots,
        @Bindable(defaultValue = "30s") Duration progress,
        @Bindable(defaultValue = "") List<String> windows,
        @Bindable(defaultValue = "") String zone) {
    SlotSettings {
        slots = named(slots);
        windows = named(windows);
    }

    /// An empty setting arrives as a list with an empty word in it.
    static List<String> named(List<String> words) {
        return words.stream().map(String::strip).filter(word -> !word.isEmpty()).toList();
    }
}
