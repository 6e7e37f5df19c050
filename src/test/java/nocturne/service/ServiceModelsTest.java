package nocturne.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import nocturne.job.Job;
import nocturne.job.JobState;
import nocturne.problem.Problem;
import nocturne.problem.UserMistake;
import nocturne.promise.Promise;
import nocturne.service.fake.FakeBundle;
import nocturne.service.fake.FakeEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which models a stranger can have, from the recipe or the request to the trainer's command line.
class ServiceModelsTest {
    private static final Path TINY = Path.of("models/qwen-image-tiny").toAbsolutePath();
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @Test
    void aJobKeepsTheFolderThatItsModelWasFoundIn() throws IOException {
        try (IntakeCase its = new IntakeCase(folder)) {
            Job job = IntakeCase.job(its.drop(its.zip("maya")));
            assertThat(job.modelFolder()).isEqualTo(TINY.toRealPath().toString());
            assertThat(job.model()).as("nothing but the recipe named it").isNull();
            Incoming asked = new Incoming(its.zip("otto"), "otto", "k", null, "Qwen/qwen-image-tiny", 0, false, null);
            job = its.job(IntakeCase.job(its.intake.take(asked)).id());
            assertThat(job.modelFolder()).isEqualTo(TINY.toRealPath().toString());
            assertThat(job.model()).as("still called as the sender called it").isEqualTo("Qwen/qwen-image-tiny");
        }
    }

    /// The bundle is looked at in one folder and trained in another.
    @Test
    void aModelInTheBundleMovesWithIt() throws IOException {
        try (IntakeCase its = new IntakeCase(folder)) {
            Path bundle = its.folder("maya");
            Files.writeString(Files.createDirectories(bundle.resolve("own/transformer")).resolve("config.json"), "{}");
            recipeNames("own", bundle);
            Job job = IntakeCase.job(its.drop(bundle));
            assertThat(job.state()).isEqualTo(JobState.QUEUED);
            assertThat(its.work.job(job.id()).resolve(job.modelFolder()).resolve("transformer/config.json")).exists();
            assertThat(job.modelFolder()).isEqualTo(job.bundle() + "/own");
        }
    }

