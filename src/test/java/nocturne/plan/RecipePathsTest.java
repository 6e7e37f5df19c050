package nocturne.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import nocturne.service.fake.FakeBundle;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A stranger's folder, trained where it lies. A bundle does not list what is hidden in it, so only the recipe leads
/// there, and from there links lead anywhere.
class RecipePathsTest {
    @TempDir
    private Path scratch = Path.of("");
    private Path bundle = Path.of("");

    @BeforeEach
    void make() throws IOException {
        bundle = FakeBundle.of("maya").folder(scratch.resolve("maya"));
        Path diary = FakeBundle.of("diary").folder(scratch.resolve("diary")).resolve("pictures");
        Files.createDirectories(bundle.resolve(".hidden/copied"));
        Files.createSymbolicLink(bundle.resolve(".hidden/linked"), diary);
        Files.createSymbolicLink(bundle.resolve(".hidden/copied/1.png"), diary.resolve("0001.png"));
        Files.createDirectories(bundle.resolve("__MACOSX"));
        Files.createSymbolicLink(bundle.resolve("__MACOSX/linked"), diary);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        "datasets[0].folder_path         | datasets: [{folder_path: .hidden/linked}]",
        "datasets[0].folder_path         | datasets: [{folder_path: .hidden/copied}]",
        "datasets[0].folder_path         | datasets: [{folder_path: __MACOSX/linked}]",
        "datasets[0].control_path        | datasets: [{folder_path: pictures, control_path: .hidden/linked}]",
        "datasets[0].control_path        | datasets: [{folder_path: pictures, control_path_2: .hidden/linked}]",
        "validation_config.validation_folder | train: {validation_config: {validation_folder: .hidden/linked}}",
        "validation_items[0].image_path  | "
                + "train: {validation_config: {validation_items: [{image_path: .hidden/copied/1.png}]}}",
        "network.pretrained_lora_path    | network: {pretrained_lora_path: .hidden/copied/1.png}",
        "sample.samples[0].ctrl_img      | sample: {samples: [{prompt: x, ctrl_img: .hidden/copied/1.png}]}",
        "sample.samples[0].ctrl_img      | sample: {prompts: ['x --ctrl_img .hidden/copied/1.png']}"
    })
    @Promise(row = 35, fault = "links in hidden folders, named by every path that a recipe can hold")
    void whatIsHiddenOrLinkedOutOfTheBundleIsRefusedWithLineAndKey(String key, String recipe) throws IOException {
        Files.writeString(bundle.resolve("recipe.yaml"), "name: maya\n" + recipe + "\n");
        assertThatThrownBy(() -> inspect()).isInstanceOfSatisfying(UserMistake.class, mistake -> {
            assertThat(mistake.problems()).extracting(Problem::code).containsOnly("RECIPE_INVALID");
            assertThat(mistake.report()).contains("line 2", key).doesNotContain(scratch.toString());
        });
    }

    @Test
    void linksInsideTheBundleAreFollowed() throws IOException {
        Files.createSymbolicLink(bundle.resolve("also"), Path.of("pictures"));
        Files.writeString(bundle.resolve("recipe.yaml"), "datasets: [{folder_path: also, resolution: 64}]\n");
        assertThat(inspect().training().pictures()).isEqualTo(1);
    }

    /// `LC_ALL=C` is what a bare environment has: Java then has no way to say such a name to the system.
    @Test
    void aNameThatThisSystemCannotSayIsAProblemWithLineAndKey() throws Exception {
        Files.writeString(bundle.resolve("recipe.yaml"), """
                name: maya
                datasets: [{folder_path: Bücher, resolution: 64}]
                model: {name_or_path: modèles/tiny}
                """);
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "--add-modules", "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED", "-Dnocturne.home=" + scratch,
                "-cp", System.getProperty("java.class.path"), "nocturne.Main", "train", bundle.toString());
        builder.environment().keySet().removeIf(name -> name.startsWith("LC_"));
        builder.environment().put("LC_ALL", "C");
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(said).contains("recipe.yaml has 2 problems", "line 2  datasets[0].folder_path",
                "line 3  model.name_or_path", "LC_ALL=C.UTF-8").doesNotContain("Exception");
        assertThat(process.exitValue()).isEqualTo(64);
    }

    private Inspection inspect() {
        return Inspection.of(Bundle.open(bundle, scratch.resolve("work"), BundleLimits.STANDARD), "maya",
                "models/qwen-image-tiny", new ModelSearch.Anywhere(scratch));
    }
}
