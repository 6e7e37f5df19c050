package nocturne.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The example's 20 pictures under recipes that are just within the limits, or just beyond.
class LimitsTest {
    private static final Limits LIMITS = new Limits(100, 20, 64 * 64, 5, 12);
    private static final String WITHIN = """
            name: maya
            trigger_word: ohwx
            datasets: [{folder_path: pictures, resolution: 64}]
            train: {steps: 100}
            save: {save_every: 10, max_step_saves_to_keep: 5}
            sample: {sample_every: 25, width: 64, height: 64, prompts: [one, two]}
            probe: {enabled: false}
            """;

    @TempDir
    private Path scratch = Path.of("");

    @Test
    void whatIsJustWithinIsTaken() throws IOException {
        assertThat(inspection(WITHIN).within(LIMITS).training().pictures()).isEqualTo(20);
        assertThat(inspection(WITHIN).within(Limits.STANDARD)).isNotNull();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "steps: 100      | steps: 101      | LIMIT_STEPS       | train.steps: 101 steps; at most 100",
        "resolution: 64  | resolution: 96  | LIMIT_PIXELS      | datasets[0].resolution: 9,216 pixels",
        "width: 64       | width: 96       | LIMIT_PIXELS      | sample.prompts[0]: 6,144 pixels",
        "_to_keep: 5     | _to_keep: 6     | LIMIT_CHECKPOINTS | save.max_step_saves_to_keep: 6",
        "sample_every: 25| sample_every: 20| LIMIT_SAMPLES     | sample.sample_every: 14 sample pictures",
        "enabled: false  | enabled: true   | LIMIT_SAMPLES     | probe: 15 pictures at the end"
    })
    @Promise(row = 42, fault = "each value of a recipe one beyond its limit")
    void whatIsJustBeyondIsRefusedWithTheNumbers(String from, String to, String code, String words)
            throws IOException {
        Inspection asked = inspection(WITHIN.replace(from, to));
        assertThatThrownBy(() -> asked.within(LIMITS)).isInstanceOfSatisfying(UserMistake.class, mistake -> {
            assertThat(mistake.problems()).extracting(Problem::code).containsOnly(code);
            assertThat(mistake.report()).contains(words);
        });
        assertThat(asked.within(Limits.NONE)).isSameAs(asked);
    }

    @Test
    @Promise(row = 42, fault = "more pictures, steps and samples than allowed, all at once")
    void everythingThatIsTooMuchIsToldAtOnce() throws IOException {
        Inspection asked = inspection(WITHIN.replace("steps: 100", "steps: 500"));
        Limits tight = new Limits(100, 19, 64 * 64, 5, 12);
        assertThatThrownBy(() -> asked.within(tight)).isInstanceOfSatisfying(UserMistake.class,
                mistake -> assertThat(mistake.problems()).extracting(Problem::code)
                        .containsExactly("LIMIT_STEPS", "LIMIT_PICTURES", "LIMIT_SAMPLES"));
    }

    private Inspection inspection(String recipe) throws IOException {
        Path bundle = Files.createTempDirectory(scratch, "bundle");
        Path pictures = Files.createDirectories(bundle.resolve("pictures"));
        try (var files = Files.list(Path.of("examples/ohwx/dataset/10_ohwx"))) {
            for (Path file : List.copyOf(files.toList())) Files.copy(file, pictures.resolve(file.getFileName()));
        }
        Files.writeString(bundle.resolve("recipe.yaml"), recipe);
        Bundle opened = Bundle.open(bundle, scratch.resolve("work"), BundleLimits.STANDARD);
        return Inspection.of(opened, "maya", "models/qwen-image-tiny", new ModelSearch.Anywhere(Path.of("")));
    }
}
