package nocturne.service.log;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;

/// @param logFormat `text` for people, `json` for machines
@ConfigurationProperties("nocturne")
public record LogConfig(@Bindable(defaultValue = "text") LogFormat logFormat) {}
