package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import nocturne.cpu.CpuBackend;
import nocturne.image.Picture;
import nocturne.io.SafetensorsFolder;
import nocturne.io.TensorEntry;
import nocturne.io.TensorSource;
import nocturne.problem.UserMistake;
import nocturne.qwen.PromptEncoder.Prompt;
import nocturne.qwen.TextEncoder.Input;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PromptEncoderTest {
    private static final Path TINY = Path.of("models/qwen-image-tiny");
    private static final CpuBackend BACKEND = new CpuBackend(2);

    @AfterAll
    static void closeBackend() {
        BACKEND.close();
    }

    private static Picture picture(int width, int height, int seed) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i * 31 * seed + i / (3 * width) * seed);
        return new Picture(width, height, rgb);
    }

    /// Otherwise a job resumed with half its captions cached would not end in the same bits.
    @Test
    void aPromptsEmbeddingDoesNotDependOnItsNeighbours() {
        List<Prompt> prompts = List.of(Prompt.ofWords("a large green star, white background"), Prompt.ofWords(" "),
                new Prompt("make the shape red", List.of(picture(64, 48, 3))),
                new Prompt("both", List.of(picture(80, 48, 5), picture(30, 70, 7))));
        try (PromptEncoder encoder = PromptEncoder.open(TINY, PromptTemplate.EDIT_PLUS, BACKEND)) {
            List<PromptEmbedding> together = encoder.encode(prompts);
            for (int i = 0; i < prompts.size(); i++) {
                PromptEmbedding alone = encoder.encode(prompts.get(i));
                assertThat(together.get(i).rows()).as("prompt %d", i).isEqualTo(alone.rows());
                assertThat(alone.tokens()).isEqualTo(encoder.tokens(prompts.get(i)));
                for (float number : alone.rows()) assertThat(number).isFinite();
            }
        }
    }

    @Test
    void theControlPictureIsSeen() {
        try (PromptEncoder encoder = PromptEncoder.open(TINY, PromptTemplate.EDIT_PLUS, BACKEND)) {
            PromptEmbedding first = encoder.encode(new Prompt("make it red", List.of(picture(64, 64, 3))));
            int width = first.width();
            float[] one = first.rows();
            float[] other = encoder.encode(new Prompt("make it red", List.of(picture(64, 64, 5)))).rows();
            assertThat(one).hasSameSizeAs(other);
            // The last row has looked back at the whole picture.
            assertThat(Arrays.copyOfRange(one, one.length - width, one.length))
                    .isNotEqualTo(Arrays.copyOfRange(other, other.length - width, other.length));
        }
    }

    @Test
    void promptsThatDoNotFitTheModelAreRefused() {
        try (PromptEncoder plus = PromptEncoder.open(TINY, PromptTemplate.EDIT_PLUS, BACKEND);
                PromptEncoder words = PromptEncoder.open(TINY, PromptTemplate.TEXT_TO_IMAGE, BACKEND);
                PromptEncoder edit = PromptEncoder.open(TINY, PromptTemplate.EDIT, BACKEND)) {
            assertThat(catchThrowableOfType(UserMistake.class, () ->
                    plus.encode(Prompt.ofWords("like " + Tokenizer.IMAGE_PAD)))).hasMessageContaining("Picture 1");
            assertThat(catchThrowableOfType(UserMistake.class, () ->
                    words.encode(new Prompt("a cat", List.of(picture(64, 64, 1)))))).hasMessageContaining("no control");
            assertThat(catchThrowableOfType(UserMistake.class, () -> edit.encode(Prompt.ofWords("make it red"))))
                    .hasMessageContaining("exactly one");
            // Without a vision tower the placeholder is a word like any other.
            assertThat(words.encode(Prompt.ofWords("like " + Tokenizer.IMAGE_PAD)).tokens()).isPositive();
        }
    }

    @Test
    void anOverlongPromptKeepsItsFirstTokens() {
        try (PromptEncoder words = PromptEncoder.open(TINY, PromptTemplate.TEXT_TO_IMAGE, BACKEND)) {
            assertThat(words.encode(Prompt.ofWords("star ".repeat(3000))).tokens())
                    .isEqualTo(PromptTemplate.WORD_LIMIT);
        }
    }

    @Test
    void everythingMissingIsToldAtOnce(@TempDir Path folder) {
        UserMistake mistake = catchThrowableOfType(UserMistake.class,
                () -> PromptEncoder.open(folder, PromptTemplate.EDIT_PLUS, BACKEND));
        assertThat(mistake.problems()).hasSize(3);
        assertThat(mistake.report()).contains("tokenizer", "config.json", "preprocessor_config.json");
    }

    @Test
    void weightsThatDoNotFitTheConfigAreNamedWithBothShapes(@TempDir Path folder) throws IOException {
        copy(TINY.resolve("text_encoder"), folder);
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config)
                .replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4")
                .replace("\"intermediate_size\": 128", "\"intermediate_size\": 96"));
        assertThat(catchThrowableOfType(UserMistake.class,
                () -> TextEncoder.open(folder, EncoderLoading.PLAIN, BACKEND)).report())
                .contains("model.layers.3.mlp.up_proj.weight", "model.layers.0.mlp.down_proj.weight is [64, 128]",
                        "makes it [64, 96]");
        Files.writeString(config, Files.readString(config).replace("\"depth\": 2", "\"depth\": 3"));
        assertThat(catchThrowableOfType(UserMistake.class,
                () -> VisionTower.open(folder, EncoderLoading.PLAIN, BACKEND)).report())
                .contains("has no tensor visual.blocks.2.attn.qkv.weight");
    }

    @Test
    void aConfigOfAnotherModelIsRefusedWithEveryReason(@TempDir Path folder) throws IOException {
        copy(TINY.resolve("text_encoder"), folder);
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config)
                .replace("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"")
                .replace("\"rms_norm_eps\": 1e-06", "\"rms_norm_eps\": 0").replace("\"vocab_size\"", "\"vocabulary\"")
                .replace("\"num_attention_heads\": 4", "\"num_attention_heads\": 3"));
        assertThat(catchThrowableOfType(UserMistake.class,
                () -> TextEncoder.open(folder, EncoderLoading.PLAIN, BACKEND)).report())
                .contains("hidden_act", "rms_norm_eps", "vocab_size", "num_key_value_heads", "mrope_section");
        Files.delete(config);
        assertThat(catchThrowableOfType(UserMistake.class,
                () -> VisionTower.open(folder, EncoderLoading.PLAIN, BACKEND)).report())
                .contains("config.json", "is missing");
    }

    @Test
    void aTokenizerOfAnotherModelIsRefused(@TempDir Path folder) throws IOException {
        for (String part : List.of("tokenizer", "text_encoder")) {
            copy(TINY.resolve(part), Files.createDirectory(folder.resolve(part)));
        }
        Path config = folder.resolve("text_encoder/config.json");
        Files.writeString(config,
                Files.readString(config).replace("\"image_token_id\": 613", "\"image_token_id\": 151655"));
        assertThat(catchThrowableOfType(UserMistake.class,
                () -> PromptEncoder.open(folder, PromptTemplate.TEXT_TO_IMAGE, BACKEND)).report())
                .contains("different models");
    }

    /// Newer libraries save the language model and the tower under longer names and nest its settings.
    @ParameterizedTest
    @ValueSource(strings = {"model.language_model.", "language_model.model."})
    void bothFamiliesOfNamesGiveTheSameFeatures(String language) {
        Path folder = TINY.resolve("text_encoder");
        TextEncoderConfig config = TextEncoderConfig.read(folder.resolve("config.json"));
        int[] ids = {3, 1, 4, 1, 5, 9, 2, 6};
        VisionTowerConfig towerConfig = VisionTowerConfig.read(folder.resolve("config.json"));
        VisionPatches patches = VisionPreprocessor.open(TINY.resolve("processor")).patches(List.of(picture(60, 90, 3)));
        TensorSource renamed = new Renamed(SafetensorsFolder.open(folder), language);
        TensorSource renamedAgain = new Renamed(SafetensorsFolder.open(folder), language);
        try (TextEncoder released = TextEncoder.open(folder, EncoderLoading.PLAIN, BACKEND);
                TextEncoder newer = new TextEncoder(config, renamed, EncoderLoading.PLAIN, BACKEND);
                VisionTower releasedTower = VisionTower.open(folder, EncoderLoading.PLAIN, BACKEND);
                VisionTower newerTower = new VisionTower(towerConfig, renamedAgain, EncoderLoading.PLAIN, BACKEND)) {
            assertThat(newer.encode(List.of(Input.ofWords(ids))).getFirst())
                    .isEqualTo(released.encode(List.of(Input.ofWords(ids))).getFirst());
            assertThat(newerTower.encode(patches)).isEqualTo(releasedTower.encode(patches));
        }
    }

    @Test
    void nestedSettingsAreReadToo(@TempDir Path folder) throws IOException {
        ObjectMapper json = new ObjectMapper();
        var flat = (ObjectNode)
                json.readTree(TINY.resolve("text_encoder/config.json").toFile());
        var nested = json.createObjectNode();
        nested.set("image_token_id", flat.get("image_token_id"));
        nested.set("vision_config", flat.get("vision_config"));
        var rope = json.createObjectNode();
        rope.set("rope_theta", flat.remove("rope_theta"));
        rope.set("mrope_section", flat.remove("rope_scaling").get("mrope_section"));
        flat.set("rope_parameters", rope);
        nested.set("text_config", flat);
        Path file = folder.resolve("config.json");
        json.writeValue(file.toFile(), nested);
        assertThat(TextEncoderConfig.read(file))
                .isEqualTo(TextEncoderConfig.read(TINY.resolve("text_encoder/config.json")));
        assertThat(VisionTowerConfig.read(file))
                .isEqualTo(VisionTowerConfig.read(TINY.resolve("text_encoder/config.json")));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            files.forEach(file -> {
                try {
                    Files.copy(file, to.resolve(file.getFileName()));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    /// The same tensors under the names that newer libraries use.
    private record Renamed(TensorSource source, String language) implements TensorSource {
        private String newer(String name) {
            if (name.startsWith("visual.")) return "model." + name;
            return name.startsWith("model.") ? language + name.substring("model.".length()) : name;
        }

        @Override
        public String where() {
            return source.where();
        }

        @Override
        public Map<String, String> metadata() {
            return source.metadata();
        }

        @Override
        public SequencedMap<String, TensorEntry> tensors() {
            SequencedMap<String, TensorEntry> renamed = new LinkedHashMap<>();
            source.tensors().forEach((name, entry) -> renamed.put(newer(name), entry));
            return renamed;
        }

        @Override
        public MemorySegment bytes(String name) {
            return source.bytes(entry(name).name());
        }

        @Override
        public void close() {
            source.close();
        }
    }
}
