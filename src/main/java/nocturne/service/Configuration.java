package nocturne.service;

import io.micronaut.context.ApplicationContext;
import io.micronaut.context.env.PropertySource;
import io.micronaut.context.env.PropertySource.PropertyConvention;
import io.micronaut.context.env.yaml.YamlPropertySourceLoader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import nocturne.problem.UserMistake;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;

/// Everything the service was told, by where it was said.
///
/// @param shipped     in the jar's `application.yml`, whose keys are also the list of what can be said
/// @param file        in the configuration file, flat; empty if there is none
/// @param fileName    its name for messages
/// @param environment variables `NOCTURNE_*`
/// @param settings    on the command line
/// @param facts       what the machine says: home and host
record Configuration(Map<String, Object> shipped, Map<String, Object> file, String fileName,
        Map<String, String> environment, Map<String, String> settings, Map<String, Object> facts) {
    private static final String PREFIX = "NOCTURNE_";

    /// @throws UserMistake if the file is not there or no YAML
    static Configuration of(Startup startup) {
        Path usual = startup.home().resolve("config/nocturne.yml");
        Path file = startup.file() != null ? startup.file() : Files.exists(usual) ? usual : null;
        Map<String, String> environment = new TreeMap<>(startup.environment());
        environment.keySet().removeIf(name -> !name.startsWith(PREFIX));
        Map<String, Object> facts = Map.of("nocturne.home", startup.home().toString(),
                "nocturne.host", HostName.ofThisMachine());
        return new Configuration(readShipped(), file == null ? Map.of() : read(file),
                file == null ? "" : file.toString(),
                environment, startup.settings(), facts);
    }

    /// Knows all settings and all parts, and has started none of them.
    ApplicationContext context() {
        return ApplicationContext.builder()
                .enableDefaultPropertySources(false)
                .propertySources(sources())
                .deduceEnvironment(false)
                .deduceCloudEnvironment(false)
                .bootstrapEnvironment(false)
                .banner(false)
                .build();
    }

    /// For Micronaut; a later one outweighs an earlier one.
    PropertySource[] sources() {
        return new PropertySource[] {
            PropertySource.of("application", shipped, -500),
            PropertySource.of("machine", facts, -400),
            PropertySource.of(fileName.isEmpty() ? "no file" : fileName, file, -300),
            new Variables(environment),
            PropertySource.of("command line", new LinkedHashMap<>(settings), -100),
        };
    }

    private static Map<String, Object> readShipped() {
        try (InputStream yaml = Configuration.class.getResourceAsStream("/application.yml")) {
            return new YamlPropertySourceLoader().read("application", Objects.requireNonNull(yaml));
        } catch (IOException e) {
            throw new IllegalStateException("reading application.yml from the jar", e);
        }
    }

    private static Map<String, Object> read(Path file) {
        try (InputStream yaml = Files.newInputStream(file)) {
            return new YamlPropertySourceLoader().read(file.toString(), yaml);
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 0 : e.getProblemMark().getLine() + 1;
            throw new UserMistake(ConfigurationCheck.CODE, file + " line " + line, "is no YAML: " + e.getProblem());
        } catch (YAMLException | ClassCastException e) {
            throw new UserMistake(ConfigurationCheck.CODE, file.toString(), "is no YAML map of keys and values");
        } catch (NoSuchFileException e) {
            throw new UserMistake(ConfigurationCheck.CODE, file.toString(), "there is no such file");
        } catch (IOException e) {
            throw new UserMistake(ConfigurationCheck.CODE, file.toString(), "cannot be read: " + e.getMessage());
        }
    }

    /// Names in capitals, which Micronaut matches with keys in every way they could be meant.
    private static final class Variables extends io.micronaut.context.env.MapPropertySource {
        Variables(Map<String, String> variables) {
            super("environment", variables);
        }

        @Override
        public int getOrder() {
            return -200;
        }

        @Override
        public PropertyConvention getConvention() {
            return PropertyConvention.ENVIRONMENT_VARIABLE;
        }
    }
}
