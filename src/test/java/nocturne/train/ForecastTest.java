package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import nocturne.bundle.Bundle;
import nocturne.bundle.BundleLimits;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.CudaBackend;
import nocturne.cuda.CudaSettings;
import nocturne.io.DType;
import nocturne.io.Safetensors;
import nocturne.ledger.Ledger;
import nocturne.memory.Phase;
import nocturne.plan.ModelSearch;
import nocturne.problem.UserMistake;
import nocturne.recipe.Notice;
import nocturne.recipe.Recipe;
import nocturne.recipe.Rung;
import nocturne.tensor.Backend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What is promised before a job is what the job then takes.
class ForecastTest {
    private static final Path HOME = Path.of("").toAbsolutePath();
    private static final Path TEMPLATE =
            Path.of("src/test/resources/nocturne/recipe/qwen-character-template.yaml").toAbsolutePath();
    @TempDir
    private Path folder;

    private static Backend processor() {
        try (CpuBackend processor = new CpuBackend(1)) {
            return processor.rehearsal();
        }
    }

    private static Forecast.Device card(int gigabytes) {
        return Forecast.Device.card(gigabytes * 1_000_000_000L,
                () -> CudaBackend.rehearsal(CudaSettings.of(DType.BF16), true));
    }

    private Forecast forecast(Path bundle, Forecast.Device device) {
        Bundle opened = Bundle.open(bundle, folder.resolve("bundles"), BundleLimits.STANDARD);
        return Forecast.of(opened, "maya", null, new ModelSearch.Anywhere(HOME), folder.resolve("cache"), device);
    }

    @Ledger({"S1-64", "X-19", "S1-17"})
    @ParameterizedTest
    @ValueSource(strings = {"", "optimizer: adamw8bit", "ema_config: {use_ema: false}", "linear: 7", "dtype: bf16",
        "dtype: f32"})
    void sizesOfFilesAreThoseThatTheRunThenWrites(String other) throws IOException {
        Path bundle = ShortRun.bundleIn(folder.resolve("bundle"));
        String recipe = Files.readString(bundle.resolve("recipe.yaml")).replace("steps: 40", "steps: 2")
                .replace("sample_every: 20", "sample_every: 0").replace("save_every: 10", "save_every: 1")
                .replace("name: tiny", "name: tiny\nmodel: {name_or_path: %s}".formatted(ShortRun.MODEL));
        recipe = switch (other.isEmpty() ? "" : other.substring(0, other.indexOf(':'))) {
            case "optimizer" -> recipe.replace("optimizer: adamw", other);
            case "ema_config" -> recipe.replace("ema_config: {use_ema: true, ema_decay: 0.9}", other);
            case "linear" -> recipe.replace("linear: 4,", other + ",");
            case "dtype" -> recipe.replace("save: {", "save: {" + other + ", ");
            default -> recipe;
        };
        assertThat(recipe).contains(other);
        Files.writeString(bundle.resolve("recipe.yaml"), recipe);
        DiskNeed need = forecast(bundle, Forecast.Device.processor("", ForecastTest::processor)).disk();

        Path out = folder.resolve("out");
        Training.run(new TrainingRequest(bundle, out, null, 1, HOME, "test",
                new PrintStream(OutputStream.nullOutputStream())));
        List<Path> files = files(out, ".safetensors");
        List<Path> states = files.stream().filter(file -> file.toString().contains(".state")).toList();
        List<Path> adapters = files.stream().filter(file -> !file.toString().contains(".state")).toList();
        assertThat(adapters).isNotEmpty().allSatisfy(file -> assertThat(data(file)).isEqualTo(need.adapter()));
        assertThat(adapters.stream().mapToLong(ForecastTest::data).sum()).isEqualTo(need.checkpoints());
        assertThat(states).isNotEmpty().allSatisfy(file -> assertThat(3 * data(file)).isEqualTo(need.state()));
    }

