package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.micronaut.context.ApplicationContext;
import io.micronaut.context.annotation.ConfigurationReader;
import io.micronaut.context.annotation.Property;
import io.micronaut.core.bind.annotation.Bindable;
import io.micronaut.core.type.Argument;
import io.micronaut.inject.BeanDefinition;
import io.micronaut.inject.qualifiers.Qualifiers;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import nocturne.ExitCode;
import nocturne.event.Event;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// docs/operations.md tells all there is: every setting with its default, every event with its fields, every exit code
/// and problem code; and nothing that there is not.
final class OperationsManualTest {
    /// Spelled like a code, and something else.
    private static final Set<String> NO_CODES = Set.of("LD_LIBRARY_PATH", "T_0", "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES", "LC_ALL",
            "NOCTURNE_AOT", "NOCTURNE_JAVA_OPTS", "NOCTURNE_KAFKA_PASSWORD", "PCI_BUS_ID", "SASL_PLAINTEXT", "SASL_SSL",
            "NO_COLOR", "CONDA_PREFIX", "CUDA_HOME", "CUDA_PATH", "NOCTURNE_CUDA_LIBS", "VIRTUAL_ENV",
            "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_TOKEN");
    /// Codes of one word cannot be told from other words in the sources.
    private static final Set<String> ONE_WORD =
            Set.of("CRASHED", "HUNG", "BUG", "CANCELLED", "SUPERSEDED", "CHECKPOINTED", "UNPARKED", "NOTICE",
                    "MEMORY", "WEIGHTS", "DATASET");
    private static final Pattern CODE = Pattern.compile("\"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\"");

    private static List<String> manual;

    @BeforeAll
    static void read() throws IOException {
        manual = Files.readAllLines(Path.of("docs/operations.md"));
    }

    @Test
    void everySettingIsExplainedWithItsDefault(@TempDir Path home) {
        Map<String, Optional<String>> settings = settings(home);
        assertThat(settings).hasSizeGreaterThan(60);
        Map<String, String> explained = rows("nocturne\\.", section("## Configure"));
        assertSame(explained.keySet(), settings.keySet());
        settings.forEach((key, standard) -> standard.filter(text -> !text.isEmpty() && !text.equals("."))
                .ifPresent(text -> assertThat(explained.get(key)).as(key).startsWith("`" + text + "` |")));
    }

    @Test
    void everyEventIsExplainedFieldByField() {
        Map<String, String> explained = rows("nocturne\\.\\w+\\.\\w+\\.v1", section("## Events"));
        Set<String> types = new TreeSet<>();
        for (Class<?> kind : Event.class.getPermittedSubclasses()) {
            Event event = sample(kind);
            types.add(event.type());
            assertThat(explained).containsKey(event.type());
            event.data().fieldNames().forEachRemaining(field ->
                    assertThat(explained.get(event.type())).as(event.type()).contains("`" + field + "`"));
        }
        assertSame(explained.keySet(), types);
    }

    @Test
    void everyExitCodeIsExplained() {
        for (ExitCode code : ExitCode.values()) {
            assertThat(manual).anyMatch(line -> line.startsWith("| " + code.number() + " | "));
        }
        assertThat(manual).anyMatch(line -> line.startsWith("| 69 | "));
    }

