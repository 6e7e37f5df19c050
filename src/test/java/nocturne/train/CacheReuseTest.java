package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Stream;
import nocturne.cpu.CpuBackend;
import nocturne.dataset.CacheFolder;
import nocturne.image.Picture;
import nocturne.ledger.Ledger;
import nocturne.problem.UserMistake;
import nocturne.quant.WeightType;
import nocturne.qwen.EncoderLoading;
import nocturne.qwen.ModelFolder;
import nocturne.qwen.PromptEmbedding;
import nocturne.tensor.Backend;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What was encoded once is never encoded again, and a cache that was damaged is mended, not believed.
class CacheReuseTest {
    @TempDir
    private Path scratch = Path.of("");

    @Test
    @Ledger({"S1-36", "S1-38", "S1-55", "S2-45", "X-12"})
    void aSecondRunEncodesNothingAndATornCacheIsMended() throws IOException {
        Path bundle = ShortRun.bundleIn(scratch.resolve("bundle"));
        Path home = scratch.resolve("home");
        Path cache = home.resolve("work/cache");
        SortedMap<String, String> expected = train(bundle, home, scratch.resolve("first/run"));
        List<Path> entries = ShortRun.files(cache);
        assertThat(entries).hasSizeGreaterThan(10);
        SortedMap<String, String> written = writings(cache);

        // Another --out, the same pictures: not one file of the cache is written.
        assertThat(train(bundle, home, scratch.resolve("second/run"))).isEqualTo(expected);
        assertThat(writings(cache)).isEqualTo(written);

        Path torn = entries.getFirst();
        Path altered = entries.getLast();
        Path emptied = entries.get(entries.size() / 2);
        byte[] tornBefore = Files.readAllBytes(torn);
        byte[] alteredBefore = Files.readAllBytes(altered);
        byte[] emptiedBefore = Files.readAllBytes(emptied);
        try (RandomAccessFile file = new RandomAccessFile(torn.toFile(), "rw")) {
            file.setLength(file.length() / 2);
        }
        byte[] flipped = alteredBefore.clone();
        flipped[flipped.length - 3] ^= 0x40;
        Files.write(altered, flipped);
        Files.write(emptied, new byte[0]);
        assertThat(train(bundle, home, scratch.resolve("third/run"))).isEqualTo(expected);
        assertThat(torn).hasBinaryContent(tornBefore);
        assertThat(altered).hasBinaryContent(alteredBefore);
        assertThat(emptied).hasBinaryContent(emptiedBefore);
    }

    private static Encoders encoders(Path model, Backend backend, Path cache, EncoderLoading text) {
        return new Encoders(ModelFolder.open(model), backend, new CacheFolder(cache), text);
    }

    /// What the text encoder's weights were kept in is part of what a prompt's features are.
    @Test
    void featuresOfAnotherFormatAreOthers() throws IOException {
        Path model = copyOfModel();
        Path cache = scratch.resolve("cache");
        List<Encoders.Prompt> prompts = List.of(Encoders.Prompt.ofWords("a ohwx"));
        try (Backend backend = new CpuBackend(1);
                Encoders plain = encoders(model, backend, cache, EncoderLoading.PLAIN);
                Encoders kept = encoders(model, backend, cache, new EncoderLoading(WeightType.FLOAT8, null))) {
            float[] rows = plain.prompts(prompts).getFirst().rows();
            assertThat(kept.prompts(prompts).getFirst().rows()).isNotEqualTo(rows);
            assertThat(kept.statistics().misses()).isEqualTo(1);
            assertThat(plain.prompts(prompts).getFirst().rows()).isEqualTo(rows);
        }
    }

    /// With the weights gone, whoever loads an encoder fails.
    @Test
    void whatIsCachedNeedsNoEncoder() throws IOException {
        Path model = copyOfModel();
        Path cache = scratch.resolve("cache");
        List<Encoders.Prompt> prompts = List.of(Encoders.Prompt.ofWords("a ohwx"), Encoders.Prompt.ofWords(""));
        Supplier<Picture> picture = () -> new Picture(32, 32, new byte[32 * 32 * 3]);
        try (Backend backend = new CpuBackend(1)) {
            List<PromptEmbedding> embeddings;
            float[] latents;
            try (Encoders encoders = encoders(model, backend, cache, EncoderLoading.PLAIN)) {
                embeddings = encoders.prompts(prompts);
                latents = encoders.latents("black", picture);
            }
            try (Encoders encoders = encoders(model, backend, cache, EncoderLoading.PLAIN)) {
                Files.delete(model.resolve("vae/diffusion_pytorch_model.safetensors"));
                Files.delete(model.resolve("text_encoder/model.safetensors"));
                assertThat(encoders.latents("black", picture)).isEqualTo(latents);
                List<PromptEmbedding> again = encoders.prompts(prompts);
                for (int i = 0; i < again.size(); i++) {
                    assertThat(again.get(i).rows()).isEqualTo(embeddings.get(i).rows());
                }
                assertThat(encoders.statistics()).isEqualTo(new CacheFolder.Statistics(3, 0, 0));
                assertThatThrownBy(() -> encoders.prompts(List.of(Encoders.Prompt.ofWords("unseen"))))
                        .isInstanceOf(UserMistake.class);
                assertThatThrownBy(() -> encoders.latents("unseen", picture)).isInstanceOf(UserMistake.class);
            }
        }
    }

    private static SortedMap<String, String> train(Path bundle, Path home, Path out) {
        ShortRun.Child child = ShortRun.start(bundle, home, out);
        assertThat(child.exitCode()).as(child.words()).isZero();
        return ShortRun.results(out);
    }

    /// When each file was written and as which one: a file that replaces another has a key of its own.
    private static SortedMap<String, String> writings(Path folder) throws IOException {
        SortedMap<String, String> writings = new TreeMap<>();
        for (Path file : ShortRun.files(folder)) {
            // How fast the run was is written after each one.
            if (file.endsWith("pace.json")) continue;
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            writings.put(file.toString(), attributes.fileKey() + " " + attributes.lastModifiedTime());
        }
        return writings;
    }

    private Path copyOfModel() throws IOException {
        Path model = scratch.resolve("model");
        try (Stream<Path> files = Files.walk(ShortRun.MODEL)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = model.resolve(ShortRun.MODEL.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
        return model;
    }
}
