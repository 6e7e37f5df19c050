package nocturne.service.inbox;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;

/// @param uploadTimeout  how long a file without its end may hold still before it counts as given up
/// @param inboxDoneFiles take `x.zip` only when `x.zip.done` lies beside it
@ConfigurationProperties("nocturne")
record InboxConfig(
        @Bindable(defaultValue = "1h") Duration uploadTimeout,
        @Bindable(defaultValue = "false") boolean inboxDoneFiles) {}
