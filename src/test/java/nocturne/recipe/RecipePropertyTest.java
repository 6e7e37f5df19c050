package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;

/// Whatever is written, the answer is a recipe or a list of problems with lines, and what is resolved reads back equal.
class RecipePropertyTest {
    private static final RecipeReader READER = RecipeReader.in(
            new BundleFacts("maya.zip", new TreeMap<>(Map.of("dataset/40_maya", 7, "a", 3, ".", 1))));
    private static final List<String> HOSTILE =
            List.of("", "null", "~", "0", "-1", "1e309", "1e999999999", "-0.0", ".nan", "[]",
            "{}", "[1, 2]", "{a: b}", "true", "2147483648", "9223372036854775808", "''", "\"\\u0000\"", "\"\\ud800\"",
            "&a [*a]",
            "*b", "!!int 3", "${HOME}", "../..", "/etc/passwd", "|", ">", "- - -", "? x", "%", "@", "\t", "'", "\"",
            "<<",
            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "0x1F", "1:30", "x".repeat(6000), "2020-01-01", "[name]", "[trigger]");

    @Property(tries = 400)
    void theResolvedTextIsARecipeThatGivesTheSameRecipe(@ForAll long seed) {
        Optional<ResolvedRecipe> resolved = answer(new RandomRecipes(seed).yaml());
        resolved.ifPresent(first -> {
            ResolvedRecipe again = RecipeReader.in(BundleFacts.named("elsewhere"))
                    .read(first.yaml(), "recipe.resolved.yaml");
            assertThat(again.recipe()).as(first.yaml()).isEqualTo(first.recipe());
            assertThat(values(again.yaml())).as("printed again").isEqualTo(values(first.yaml()));
        });
    }

    /// Guards the property above against drawing nothing but refusals.
    @Property(tries = 1)
    void manyRandomRecipesAreSound() {
        long sound = 0;
        for (long seed = 0; seed < 100; seed++) if (answer(new RandomRecipes(seed).yaml()).isPresent()) sound++;
        assertThat(sound).isGreaterThan(15);
    }

    @Example
    @Promise(row = 8, fault = "10,000 mutated recipes")
    void aMutatedRecipeIsARecipeOrAListOfProblemsWithLines() throws IOException {
        long seed = Long.getLong("seed", System.nanoTime());
        System.out.println("mutated recipes: seed " + seed);
        Random seeds = new Random(seed);
        for (int i = 0; i < 10_000; i++) {
            long each = seeds.nextLong();
            String text = mutated(base(each), new Random(each));
            try {
                answer(text);
            } catch (RuntimeException | AssertionError wrong) {
                throw new AssertionError("-Dseed=%d, case %d:%n%s".formatted(seed, i, text), wrong);
            }
        }
    }

    @Property(tries = 1000)
    @Promise(row = 8, fault = "1,000 files of broken bytes")
    void brokenBytesAreAnswered(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        byte[] bytes = base(seed).getBytes(StandardCharsets.UTF_8);
        for (int i = random.nextInt(4); i >= 0; i--) bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        answer(() -> READER.read(decoded(bytes), random.nextBoolean() ? "recipe.yaml" : "recipe.json"));
    }

    private static String decoded(byte[] bytes) {
        return RecipeText.decode(bytes, new Findings("recipe.yaml"));
    }

    private static String base(long seed) throws IOException {
        return switch (Math.floorMod(seed, 3)) {
            case 0 -> Files.readString(Path.of("src/test/resources/nocturne/recipe/qwen-character-template.yaml"));
            case 1 -> Files.readString(Path.of("examples/ohwx/recipe.yaml"));
            default -> new RandomRecipes(seed).yaml();
        };
    }

    private static String mutated(String text, Random random) {
        List<String> lines = new ArrayList<>(text.lines().toList());
        for (int i = random.nextInt(3); i >= 0 && !lines.isEmpty(); i--) {
            int at = random.nextInt(lines.size());
            String line = lines.get(at);
            int colon = line.indexOf(':');
            switch (random.nextInt(8)) {
                case 0 -> lines.remove(at);
                case 1 -> lines.add(at, line);
                case 2 -> lines.add(random.nextInt(lines.size()), line);
                case 3 -> lines.set(at, "  " + line);
                case 4 -> lines.set(at, line.strip());
                case 5 -> lines.set(at, line.isEmpty() ? "x" : line.substring(0, random.nextInt(line.length()))
                        + HOSTILE.get(random.nextInt(HOSTILE.size())));
                default -> lines.set(at, (colon < 0 ? line : line.substring(0, colon + 1) + " ")
                        + HOSTILE.get(random.nextInt(HOSTILE.size())));
            }
        }
        return String.join("\n", lines);
    }

    private static Optional<ResolvedRecipe> answer(String text) {
        return answer(() -> READER.read(text, "recipe.yaml"));
    }

    private static Optional<ResolvedRecipe> answer(java.util.function.Supplier<ResolvedRecipe> reading) {
        try {
            return Optional.of(reading.get());
        } catch (UserMistake mistake) {
            assertThat(mistake.problems()).isNotEmpty().extracting(Problem::where)
                    .allMatch(where -> where.matches("(?s)line \\d+.*"));
            assertThat(mistake.report().codePoints()).as("nothing that steers a terminal")
                    .allMatch(c -> c == '\n' || Shown.isPrintable(c));
            return Optional.empty();
        }
    }

    /// The resolved text without its remarks about origins.
    private static List<String> values(String yaml) {
        return yaml.lines().filter(line -> !line.startsWith("#")).map(line -> line.replaceAll(" +# [^#]*$", ""))
                .toList();
    }
}
