package nocturne.service;

import io.micronaut.context.ApplicationContext;
import io.micronaut.core.type.Argument;
import java.nio.file.Path;
import java.util.List;
import nocturne.problem.UserMistake;

/// The service's settings for a command that works beside it: read from the same places, checked by the same rules,
/// and no part of the service is started.
public final class Settings implements AutoCloseable {
    private final ApplicationContext context;
    private final List<String> warnings;

    private Settings(ApplicationContext context, List<String> warnings) {
        this.context = context;
        this.warnings = warnings;
    }

    /// @throws UserMistake `CONFIG_INVALID` with everything that cannot be used
    public static Settings read(Startup startup) {
        Configuration configuration = Configuration.of(startup);
        ApplicationContext context = configuration.context();
        try {
            context.start();
            return new Settings(context, List.copyOf(new ConfigurationCheck(context, configuration).run()));
        } catch (RuntimeException e) {
            context.close();
            throw Causes.find(UserMistake.class, e).map(RuntimeException.class::cast).orElse(e);
        }
    }

    /// One of the configuration records, such as [ServiceConfig].
    ///
    /// @throws UserMistake if it cannot be made of what was said, such as `SECRET_MISSING`
    public <T> T of(Class<T> record) {
        try {
            return context.getBean(record);
        } catch (RuntimeException e) {
            throw Causes.find(UserMistake.class, e).map(RuntimeException.class::cast).orElse(e);
        }
    }

    /// A single setting, such as `nocturne.kafka.brokers`; empty where nothing is said.
    public String text(String key) {
        return context.getProperty(key, String.class).orElse("");
    }

    /// A setting with several values, such as `nocturne.sources.file-roots`; relative paths are below home.
    public List<Path> paths(String key) {
        Path home = context.getBean(ServiceConfig.class).home();
        return context.getProperty(key, Argument.listOf(String.class)).orElse(List.of()).stream()
                .map(String::strip).filter(path -> !path.isEmpty()).map(home::resolve).toList();
    }

    /// What looks like a setting and means nothing.
    public List<String> warnings() {
        return warnings;
    }

    @Override
    public void close() {
        context.close();
    }
}
