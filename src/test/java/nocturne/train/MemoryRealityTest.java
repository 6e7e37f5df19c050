package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.CudaSettings;
import nocturne.cuda.MeasuredDevice;
import nocturne.cuda.ProductMode;
import nocturne.io.DType;
import nocturne.memory.MemoryPlan;
import nocturne.quant.WeightType;
import nocturne.qwen.Grid;
import nocturne.qwen.TransformerConfig;
import nocturne.tensor.Backend;
import nocturne.tensor.Tape.Keep;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a plan says against what a run takes: whole trainings of the tiny model, from an empty cache to the sample
/// pictures.
class MemoryRealityTest {
    private static final String RECIPE = """
            name: tiny
            trigger_word: ohwx
            network: {type: lora, linear: RANK, linear_alpha: 4}
            model: {quantize: QUANTIZED, qtype: TYPE}
            datasets:
              - {folder_path: dataset/2_ohwx, resolution: SIDE}
            train:
              steps: 1
              skip_first_sample: true
              batch_size: BATCH
              gradient_accumulation: 1
              optimizer: OPTIMIZER
              lr: 5e-4
              ema_config: {use_ema: AVERAGED, ema_decay: 0.9}
              validation_config: {validation_folder: heldout, validate_every_n_steps: 10, validation_sigmas: [0.5]}
            save: {save_every: 2, max_step_saves_to_keep: 10}
            sample:
              sample_every: 1
              width: DRAWN
              height: 64
              sample_steps: 2
              prompts: ["a green star"]
            probe: {guidance_scales: [3.5], strengths: [1], seeds: 1, prompts: [], without_trigger: ""}
            """;
    /// A plan may be too low by this much at most, and too high by so much.
    private static final double TOO_LOW = 0.02;
    private static final double TOO_HIGH = 0.10;
    private static final int LAYERS = 3;
    private static final long PLENTY = 1L << 32;

    private final Path folder;

    MemoryRealityTest(@TempDir Path folder) {
        this.folder = folder;
    }

    /// With an empty cache, so that everything is encoded, and with a full one.
    @ParameterizedTest
    @CsvSource({"4, 1, 64, int8, adamw8bit, true, 64, DECODED", "64, 2, 64, none, adamw, false, 64, EIGHT_BIT"})
    void aTrainingTakesWhatWasPlanned(int rank, int batch, int side, String type, String optimizer, boolean averaged,
            int drawn, ProductMode products) throws IOException {
        Path bundle = bundle(rank, batch, side, type, optimizer, averaged, drawn);
        CudaSettings settings = new CudaSettings(DType.BF16, products);
        for (String cache : List.of("empty", "full")) {
            MeasuredDevice device = MeasuredDevice.of(PLENTY);
            Path out = folder.resolve(cache + "/run");
            Training.run(request(bundle, out, folder.resolve("home")), threads -> device.backend(settings));
            String told = notice(out);
            double run = mebibytes(told, "; ([0-9.]+) MiB of ");
            double encoding = mebibytes(told, ", ([0-9.]+) MiB while encoding");
            check(device.peakBytes(), cache.equals("full") ? run : Math.max(run, encoding), told);
        }
    }

    /// Steps of random models whose modulation layers come and go, with everything kept and with everything computed
    /// again.
    @ParameterizedTest
    @CsvSource({"INT8, DECODED, 6, 40", "INT8, EIGHT_BIT, 4, 20", "UINT4, DECODED, 5, 9", ", DECODED, 8, 20",
            "FLOAT8, EIGHT_BIT, 4, 30"})
    void aStepOnACardTakesWhatWasPlanned(@Nullable WeightType format, ProductMode products, int side, int textRows) {
        CudaSettings settings = new CudaSettings(DType.BF16, products);
        Bench.Settings plenty = settings(format, side, textRows, PLENTY);
        MemoryPlan all = card(plenty, settings);
        assertThat(all.activations().all()).isEqualTo(LAYERS);
        assertThat(all.residency().residentBlocks()).isEqualTo(LAYERS);
        MemoryPlan inputs = card(new Bench.Settings(plenty.size(), format, 1, 0, Keep.INPUTS, null), settings);
        assertThat(inputs.workBytes()).isLessThan(all.workBytes());
    }

