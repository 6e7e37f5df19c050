package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import nocturne.adapter.LinearShape;
import nocturne.adapter.Lora;
import nocturne.adapter.LoraLayout;
import nocturne.cpu.CpuBackend;
import nocturne.io.DType;
import nocturne.io.SafetensorsWriter;
import nocturne.io.TensorData;
import nocturne.recipe.Notice;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A model of two layers, of which the first is trained at rank 2.
class SecondLoraTest {
    private static final String TRAINED = "transformer_blocks.0.attn.to_q";
    private static final String OTHER = "transformer_blocks.0.attn.to_k";
    private static final LoraLayout LAYOUT = LoraLayout.of(layers(TRAINED), 2);

    @TempDir
    private Path bundle = Path.of("");

    private final List<TensorData> tensors = new ArrayList<>();

    private static SequencedMap<String, LinearShape> layers(String... names) {
        SequencedMap<String, LinearShape> layers = new LinkedHashMap<>();
        for (String name : names) layers.put(name, new LinearShape(8, 8));
        return layers;
    }

    private void put(String name, float value, int rows, int columns) {
        float[] values = new float[rows * columns];
        Arrays.fill(values, value);
        tensors.add(TensorData.floats(name, DType.F32, List.of((long) rows, (long) columns), values));
    }

    private void putLora(String layer, int rank, float value) {
        put(layer + ".lora_A.weight", value, rank, 8);
        put(layer + ".lora_B.weight", value, 8, rank);
    }

    private void write() {
        SafetensorsWriter.write(bundle.resolve("style.safetensors"), Map.of(), tensors);
        tensors.clear();
    }

    private SecondLora second() {
        return new SecondLora(bundle, "style.safetensors", layers(TRAINED, OTHER));
    }

    /// In words about the probe, not about a training that goes on from the file, and without folders of the machine.
    private void warns(String why) {
        assertThat(second().warning(LAYOUT)).hasValueSatisfying(notice -> {
            assertThat(notice.isWarning()).isTrue();
            assertThat(notice.toString()).startsWith("probe.second_lora: style.safetensors").contains(why)
                    .endsWith(", so the two pictures with it will be left out.")
                    .doesNotContain(bundle.toString(), "continue", "start from", "set network.linear");
        });
    }

    @Test
    void oneThatFitsIsNotSpokenOf() {
        putLora(TRAINED, 1, 0.5f);
        write();
        assertThat(second().warning(LAYOUT).map(Notice::toString)).isEmpty();
    }

    @Test
    void whatItsHeaderTellsIsSaidBeforeTheTraining() throws IOException {
        warns("does not exist");
        Files.writeString(bundle.resolve("style.safetensors"), "no tensors");
        warns("style.safetensors");
        putLora("transformer.h.0.attn", 1, 0.5f);
        write();
        warns("is not an adapter for this model");
        putLora(TRAINED, 4, 0.5f);
        write();
        warns("has rank 4, and it is drawn in the room of the new one, which has rank 2 (network.linear)");
        putLora(TRAINED, 1, 0.5f);
        putLora(OTHER, 1, 0.5f);
        write();
        warns("changes layers that are not trained here (network.network_kwargs), 1 of its 2, " + OTHER);
        put(TRAINED + ".lokr_w1", 0.5f, 2, 2);
        put(TRAINED + ".lokr_w2", 0.5f, 4, 4);
        write();
        warns("is a LoKr, and only a LoRA can be drawn");
        put(TRAINED + ".lora_A.weight", 0.5f, 1, 9);
        put(TRAINED + ".lora_B.weight", 0.5f, 8, 1);
        write();
        warns("with the shape [1, 9] where [1, 8] is needed");
    }

    /// Values are read when they are drawn with, not sooner.
    @Test
    void whatIsWrongWithItsValuesIsSaidWhenTheyAreRead() {
        putLora(TRAINED, 1, Float.NaN);
        write();
        assertThat(second().warning(LAYOUT).map(Notice::toString)).isEmpty();
        try (CpuBackend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            Lora lora = new Lora(LAYOUT, 2, backend, arena);
            float[] values = new float[(int) LAYOUT.parameters()];
            assertThat(second().read(lora, values)).hasValueSatisfying(
                    why -> assertThat(why).startsWith("style.safetensors").contains("NaN"));
            putLora(TRAINED, 1, 0.5f);
            write();
            assertThat(second().read(lora, values)).isEmpty();
            assertThat(values).contains(0.5f);
        }
    }
}
