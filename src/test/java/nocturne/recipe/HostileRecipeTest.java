package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Recipes whose only purpose is to run code, to fill memory or to take for ever: read from a file as any other, each
/// is answered with a list of problems, and nothing that a recipe names is ever loaded.
class HostileRecipeTest {
    private static boolean baitTaken;

    /// What a YAML tag may name; a reader that obeyed would run this.
    public static final class Bait {
        static {
            bite();
        }

        private static void bite() {
            baitTaken = true;
        }
    }

    @TempDir
    private Path folder = Path.of("");

    @ParameterizedTest(name = "{0}")
    @MethodSource("attacks")
    @Promise(row = 8, fault = "billion laughs, tags, 100,000 levels, keys given twice, 10 MB, .inf and the like")
    void isAnsweredWithWords(String attack, byte[] recipe, String ending, String words) throws IOException {
        Path file = Files.write(folder.resolve("recipe" + ending), recipe);
        assertThatThrownBy(() -> RecipeReader.in(BundleFacts.named("maya")).read(file))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> {
                    assertThat(mistake.report()).contains(words).doesNotContain("Exception", "\tat ");
                    assertThat(mistake.report()).hasSizeLessThan(20_000);
                });
        assertThat(baitTaken).as("the bait's class was loaded").isFalse();
    }

    /// What a recipe calls a path is one inside the bundle, and one that a system can be asked for.
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        "datasets[0].folder_path                   | datasets: [{folder_path: %s}]",
        "datasets[0].control_path                  | datasets: [{folder_path: a, control_path: %s}]",
        "datasets[0].control_path[1]               | datasets: [{folder_path: a, control_path: [b, %s]}]",
        "datasets[0].control_path_2                | datasets: [{folder_path: a, control_path_2: %s}]",
        "train.validation_config.validation_folder | train: {validation_config: {validation_folder: %s}}",
        "network.pretrained_lora_path              | network: {pretrained_lora_path: %s}",
        "sample.samples[0].ctrl_img                | sample: {samples: [{prompt: x, ctrl_img: %s}]}",
        "sample.samples[0].ctrl_img_3              | sample: {samples: [{prompt: x, ctrl_img_3: %s}]}"
    })
    @Promise(row = 34, fault = "paths that are absolute, lead up, or hold a NUL, under every key that names one")
    void aPathThatIsNoneInTheBundleIsAProblemWithLineAndKey(String key, String recipe) {
        for (String path : List.of("\"a\\0b\"", "\"a\\nb\"", "\"\\uD800\"", "/etc/passwd", "../x", "a/../../x",
                "'..\\x'", "'C:\\x'", "C:x", "~/x", "'\\\\host\\share'", "a/.. /x", "x".repeat(1001))) {
            assertRefused(key, recipe.formatted(path));
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = ';', value = {
        "model.name_or_path              ; model: {name_or_path: \"%s\"}",
        "model.qtype                     ; model: {qtype: \"uint3|%s\"}",
        "model.accuracy_recovery_adapter ; model: {accuracy_recovery_adapter: \"%s\"}"
    })
    @Promise(row = 34, fault = "names of models and adapters that hold a NUL or a line end")
    void aModelsNameIsOneLineOfText(String key, String recipe) {
        for (String name : List.of("a\\0b", "a\\nb", "\\uD800", "", "x".repeat(1001))) {
            assertRefused(key, recipe.formatted(name));
        }
    }

    private static void assertRefused(String key, String recipe) {
        assertThatThrownBy(() -> RecipeReader.in(BundleFacts.named("maya")).read("name: maya\n" + recipe, "r.yaml"))
                .as(recipe).isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.report())
                        .contains("r.yaml", "line 2").containsAnyOf(key, "YAML").doesNotContain("Exception"));
    }

    static Stream<Arguments> attacks() {
        String bait = HostileRecipeTest.class.getName() + "$Bait";
        return Stream.of(
                yaml("a tag that names a class", "train: !!" + bait + " {}", "tags"),
                yaml("a tag that names a script engine",
                        "a: !!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]", "tags"),
                yaml("a tag of one's own", "a: !bait {}", "tags"),
                yaml("a tag by its full name", "a: !<tag:yaml.org,2002:" + bait + "> {}", "tags"),
                yaml("a tag directive", "%TAG ! tag:yaml.org,2002:java/object:\n---\na: !Thing {}", "tags"),
                yaml("a python object", "a: !!python/object/apply:os.system ['id']", "tags"),
                yaml("a billion laughs", laughs(9), "10000 values"),
                yaml("aliases that grow by two, forty times", doubling(40), "10000 values"),
                yaml("an alias to itself", "a: &a [*a]", "alias"),
                yaml("100,000 lists in each other", "[".repeat(100_000), "nested more than"),
                yaml("100,000 maps in each other", "{a: ".repeat(100_000), "nested more than"),
                yaml("100,000 levels by indentation", indented(1200), "nested more than"),
                json("100,000 lists in each other as JSON", "[".repeat(100_000), "nested more than"),
                json("100,000 maps in each other as JSON", "{\"a\":".repeat(100_000), "nested more than"),
                yaml("a key given twice", "train: {lr: 1e-4, lr: 1e-3}", "given twice"),
                json("a key given twice as JSON", "{\"train\":{\"lr\":1,\"lr\":2}}", "given twice"),
                yaml("an infinite rate", "train: {lr: .inf}", "train.lr"),
                yaml("a rate that is no number", "train: {lr: .nan}", "train.lr"),
                yaml("a number beyond all doubles", "train: {lr: 1e999999999}", "train.lr"),
                yaml("a number of a million digits", "train: {steps: " + "9".repeat(900_000) + "}", "train.steps"),
                yaml("more steps than an int", "train: {steps: 99999999999}", "train.steps"),
                yaml("20,000 keys", IntStream.range(0, 20_000).mapToObj(i -> "k" + i + ": 1")
                        .collect(Collectors.joining("\n")), "10000 values"),
                yaml("a variable of the environment", "name: ${AWS_SECRET_ACCESS_KEY}", "not replaced"),
                Arguments.of("10 MB", filled(10 << 20), ".yaml", "larger than 1 MB"),
                Arguments.of("10 MB as JSON", filled(10 << 20), ".json", "larger than 1 MB"),
                Arguments.of("bytes that are no text", new byte[] {(byte) 0xff, 0, 1, 2}, ".yaml", "recipe.yaml"));
    }

    private static String laughs(int levels) {
        StringBuilder bomb = new StringBuilder("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for (int i = 1; i <= levels; i++) {
            bomb.append("a%d: &a%d [%s]\n".formatted(i, i, String.join(", ", Collections.nCopies(10,
                    "*a" + (i - 1)))));
        }
        return bomb.toString();
    }

    private static String doubling(int levels) {
        StringBuilder bomb = new StringBuilder("a0: &a0 {x: 1}\n");
        for (int i = 1; i <= levels; i++) bomb.append("a%1$d: &a%1$d {l: *a%2$d, r: *a%2$d}\n".formatted(i, i - 1));
        return bomb.toString();
    }

    private static String indented(int levels) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < levels; i++) text.append(" ".repeat(i)).append("a:\n");
        return text.toString();
    }

    private static byte[] filled(int size) {
        byte[] bytes = new byte[size];
        Arrays.fill(bytes, (byte) '#');
        return bytes;
    }

    private static Arguments yaml(String name, String text, String words) {
        return Arguments.of(name, text.getBytes(StandardCharsets.UTF_8), ".yaml", words);
    }

    private static Arguments json(String name, String text, String words) {
        return Arguments.of(name, text.getBytes(StandardCharsets.UTF_8), ".json", words);
    }
}