    private static MemoryPlan card(Bench.Settings settings, CudaSettings device) {
        MeasuredDevice card = MeasuredDevice.of(PLENTY);
        try (Backend backend = card.backend(device)) {
            Bench.Result result = Bench.run(settings, backend);
            MemoryPlan plan = result.plan();
            check(card.peakBytes(), plan.runBytes(), plan.toString());
            // What arenas are given they need, to the byte.
            assertThat(result.tensorBytes()).isEqualTo(plan.trainedBytes() + plan.weightBytes() + plan.workBytes());
            return plan;
        }
    }

    private static Bench.Settings settings(@Nullable WeightType format, int side, int textRows, @Nullable Long vram) {
        Bench.Size size = new Bench.Size("small",
                new TransformerConfig(LAYERS, 2, 32, 64, 64, List.of(8, 12, 12), false), new Grid(side, side),
                textRows);
        return new Bench.Settings(size, format, 1, 0, null, vram);
    }

    @ParameterizedTest
    @CsvSource({", ALL, 4, 9", "INT8, INPUTS, 8, 20", ", PRODUCTS, 12, 64", "UINT3, ALL, 6, 100", ", INPUTS, 16, 7"})
    void aStepOnTheProcessorTakesWhatWasPlanned(@Nullable WeightType format, Keep keep, int side, int textRows) {
        try (Backend backend = new CpuBackend(2)) {
            Bench.Settings asked = settings(format, side, textRows, null);
            Bench.Result result = Bench.run(new Bench.Settings(asked.size(), format, 1, 0, keep, null), backend);
            check(result.tensorBytes(), result.plan().runBytes(), result.plan().toString());
        }
    }

    private static void check(long measured, double planned, String told) {
        assertThat(measured / planned).as("%,d bytes: %s", measured, told).isBetween(1 - TOO_HIGH, 1 + TOO_LOW);
    }

    private static String notice(Path out) {
        return ShortRun.events(out, "nocturne.job.notice.v1").stream()
                .filter(event -> event.at("/data/code").asText().equals("MEMORY")).toList().getLast()
                .at("/data/message").asText();
    }

    private static double mebibytes(String told, String pattern) {
        Matcher found = Pattern.compile(pattern).matcher(told);
        assertThat(found.find()).as(told).isTrue();
        return Double.parseDouble(found.group(1)) * (1 << 20);
    }

    private Path bundle(int rank, int batch, int side, String type, String optimizer, boolean averaged, int drawn)
            throws IOException {
        Path bundle = ShortRun.bundleIn(Files.createDirectories(folder.resolve("bundle")));
        // How many pictures there are changes nothing in memory: two are left, and one held out.
        leave(2, bundle.resolve("dataset/2_ohwx"));
        leave(1, bundle.resolve("heldout"));
        Files.writeString(bundle.resolve("recipe.yaml"), RECIPE.replace("RANK", "" + rank).replace("BATCH", "" + batch)
                .replace("SIDE", "" + side).replace("QUANTIZED", "" + !type.equals("none"))
                .replace("TYPE", type.equals("none") ? "int8" : type).replace("OPTIMIZER", optimizer)
                .replace("AVERAGED", "" + averaged).replace("DRAWN", "" + drawn));
        return bundle;
    }

    private static void leave(int pictures, Path dataset) throws IOException {
        try (Stream<Path> files = Files.list(dataset)) {
            for (Path file : files.sorted().skip(2L * pictures).toList()) Files.delete(file);
        }
    }

    private TrainingRequest request(Path bundle, Path out, Path home) {
        PrintStream nowhere = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return new TrainingRequest(bundle, null, out, ShortRun.MODEL, 2, home, "test", nowhere, false, null,
                Stop.NEVER);
    }
}
