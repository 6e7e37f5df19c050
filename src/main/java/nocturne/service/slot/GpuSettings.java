package nocturne.service.slot;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;

/// How the health of GPUs is watched: `nocturne.gpu`.
///
/// @param feed    a file of JSON lines instead of nvidia-smi, the last one being how things are; for tests
/// @param poll    time between two looks
/// @param timeout after which nvidia-smi is given up
/// @param share   also use a GPU on which somebody else's process computes
@ConfigurationProperties("nocturne.gpu")
record GpuSettings(
        @Bindable(defaultValue = "") String feed,
        @Bindable(defaultValue = "15s") Duration poll,
        @Bindable(defaultValue = "10s") Duration timeout,
        @Bindable(defaultValue = "false") boolean share) {}