    /// The speed of the run before decides, and twice the steps take twice as long.
    @Test
    void earlierJobsTellHowLongTheNextOneTakes() throws IOException {
        Path bundle = ShortRun.bundleIn(folder.resolve("bundle"));
        String recipe = Files.readString(bundle.resolve("recipe.yaml")).replace("sample_every: 20", "sample_every: 0")
                .replace("name: tiny", "name: tiny\nmodel: {name_or_path: %s}".formatted(ShortRun.MODEL));
        Files.writeString(bundle.resolve("recipe.yaml"), recipe.replace("steps: 40", "steps: 6"));
        String name;
        try (CpuBackend processor = new CpuBackend(1)) {
            name = processor.name();
        }
        Forecast.Device device = Forecast.Device.processor(name, ForecastTest::processor);
        assertThat(forecast(bundle, device).seconds()).isEmpty();
        Training.run(new TrainingRequest(bundle, null, folder.resolve("out"), null, 1, HOME, "test",
                new PrintStream(OutputStream.nullOutputStream()), false, null, Stop.NEVER, folder.resolve("cache"),
                null));
        double six = forecast(bundle, device).seconds().orElseThrow();
        assertThat(six).isPositive();
        Files.writeString(bundle.resolve("recipe.yaml"), recipe.replace("steps: 40", "steps: 12"));
        assertThat(forecast(bundle, device).seconds().orElseThrow()).isCloseTo(2 * six, within(1e-6 * six));
    }

    private static long data(Path file) {
        try (Safetensors opened = Safetensors.open(file)) {
            return opened.tensors().values().stream()
                    .mapToLong(entry -> entry.elements() * entry.dtype().bytes()).sum();
        }
    }

