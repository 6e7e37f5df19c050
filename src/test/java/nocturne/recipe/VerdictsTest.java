package nocturne.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import nocturne.ledger.Ledger;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every key of the dialect does what it says, or is told to mean something else or nothing, or is refused: as the
/// tables of the ledger have it.
class VerdictsTest {
    private static final RecipeReader READER = RecipeReader.in(BundleFacts.named("maya"));
    private static final String PICTURE_OF_THE_TRIGGER =
            "sample: {prompts: ['ohwx in a garden full of flowers, a photograph in soft morning light']}";

    static Stream<Arguments> settings() throws IOException {
        return Files.readAllLines(Path.of("src/test/resources/nocturne/recipe/verdicts.txt")).stream()
                .filter(line -> !line.startsWith("#")).flatMap(line -> {
                    String[] cells = line.split(" \\| ");
                    return Stream.of(cells[2].split(" ; "))
                            .map(setting -> Arguments.of(cells[0], cells[1], setting.strip()));
                });
    }

    @ParameterizedTest
    @MethodSource("settings")
    @Ledger({"B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "S1-37", "S2-21", "S2-25", "S2-31"})
    void aKeyGetsTheVerdictOfTheLedger(String block, String verdict, String setting) {
        String key = setting.substring(0, setting.indexOf(':'));
        String text = text(block, setting);
        if (verdict.equals("R")) {
            UserMistake mistake = catchThrowableOfType(UserMistake.class, () -> READER.read(text, "recipe.yaml"));
            assertThat(mistake).as("refusal of %s", text).isNotNull();
            assertThat(mistake.problems()).extracting(Problem::where).allMatch(where -> where.contains(key));
            return;
        }
        ResolvedRecipe resolved = READER.read(text, "recipe.yaml");
        assertThat(resolved.notices().stream().filter(notice -> notice.where().matches(".*\\b" + key + "\\b.*")))
                .hasSize(verdict.equals("W") ? 1 : 0);
    }

    private static String text(String block, String setting) {
        String head = setting.startsWith("trigger_word") || setting.startsWith("name:") ? "" : "trigger: ohwx\n";
        return switch (block) {
            case "top" -> head + setting + "\n";
            case "datasets" -> head + "datasets: [{folder_path: a, %s}]\n".formatted(setting);
            // Small numbers would be commented on for themselves.
            case "save" -> head + "train: {steps: 3000}\nsave: {%s}\n".formatted(setting);
            case "sample" -> head + "sample: {%s}\n".formatted(setting);
            default -> head + "%s: {%s}\n%s\n".formatted(block, setting, PICTURE_OF_THE_TRIGGER);
        };
    }
}
