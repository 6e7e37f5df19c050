package nocturne.service;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.nio.file.Path;
import java.time.Duration;
import nocturne.job.WorkFolder;

/// Where the service lives and how patient it is: `nocturne.*` in `application.yml`, the environment
/// (`NOCTURNE_INBOX`) or the command line (`-Dnocturne.inbox=`).
///
/// Relative paths are below `home`.
///
/// @param home   Nocturne's own folder, which holds `models/` and `routes/`
/// @param inbox  where bundles are dropped
/// @param outbox where results appear
/// @param work   private, on a local disk
/// @param routes the folder with `*.camel.yaml`
/// @param host   this host's name in events and claims
/// @param settle how long a dropped file must hold still before it is taken
/// @param grace  how long a trainer may take to save its state when it is asked to stop
@ConfigurationProperties("nocturne")
public record ServiceConfig(
        @Bindable(defaultValue = ".") Path home,
        @Bindable(defaultValue = "inbox") Path inbox,
        @Bindable(defaultValue = "outbox") Path outbox,
        @Bindable(defaultValue = "work") Path work,
        @Bindable(defaultValue = "routes") Path routes,
        String host,
        @Bindable(defaultValue = "10s") Duration settle,
        @Bindable(defaultValue = "90s") Duration grace) {
    public ServiceConfig {
        home = home.toAbsolutePath().normalize();
        inbox = home.resolve(inbox).normalize();
        outbox = home.resolve(outbox).normalize();
        work = home.resolve(work).normalize();
        routes = home.resolve(routes).normalize();
    }

    public WorkFolder workFolder() {
        return new WorkFolder(work);
    }
}
