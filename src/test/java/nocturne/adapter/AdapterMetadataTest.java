package nocturne.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.Map;
import nocturne.adapter.AdapterMetadata.Family;
import nocturne.adapter.AdapterMetadata.Training;
import nocturne.ledger.Ledger;
import org.junit.jupiter.api.Test;

class AdapterMetadataTest {
    private static final Training TRAINING =
            new Training(16, 8, 400, 1000, 12, 1e-4, "adamw", "cosine", "sigmoid", 33, 2, 1024, 42);

    static AdapterMetadata sample() {
        return new AdapterMetadata("maya", "maya woman", "Qwen/Qwen-Image", Family.QWEN_IMAGE, TRAINING, "0.1.0",
                Map.of("recipe", "ab12"));
    }

    @Test
    @Ledger("S1-06")
    void everyGroupOfReadersFindsItsKeys() throws Exception {
        Map<String, String> header = sample().toHeader("cd34", "BF16");
        assertThat(header).containsEntry("format", "pt")
                .containsEntry("ss_base_model_version", "qwen_image")
                .containsEntry("ss_sd_model_name", "Qwen/Qwen-Image")
                .containsEntry("ss_network_dim", "16")
                .containsEntry("ss_tag_frequency", "{\"1_maya woman\":{\"maya woman\":1}}")
                .containsEntry("sshs_model_hash", "cd34")
                .containsEntry("modelspec.sai_model_spec", "1.0.0")
                .containsEntry("modelspec.architecture", "Qwen-Image/lora")
                .containsEntry("modelspec.trigger_phrase", "maya woman")
                .containsEntry("training_info", "{\"step\":400,\"epoch\":12}");
        assertThat(new ObjectMapper().readTree(header.get("nocturne")).path("recipe").textValue()).isEqualTo("ab12");
    }

    @Test
    void noPathOfThisMachineGetsIntoTheFile() {
        for (String path : new String[] {"/home/maya/models/qwen", "C:\\models\\qwen", "~/models/qwen", "/qwen/"}) {
            AdapterMetadata metadata = new AdapterMetadata("x", null, path, Family.QWEN_IMAGE, TRAINING, "0.1.0",
                    Map.of("dataset", path));
            Map<String, String> header = metadata.toHeader("", "F16");
            assertThat(header).containsEntry("ss_sd_model_name", "qwen");
            assertThat(header.values()).noneMatch(value -> value.contains("maya") || value.contains("models"));
        }
    }

    @Test
    void longTextsAreCutAndAHugeHeaderIsRefused() {
        AdapterMetadata metadata = new AdapterMetadata("x".repeat(100_000), "\ud83c\udf19".repeat(100_000), "m",
                Family.QWEN_IMAGE, TRAINING, "0.1.0", Map.of());
        int bytes = metadata.toHeader("", "F16").values().stream().mapToInt(String::length).sum();
        assertThat(bytes).isLessThan(AdapterMetadata.MAX_BYTES);
        Map<String, String> huge = new HashMap<>();
        for (int i = 0; i < 100; i++) huge.put("key" + i, "v".repeat(1000));
        assertThatThrownBy(() -> new AdapterMetadata("x", null, "m", Family.QWEN_IMAGE, TRAINING, "0", huge)
                .toHeader("", "F16")).isInstanceOf(IllegalArgumentException.class);
    }
}
