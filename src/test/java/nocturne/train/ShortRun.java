package nocturne.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import nocturne.io.AtomicFiles;
import nocturne.io.ContentHash;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.ScaledFile;
import org.jspecify.annotations.Nullable;

/// A training that ends in seconds and yet has everything that a long one has: caching, accumulation, dropout, an
/// average, held-out pictures, checkpoints, samples. It runs as `nocturne train` in a process of its own.
public final class ShortRun {
    /// The pipeline that comes with Nocturne.
    public static final Path MODEL = Path.of("models/qwen-image-tiny").toAbsolutePath();

    private static final Path EXAMPLE = Path.of("examples/ohwx").toAbsolutePath();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long PATIENCE_SECONDS = 240;
    private static final String RECIPE = """
            name: tiny
            trigger_word: ohwx
            network: {type: lora, linear: 4, linear_alpha: 4}
            datasets:
              - {folder_path: dataset/2_ohwx, caption_dropout_rate: 0.2, resolution: 64}
            train:
              steps: 40
              batch_size: 1
              gradient_accumulation: 2
              optimizer: adamw
              lr: 5e-4
              ema_config: {use_ema: true, ema_decay: 0.9}
              validation_config: {validation_folder: heldout, validate_every_n_steps: 10, validation_sigmas: [0.3, 0.7]}
            save: {save_every: 10, max_step_saves_to_keep: 10}
            sample:
              sample_every: 20
              width: 64
              height: 64
              sample_steps: 4
              prompts: ["a large ohwx on a gray background", "a green star"]
            probe: {enabled: false}
            """;

    private static @Nullable SortedMap<String, String> uninterrupted;

    private ShortRun() {}

    /// Writes the pipeline again, its transformer in one file of ComfyUI's "scaled fp8" form.
    static ModelFolder scaledModel(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(MODEL)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path relative = MODEL.relativize(file);
                if (relative.startsWith("transformer") && !relative.endsWith("config.json")) continue;
                Path target = folder.resolve(relative);
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
        ScaledFile.write(folder.resolve("transformer/scaled.safetensors"), MODEL.resolve("transformer"),
                "model.diffusion_model.", "scale_weight");
        return ModelFolder.open(folder);
    }

    /// Writes the bundle: five pictures to train, two held out, one recipe.
    public static Path bundleIn(Path folder) {
        try {
            copy(EXAMPLE.resolve("dataset/10_ohwx"), folder.resolve("dataset/2_ohwx"), 5);
            copy(EXAMPLE.resolve("heldout"), folder.resolve("heldout"), 2);
            Files.writeString(folder.resolve("recipe.yaml"), RECIPE);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path from, Path to, int pictures) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.sorted().limit(2L * pictures).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    /// Starts `nocturne train` as the launcher does.
    ///
    /// @param home holds the cache
    /// @param out  its last name is part of the adapters' metadata, so runs that are compared share it
    /// @param more options of the command
    static Child start(Path bundle, Path home, Path out, String... more) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"),
                "--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC", "-Xms64m", "-Xmx384m", "-Dnocturne.home=" + home,
                "nocturne.Main", "train", bundle.toString(), "--out", out.toString(), "--model", MODEL.toString()));
        command.addAll(List.of(more));
        try {
            Path words = Files.createTempFile("nocturne-child-", ".txt");
            ProcessBuilder process = new ProcessBuilder(command).redirectErrorStream(true);
            return new Child(process.redirectOutput(words.toFile()).start(), words);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The results of the run that nothing disturbs; it is made once.
    static synchronized SortedMap<String, String> uninterrupted(Path bundle, Path scratch) {
        SortedMap<String, String> known = uninterrupted;
        if (known != null) return known;
        Path out = scratch.resolve("uninterrupted/run");
        Child child = start(bundle, scratch.resolve("uninterrupted/home"), out);
        if (child.exitCode() != 0) throw new AssertionError(child.words());
        known = results(out);
        uninterrupted = known;
        return known;
    }

    /// SHA-256 by name of everything whose bytes are a promise: adapters, sample pictures, sheet, losses, curve.
    static SortedMap<String, String> results(Path out) {
        SortedMap<String, String> results = new TreeMap<>();
        for (Path file : files(out)) {
            String name = out.relativize(file).toString().replace(File.separatorChar, '/');
            boolean promised = !name.startsWith(".state/")
                    && (name.endsWith(".safetensors") || name.endsWith(".png") || name.endsWith(".csv"));
            if (promised) results.put(name, ContentHash.ofFile(file));
        }
        return results;
    }

    /// All files below a folder, without those whose name says that they are unfinished; none if it is not there.
    static List<Path> files(Path folder) {
        if (!Files.isDirectory(folder)) return List.of();
        List<Path> files = new ArrayList<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path entry : entries.sorted().toList()) {
                if (Files.isDirectory(entry)) files.addAll(files(entry));
                else if (!AtomicFiles.isLeftover(entry)) files.add(entry);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return files;
    }

    /// Asks a run in this process to stop once it has made so many steps.
    static Stop stopAfter(Path out, int steps) {
        return new Stop() {
            @Override
            public boolean isRequested() {
                return events(out, "nocturne.job.stepped.v1").size() >= steps;
            }

            @Override
            public void workBegins() {}
        };
    }

    /// Asks a run in this process to stop after a step that is not its last. Which one is drawn from a seed that is
    /// printed; `-Dkill.seed=...` draws it again.
    static Stop stopAtSomeStepOf(Path out, int steps) {
        long seed = Long.getLong("kill.seed", System.nanoTime());
        int step = new SplittableRandom(seed).nextInt(1, steps);
        System.out.printf("stop after step %d of %d, drawn with -Dkill.seed=%d%n", step, steps, seed);
        return stopAfter(out, step);
    }

    /// The whole lines of a run's events of one type, such as `nocturne.job.stepped.v1`; of all types if it is empty.
    static List<JsonNode> events(Path out, String type) {
        Path file = out.resolve("events.jsonl");
        if (!Files.exists(file)) return List.of();
        try {
            String text = Files.readString(file, StandardCharsets.US_ASCII);
            List<JsonNode> events = new ArrayList<>();
            for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
                JsonNode event = JSON.readTree(line);
                if (type.isEmpty() || event.path("type").asText().equals(type)) events.add(event);
            }
            return events;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A Nocturne that was started.
    ///
    /// @param output where what it says is kept
    record Child(Process process, Path output) {
        /// Waits until something is so, or the process has ended.
        void runUntil(BooleanSupplier reached) {
            try {
                while (!reached.getAsBoolean() && !process.waitFor(1, TimeUnit.MILLISECONDS)) {
                    // The wait is the pause between two looks.
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        /// Holds it where it is, or lets it go on.
        void hold(boolean held) {
            try {
                String signal = held ? "-STOP" : "-CONT";
                new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        /// Waits for its end.
        int exitCode() {
            try {
                if (process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) return process.exitValue();
                process.destroyForcibly();
                throw new AssertionError("still running after " + PATIENCE_SECONDS + " s:\n" + words());
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        /// All it said so far, on both streams.
        String words() {
            try {
                return Files.readString(output);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