    @Test
    void everyProblemCodeIsExplained() throws IOException {
        Set<String> explained = new TreeSet<>();
        for (String line : section("## Problem codes")) {
            if (!line.startsWith("| `")) continue;
            Pattern.compile("`([A-Z][A-Z0-9_]+)`").matcher(line.split("\\|")[1]).results()
                    .forEach(match -> explained.add(match.group(1)));
        }
        Set<String> used = new TreeSet<>(ONE_WORD);
        try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
            for (Path source : sources.filter(file -> file.toString().endsWith(".java")).toList()) {
                CODE.matcher(Files.readString(source)).results().map(match -> match.group(1)).forEach(used::add);
            }
        }
        used.removeAll(NO_CODES);
        assertSame(explained, used);
    }

    @Test
    void everyLinkLeadsSomewhere() {
        Set<String> anchors = manual.stream().filter(line -> line.startsWith("#"))
                .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT)
                        .replaceAll("[^a-z0-9 -]", "").replace(' ', '-'))
                .collect(Collectors.toSet());
        Pattern.compile("]\\(([^)]+)\\)").matcher(String.join("\n", manual)).results().map(match -> match.group(1))
                .filter(target -> !target.startsWith("http")).forEach(target -> {
                    if (target.startsWith("#")) assertThat(anchors).contains(target.substring(1));
                    else assertThat(Path.of("docs").resolve(target.replaceFirst("#.*", ""))).exists();
                });
    }

    private static void assertSame(Set<String> explained, Set<String> existing) {
        assertThat(without(existing, explained)).as("what is not explained").isEmpty();
        assertThat(without(explained, existing)).as("what is explained and does not exist").isEmpty();
    }

    private static Set<String> without(Set<String> all, Set<String> some) {
        Set<String> rest = new TreeSet<>(all);
        rest.removeAll(some);
        return rest;
    }

    private static List<String> section(String heading) {
        List<String> rest = manual.subList(manual.indexOf(heading) + 1, manual.size());
        return rest.stream().takeWhile(line -> !line.startsWith("## ")).toList();
    }

    /// By first column; the rest of the row.
    private static Map<String, String> rows(String pattern, List<String> lines) {
        Pattern row = Pattern.compile("\\| `(" + pattern + "[^`]*)` \\| (.*)");
        return lines.stream().map(row::matcher).filter(Matcher::matches)
                .map(Matcher::toMatchResult)
                .collect(Collectors.toMap(match -> match.group(1), (MatchResult match) -> match.group(2),
                        (one, two) -> one + two, TreeMap::new));
    }

    /// As [ConfigurationCheck] finds them.
    private static Map<String, Optional<String>> settings(Path home) {
        Map<String, Optional<String>> settings = new TreeMap<>();
        Configuration configuration = Configuration.of(new Startup(home, null, Map.of(), Map.of(), "test"));
        try (ApplicationContext context = configuration.context().start()) {
            for (BeanDefinition<?> record
                    : context.getBeanDefinitions(Qualifiers.byStereotype(ConfigurationReader.class))) {
                String prefix = record.stringValue(ConfigurationReader.class, "prefix").orElse("");
                if (!prefix.startsWith("nocturne")) continue;
                for (Argument<?> value : record.getConstructor().getArguments()) {
                    value.getAnnotationMetadata().stringValue(Property.class, "name").ifPresent(key -> settings.put(
                            key.replace("[*]", "[0]"),
                            value.getAnnotationMetadata().stringValue(Bindable.class, "defaultValue")));
                }
            }
        }
        configuration.shipped().keySet().stream().filter(key -> key.startsWith("nocturne."))
                .forEach(key -> settings.putIfAbsent(key, Optional.empty()));
        return settings;
    }

    private static Event sample(Class<?> kind) {
        return (Event) sampleOf(kind);
    }

    /// Of an event, or of a record that is part of one.
    private static Object sampleOf(Class<?> kind) {
        RecordComponent[] parts = kind.getRecordComponents();
        Object[] values = Stream.of(parts).map(part -> switch (part.getType().getSimpleName()) {
            case "long" -> (Object) 1L;
            case "int" -> 1;
            case "double" -> 0.5;
            case "List" -> List.of();
            default -> part.getType().isRecord() ? sampleOf(part.getType()) : "text";
        }).toArray();
        try {
            var constructor = kind.getDeclaredConstructor(
                    Stream.of(parts).map(RecordComponent::getType).toArray(Class<?>[]::new));
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(String.valueOf(e.getMessage()), e);
        }
    }
}
