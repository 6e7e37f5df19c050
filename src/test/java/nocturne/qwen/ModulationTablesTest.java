package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import nocturne.cpu.CpuBackend;
import nocturne.cuda.Simulated;
import nocturne.io.DType;
import nocturne.quant.LayerFormats;
import nocturne.tensor.Backend;
import nocturne.tensor.Philox;
import nocturne.tensor.Tape;
import nocturne.tensor.TensorArena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the modulation layers answer is computed ahead: how far, and with which other noise levels, changes no bit.
class ModulationTablesTest {
    private static final ModelFolder MODEL = ModelFolder.open(Path.of("models/qwen-image-tiny"));
    private static final Loading TABULATED =
            new Loading(LayerFormats.NONE, null, new Residency(MODEL.transformerConfig().layers(), 2, true));

    private static float[] output(QwenImageTransformer model, Backend backend, TensorArena arena, float... levels) {
        try (TensorArena.Scope scope = arena.scope()) {
            TransformerConfig config = model.config();
            Grid grid = new Grid(2, 2);
            int batch = levels.length;
            TransformerInput input = new TransformerInput(
                    backend.tensor(arena, normal("tokens", batch * grid.tokens() * config.tokenWidth()),
                            batch * grid.tokens(), config.tokenWidth()),
                    backend.tensor(arena, normal("text", batch * 3 * config.textWidth()), batch * 3,
                            config.textWidth()),
                    IntStream.generate(() -> 3).limit(batch).toArray(), levels, List.of(grid));
            return backend.toArray(model.forward(Tape.inference(backend, arena), input, block -> Tape.Keep.ALL));
        }
    }

    private static float[] normal(String name, int count) {
        float[] numbers = new float[count];
        Philox.stream(5, name).fillNormal(numbers, 0);
        return numbers;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "BF16"})
    void announcedOrNotTheNumbersAreThoseOfTheLayers(DType activations) {
        float[] expected;
        float[] expectedOfTwo;
        try (Backend backend = Simulated.backend(activations); TensorArena arena = backend.newArena()) {
            QwenImageTransformer model = MODEL.loadTransformer(backend, arena);
            expected = output(model, backend, arena, 0.3f);
            expectedOfTwo = output(model, backend, arena, 0.3f, 0.8f);
        }
        try (Backend backend = Simulated.backend(activations); TensorArena arena = backend.newArena()) {
            QwenImageTransformer model = MODEL.loadTransformer(TABULATED, backend, arena);
            assertThat(model.isReadyFor(0.3f)).isFalse();
            assertThat(output(model, backend, arena, 0.3f)).as("not announced").isEqualTo(expected);
            assertThat(model.isReadyFor(0.3f)).isTrue();
        }
        try (Backend backend = Simulated.backend(activations); TensorArena arena = backend.newArena()) {
            QwenImageTransformer model = MODEL.loadTransformer(TABULATED, backend, arena);
            float[] coming = new float[40];
            for (int i = 0; i < coming.length; i++) coming[i] = i * 0.02f;
            coming[37] = 0.3f;
            coming[38] = 0.8f;
            model.announce(arena, coming);
            assertThat(model.isReadyFor(coming)).isTrue();
            assertThat(output(model, backend, arena, 0.3f)).as("one of forty").isEqualTo(expected);
            assertThat(output(model, backend, arena, 0.3f, 0.8f)).as("two at once").isEqualTo(expectedOfTwo);
        }
    }

    /// Those that were used last stay.
    @Test
    void thereIsRoomForSoMany() {
        try (Backend backend = Simulated.backend(DType.BF16); TensorArena arena = backend.newArena()) {
            QwenImageTransformer model = MODEL.loadTransformer(TABULATED, backend, arena);
            float[] first = {0.25f, 0.5f};
            model.announce(arena, first);
            float[] expected = output(model, backend, arena, 0.25f);
            float[] others = new float[ModulationTables.MOST - 2];
            for (int i = 0; i < others.length; i++) others[i] = 1 - i / 1024f;
            others[others.length - 1] = 0.001f;
            model.announce(arena, others);
            assertThat(model.isReadyFor(first)).isTrue();
            model.announce(arena, 0.25f, 0.002f);
            assertThat(model.isReadyFor(0.5f)).as("0.5 made room").isFalse();
            assertThat(model.isReadyFor(0.25f, 0.001f, 0.002f)).isTrue();
            assertThat(output(model, backend, arena, 0.25f)).isEqualTo(expected);
        }
    }

    /// Where the device's memory is the host's there is nothing to save.
    @Test
    void onTheProcessorLayersAreComputed() {
        try (Backend backend = new CpuBackend(1); TensorArena arena = backend.newArena()) {
            QwenImageTransformer model = MODEL.loadTransformer(TABULATED, backend, arena);
            assertThat(model.wantsAnnouncements()).isFalse();
            assertThat(model.isReadyFor(0.3f)).isTrue();
            model.announce(arena, 0.3f);
            assertThat(output(model, backend, arena, 0.3f))
                    .isEqualTo(output(MODEL.loadTransformer(backend, arena), backend, arena, 0.3f));
        }
    }
}
