package nocturne.service.publish;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import io.micronaut.core.convert.format.ReadableBytes;
import nocturne.problem.UserMistake;

/// How events are told.
///
/// @param attachSamples bytes of the largest sample picture that travels beside its event; 0 for none
@ConfigurationProperties("nocturne.events")
record EventsConfig(@ReadableBytes @Bindable(defaultValue = "65536") int attachSamples) {
    /// A broker takes records of 1 MB, unless told otherwise.
    private static final int MOST = 900 << 10;

    EventsConfig {
        if (attachSamples < 0 || attachSamples > MOST) {
            throw new UserMistake("CONFIG_INVALID", "nocturne.events.attach-samples",
                    attachSamples + " bytes are not allowed; 0 (off) to 900KB");
        }
    }
}