    /// Refused in the same words, but for the name that was asked for; and nothing else is told of either.
    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"/FOLDER/secret/NAME", "../../../FOLDER/secret/NAME", "/proc/self/root/FOLDER/secret/NAME"})
    @Promise(row = 34, fault = "models elsewhere in recipes and requests, those that are there and those that are not")
    void nobodyLearnsWhichFoldersThereAre(String name) throws IOException {
        Files.createDirectories(folder.resolve("secret/project-x"));
        try (IntakeCase its = new IntakeCase(folder)) {
            List<String> answers = new ArrayList<>();
            for (String project : List.of("project-x", "project-y")) {
                String model = name.replace("FOLDER", folder.toString()).replace("NAME", project);
                Path bundle = its.folder("maya");
                recipeNames(model, bundle);
                String byRecipe = refusal(its, Incoming.named(bundle, "maya", "inbox:maya"));
                recipeNames("models/qwen-image-tiny", bundle);
                String byRequest = refusal(its, new Incoming(bundle, "maya", "k", null, model, 0, false, null));
                assertThat(byRequest).isEqualTo(byRecipe);
                answers.add(byRecipe.replace(project, "PROJECT"));
            }
            assertThat(answers.getFirst()).isEqualTo(answers.getLast()).contains("MODEL_NOT_FOUND")
                    .doesNotContain(TINY.getParent().toString());
        }
    }

    private static String refusal(IntakeCase its, Incoming bundle) {
        Job job = IntakeCase.job(its.intake.take(bundle));
        assertThat(job.state()).isEqualTo(JobState.REFUSED);
        assertThat(job.problems()).extracting(Problem::code).containsExactly("MODEL_NOT_FOUND");
        return job.code() + " " + job.message() + " " + job.problems();
    }

    @Test
    void theOperatorSaysWhereModelsLieAndTheTrainerIsToldTheVeryFolder() throws IOException {
        Path models = Files.createDirectories(folder.resolve("disk/models"));
        Path large = Files.createDirectories(models.resolve("large"));
        Files.createSymbolicLink(models.resolve("latest"), large);
        Files.createSymbolicLink(models.resolve("astray"), Files.createDirectories(folder.resolve("secret")));
        Path words = folder.resolve("words.txt");
        Path trainer = Files.writeString(folder.resolve("trainer.sh"), """
                printf '%%s\\n' "$PWD" "$@" > %s
                exec %s "$@"
                """.formatted(words, String.join(" ", FakeEngine.command())));
        try (ServiceProcess service = ServiceProcess.in(folder).with("nocturne.models.roots", models)
                .with("nocturne.slots", "cpu").with("nocturne.trainer.command", "sh," + trainer)) {
            service.start().awaitReady();
            drop("maya", "latest", service);
            assertThat(outcome("maya", service)).isEqualTo("completed ");
            assertThat(Files.readAllLines(words)).contains("--model-folder=" + large.toRealPath())
                    .noneMatch(word -> word.startsWith("--model="));
            Map<String, String> elsewhere = Map.of("link", "astray", "name", "models/qwen-image-tiny", "path",
                    TINY.toString());
            for (String name : elsewhere.keySet()) {
                drop(name, elsewhere.get(name), service);
                assertThat(outcome(name, service)).isEqualTo("refused MODEL_NOT_FOUND");
            }
            assertThat(service.terminate()).isZero();
        }
    }

    @Test
    void withNothingSaidModelsLieInTheHomesFolderForThem() {
        try (Settings settings = Settings.read(new Startup(folder, null, Map.of(), Map.of(), "test"))) {
            assertThat(settings.of(ModelsConfig.class).below(folder)).containsExactly(folder.resolve("models"));
        }
        Map<String, String> said = Map.of("nocturne.models.roots", "large,/srv/models");
        try (Settings settings = Settings.read(new Startup(folder, null, Map.of(), said, "test"))) {
            assertThat(settings.of(ModelsConfig.class).below(folder))
                    .containsExactly(folder.resolve("large"), Path.of("/srv/models"));
        }
        Map<String, String> nothing = Map.of("nocturne.models.roots", "");
        try (Settings settings = Settings.read(new Startup(folder, null, Map.of(), nothing, "test"))) {
            assertThat(settings.of(ModelsConfig.class).below(folder)).isEmpty();
        }
    }

    @Test
    void whoeverWantsModelsFetchedSaysWhereTo() {
        Map<String, String> nowhere = Map.of("nocturne.models.pull", "missing", "nocturne.models.roots", "");
        assertThatThrownBy(() -> Settings.read(new Startup(folder, null, Map.of(), nowhere, "test")))
                .isInstanceOf(UserMistake.class).hasMessageContaining("nocturne.models.roots must name a folder");
        Map<String, String> sometimes = Map.of("nocturne.models.pull", "sometimes");
        assertThatThrownBy(() -> Settings.read(new Startup(folder, null, Map.of(), sometimes, "test")))
                .isInstanceOf(UserMistake.class).hasMessageContaining("one of never, missing");
    }

    private void drop(String name, String model, ServiceProcess service) throws IOException {
        Path bundle = FakeBundle.of(name, "steps 3").folder(folder.resolve("made/" + name));
        recipeNames(model, bundle);
        Files.move(bundle, service.inbox().resolve(name));
        Files.createFile(service.inbox().resolve(name + ".done"));
    }

    private static void recipeNames(String model, Path bundle) throws IOException {
        Path recipe = bundle.resolve("recipe.yaml");
        Files.writeString(recipe, Files.readString(recipe).replaceFirst("name_or_path: .*}",
                "name_or_path: " + model + "}"));
    }

    /// The last word about a job, as its sender reads it.
    private static String outcome(String name, ServiceProcess service) {
        List<String> last = new ArrayList<>();
        await().atMost(Duration.ofMinutes(1)).ignoreExceptions().untilAsserted(() -> {
            last.clear();
            try (var jobs = Files.newDirectoryStream(service.outbox(), name + "-*")) {
                for (Path job : jobs) {
                    JsonNode card = JSON.readTree(job.resolve("job.json").toFile());
                    last.add(card.path("state").asText() + " " + card.path("code").asText());
                }
            }
            assertThat(last).as(() -> String.join("\n", service.lines())).singleElement().asString()
                    .matches("(completed|failed|refused) .*");
        });
        return last.getFirst();
    }
}
