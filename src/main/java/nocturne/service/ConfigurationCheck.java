package nocturne.service;

import io.micronaut.context.ApplicationContext;
import io.micronaut.context.annotation.ConfigurationReader;
import io.micronaut.context.annotation.Property;
import io.micronaut.core.convert.ArgumentConversionContext;
import io.micronaut.core.convert.ConversionContext;
import io.micronaut.core.type.Argument;
import io.micronaut.inject.BeanDefinition;
import io.micronaut.inject.qualifiers.Qualifiers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import nocturne.io.NearestNames;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;

/// Looks at every `nocturne.*` setting before anything is done with one, and says everything that is wrong.
///
/// What can be set is known from the configuration records of all parts, and from the keys of `application.yml`, for
/// what only routes ask for.
final class ConfigurationCheck {
    static final String CODE = "CONFIG_INVALID";
    private static final String OURS = "nocturne.";
    /// Read by the launcher, or by the program before there is a configuration.
    private static final Set<String> OTHER_VARIABLES = Set.of("NOCTURNE_JAVA_OPTS", "NOCTURNE_AOT");
    /// What Kubernetes puts into the environment of everybody near a service that is called nocturne.
    private static final String NEIGHBOURS = "NOCTURNE_(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_\\d+_.*)";

    private final ApplicationContext context;
    private final Configuration said;
    /// By key; keys with a `*` stand for any name there, those that end in `.**` for anything below.
    private final Map<String, Argument<?>> known = new TreeMap<>();

    ConfigurationCheck(ApplicationContext context, Configuration said) {
        this.context = context;
        this.said = said;
        for (BeanDefinition<?> settings : records()) {
            for (Argument<?> value : settings.getConstructor().getArguments()) {
                value.getAnnotationMetadata().stringValue(Property.class, "name")
                        .ifPresent(key -> known.put(Map.class.isAssignableFrom(value.getType()) ? key + ".**" : key,
                                value));
            }
        }
        for (String key : said.shipped().keySet()) {
            if (key.startsWith(OURS)) known.putIfAbsent(key, Argument.of(Object.class));
        }
        known.putIfAbsent(OURS + "host", Argument.of(String.class));
        known.putIfAbsent(OURS + "home", Argument.of(Path.class));
    }

    /// @return what should be said about variables that mean nothing to us and may not be meant for us
    /// @throws UserMistake with everything that cannot be used
    List<String> run() {
        List<Problem> problems = new ArrayList<>();
        said.file().keySet().forEach(key -> checkKnown(said.fileName(), key, problems));
        said.settings().keySet().forEach(key -> checkKnown("-D", key, problems));
        known.forEach((key, argument) -> checkValue(key, argument, problems));
        if (problems.isEmpty()) for (BeanDefinition<?> settings : records()) build(settings, problems);
        if (!problems.isEmpty()) {
            throw problems.size() == 1
                    ? new UserMistake(CODE, problems.getFirst().where(), problems.getFirst().what())
                    : new UserMistake("The configuration has %d problems; nothing was started."
                            .formatted(problems.size()), problems);
        }
        return strangeVariables();
    }

    private List<BeanDefinition<Object>> records() {
        return context.getBeanDefinitions(Object.class, Qualifiers.byStereotype(ConfigurationReader.class)).stream()
                .filter(settings -> settings.stringValue(ConfigurationReader.class, "prefix").orElse("")
                        .startsWith("nocturne"))
                .toList();
    }

    private void checkKnown(String where, String key, List<Problem> problems) {
        String place = where.equals("-D") ? "-D" + key : where;
        if (!key.startsWith(OURS)) {
            // Micronaut's and Camel's own settings are for those who know them.
            if (isTheirs(key)) return;
            problems.add(new Problem(CODE, place, "%s is not a setting; all of ours begin with nocturne.%s".formatted(
                    key, known.containsKey(OURS + key) ? " (nocturne." + key + "?)" : "")));
        } else if (known.keySet().stream().noneMatch(pattern -> matches(pattern, key))) {
            problems.add(new Problem(CODE, place, "%s is not a setting%s".formatted(key, nearest(key))));
        }
    }