    private static List<Path> files(Path folder, String ending) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> file.toString().endsWith(ending)).toList();
        }
    }

    /// The released model need not be here. A smaller card takes longer and no less of the result.
    @Ledger({"S1-56", "S2-30", "X-17"})
    @Test
    void theTemplateIsPlannedForEveryClassOfCards() throws IOException {
        Path bundle = template();
        double before = Double.MAX_VALUE;
        for (int gigabytes : List.of(16, 24, 32, 48, 80)) {
            long bytes = gigabytes * 1_000_000_000L;
            Forecast forecast = forecast(bundle, card(gigabytes));
            assertThat(forecast.memory().runBytes()).isLessThan(bytes);
            assertThat(forecast.notices()).extracting(Notice::code).contains("MODEL_NOT_FOUND", "X-09", "S2-41");
            double seconds = CardClass.of(bytes).seconds(forecast.work());
            assertThat(seconds).isLessThan(before).isPositive();
            before = seconds;
        }
    }

    @Ledger("S1-14")
    @Test
    void anAdapterThatIsNotHereIsWarnedOfAndPlannedWithout() throws IOException {
        Path bundle = template();
        Path recipe = bundle.resolve("recipe.yaml");
        String text = Files.readString(recipe);
        String asked = text.replaceFirst("quantize_dtype: \\S+", "qtype: uint4|nowhere/ara.safetensors");
        assertThat(asked).isNotEqualTo(text);
        Files.writeString(recipe, asked);
        Forecast forecast = forecast(bundle, card(24));
        assertThat(forecast.notices()).filteredOn(notice -> notice.code().equals("ADAPTER_NOT_FOUND")).singleElement()
                .satisfies(notice -> {
                    assertThat(notice.isWarning()).isTrue();
                    assertThat(notice.text()).contains("nowhere/ara.safetensors", "cannot be trained until");
                });
    }

    /// What the recipe leaves free stays free, whatever the card has.
    @Test
    void theRecipesLimitHoldsOnALargerCard() throws IOException {
        Path bundle = template();
        Path recipe = bundle.resolve("recipe.yaml");
        Files.writeString(recipe, Files.readString(recipe)
                .replace("      trigger_word:", "      vram_limit: 20GB\n      trigger_word:"));
        assertThat(forecast(bundle, card(80)).memory().peakBytes()).isLessThan(20_000_000_000L);
        Files.writeString(recipe, Files.readString(recipe).replace("vram_limit: 20GB", "vram_limit: 90GiB"));
        assertThat(forecast(bundle, card(16)).memory().peakBytes()).isLessThan(16_000_000_000L);
    }

    @Test
    void aCardThatIsTooSmallIsRefusedWithNumbers() throws IOException {
        Path bundle = template();
        assertThatThrownBy(() -> forecast(bundle, card(4)))
                .isInstanceOfSatisfying(UserMistake.class, mistake -> assertThat(mistake.problems())
                        .singleElement()
                        .satisfies(problem -> assertThat(problem.code()).isEqualTo("DEVICE_TOO_SMALL")))
                .hasMessageContaining("GiB");
    }

    /// 7 GB are enough for the template as it is; below, what it loses is in its resolved recipe.
    @Ledger({"X-06", "S1-34", "X-05"})
    @Test
    void aCardThatIsShortOfMemoryTrainsWhatItCan() throws IOException {
        Path bundle = template();
        assertThat(forecast(bundle, card(7)).device().rungs()).isEmpty();
        Forecast short6 = forecast(bundle, card(6));
        assertThat(short6.device().rungs()).contains(Rung.PIXELS_768)
                .isSubsetOf(Rung.SMALL_SAMPLES, Rung.EIGHT_BITS, Rung.SIX_BITS, Rung.PIXELS_768);
        assertThat(short6.memory().runBytes()).isLessThan(5_000_000_000L);
        assertThat(short6.found().resolved().recipe().datasets()).allSatisfy(dataset ->
                assertThat(dataset.resolutions()).containsExactly(768));
        assertThat(short6.found().training().samples()).allSatisfy(sample ->
                assertThat(sample.width()).isEqualTo(768));
        assertThat(short6.notices()).filteredOn(notice -> notice.code().equals("X-06")).isNotEmpty();
        assertThat(short6.work().microStep()).isLessThan(0.7 * forecast(bundle, card(16)).work().microStep());
    }

    /// Arithmetic of 3400 batches, some of it twice, and of the samples: more is computed twice on a smaller card.
    @Test
    void whatIsComputedTwiceCounts() throws IOException {
        Path bundle = template();
        WorkNeed large = forecast(bundle, card(80)).work();
        WorkNeed small = forecast(bundle, card(16)).work();
        assertThat(large.microSteps()).isEqualTo(3400);
        assertThat(large.microStep()).isBetween(150e12, 180e12);
        assertThat(small.microStep()).isBetween(1.4 * large.microStep(), 1.5 * large.microStep());
        assertThat(small.streamed()).isGreaterThan(large.streamed());
        assertThat(small.seconds(1e14, 1e6)).isGreaterThan(small.seconds(1e14, 1e11));
    }

    /// Nineteen pictures at the end, each about as much work as one sample.
    @Test
    @Ledger("S2-74")
    void theProbeIsCountedIn() throws IOException {
        Path bundle = template();
        Forecast with = forecast(bundle, card(80));
        Path text = bundle.resolve("recipe.yaml");
        Files.writeString(text, Files.readString(text)
                .replace("      trigger_word:", "      probe: {enabled: false}\n      trigger_word:"));
        Recipe recipe = with.found().resolved().recipe();
        long samples = recipe.sample().prompts().size() * IntStream.rangeClosed(0, recipe.train().steps())
                .filter(step -> recipe.sample().isDueAfter(step, recipe.train().steps())).count();
        double without = forecast(bundle, card(80)).work().sampling();
        assertThat((with.work().sampling() - without) / (without / samples)).isCloseTo(19, within(0.5));
    }

    /// At so high a rank that a pass takes more than the autoencoder; the file need not fit to be planned for.
    @Test
    void aSecondLoraIsDrawnInThePlanBesideTheNewOne() throws IOException {
        Path bundle = ShortRun.bundleIn(folder.resolve("bundle"));
        Path text = bundle.resolve("recipe.yaml");
        String recipe = Files.readString(text).replace("linear: 4,", "linear: 512,")
                .replace("name: tiny", "name: tiny\nmodel: {name_or_path: %s}".formatted(ShortRun.MODEL));
        Files.writeString(bundle.resolve("style.safetensors"), "no tensors");
        Files.writeString(text, recipe.replace("{enabled: false}", "{enabled: true}"));
        long one = drawing(bundle);
        Files.writeString(text, recipe.replace("{enabled: false}", "{second_lora: style.safetensors}"));
        assertThat(drawing(bundle)).isGreaterThan(one);
        assertThat(forecast(bundle, card(16)).notices()).extracting(Notice::code).contains(SecondLora.UNUSABLE);
    }

    private long drawing(Path bundle) {
        return forecast(bundle, card(16)).memory().need(Phase.SAMPLING).work();
    }

    /// Two pictures in each folder, of the size the recipe trains at.
    private Path template() throws IOException {
        Path bundle = folder.resolve("maya");
        Random random = new Random(3);
        for (String name : List.of("40_maya_char", "20_maya_char_realbody")) {
            Path dataset = Files.createDirectories(bundle.resolve("dataset").resolve(name));
            for (int i = 0; i < 2; i++) {
                BufferedImage picture = new BufferedImage(1024, 1024, BufferedImage.TYPE_INT_RGB);
                for (int y = 0; y < 1024; y++) for (int x = 0; x < 1024; x++) picture.setRGB(x, y, random.nextInt());
                ImageIO.write(picture, "jpg", dataset.resolve(i + ".jpg").toFile());
                Files.writeString(dataset.resolve(i + ".txt"), "maya_char, a portrait by a window, number " + i);
            }
        }
        Files.copy(TEMPLATE, bundle.resolve("recipe.yaml"));
        return bundle;
    }
}