    private static boolean isTheirs(String key) {
        return key.startsWith("micronaut.") || key.startsWith("endpoints.") || key.startsWith("netty.")
                || key.startsWith("camel.") || key.startsWith("logger.");
    }

    static boolean matches(String pattern, String key) {
        // A list's items are keys of their own: nocturne.slots[0].
        String plain = key.replaceAll("\\[\\d+]", "");
        String regex = Arrays.stream(pattern.replaceAll("\\[\\*?]", "").split("\\.", -1))
                .map(part -> switch (part) {
                    case "*" -> "[^.]+";
                    case "**" -> ".+";
                    default -> java.util.regex.Pattern.quote(part);
                })
                .collect(Collectors.joining("\\."));
        return plain.matches(regex);
    }

    private String nearest(String key) {
        List<String> names = NearestNames.of(key, known.keySet(), 1);
        return names.isEmpty() ? "" : "; the nearest one is " + names.getFirst();
    }

    private void checkValue(String key, Argument<?> argument, List<Problem> problems) {
        if (key.contains("*")) return;
        ArgumentConversionContext<?> conversion = ConversionContext.of(argument);
        var written = context.getProperty(key, Object.class);
        if (written.isEmpty() || written.get().toString().isEmpty()) return;
        try {
            if (context.getProperty(key, conversion).isPresent()) return;
        } catch (RuntimeException unfit) {
            // Said below, in our words.
        }
        problems.add(new Problem(CODE, key, "\"%s\" is not allowed; %s".formatted(written.get(),
                allowed(argument.getType()))));
    }

    private static String allowed(Class<?> type) {
        if (type == Duration.class) return "a time such as 500ms, 10s, 5m or 1h";
        if (type == boolean.class || type == Boolean.class) return "true or false";
        if (type == int.class || type == long.class || type == Integer.class || type == Long.class) {
            return "a whole number";
        }
        if (type == double.class || type == Double.class) return "a number";
        if (type == Path.class) return "a file or folder name";
        if (type.isEnum()) {
            return "one of " + Arrays.stream(type.getEnumConstants())
                    .map(value -> value.toString().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "));
        }
        return "a " + type.getSimpleName();
    }

    /// A record may know more about its values than their types say.
    private void build(BeanDefinition<?> settings, List<Problem> problems) {
        try {
            var _ = context.getBean(settings);
        } catch (RuntimeException e) {
            var mistake = Causes.find(UserMistake.class, e);
            var argument = Causes.find(IllegalArgumentException.class, e);
            if (mistake.isPresent()) {
                problems.addAll(mistake.get().problems());
            } else if (argument.isPresent()) {
                problems.add(new Problem(CODE, settings.stringValue(ConfigurationReader.class, "prefix").orElse(""),
                        String.valueOf(argument.get().getMessage())));
            } else {
                throw e;
            }
        }
    }

    private List<String> strangeVariables() {
        Map<String, String> byVariable = known.keySet().stream().collect(Collectors.toMap(
                ConfigurationCheck::variable, key -> key, (one, _) -> one));
        List<String> strange = new ArrayList<>();
        for (String name : new TreeSet<>(said.environment().keySet())) {
            boolean meant = OTHER_VARIABLES.contains(name) || name.matches(NEIGHBOURS)
                    || byVariable.keySet().stream().anyMatch(known -> name.matches(known));
            if (!meant) {
                List<String> near = NearestNames.of(name, byVariable.keySet(), 1);
                strange.add("the variable %s means nothing here%s".formatted(name,
                        near.isEmpty() ? "" : "; the nearest one is " + near.getFirst()));
            }
        }
        return strange;
    }

    private static String variable(String key) {
        return key.replace(".**", ".*").replaceAll("\\[\\*?]", "(_\\\\d+)?").replaceAll("[.-]", "_")
                .toUpperCase(Locale.ROOT).replace("_*", "_.*").replace("(_\\D+)?", "(_\\d+)?");
    }
}
