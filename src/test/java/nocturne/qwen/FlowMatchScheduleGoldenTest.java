package nocturne.qwen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import nocturne.golden.Golden;
import nocturne.problem.UserMistake;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Compares with what diffusers' scheduler computed, in the tolerance of float32 in its order of operations.
class FlowMatchScheduleGoldenTest {
    private static final float SIGMA_TOLERANCE = 2e-6f;
    private static final float TIMESTEP_TOLERANCE = 1e-3f;

    private final JsonNode scheduler = Golden.json("golden/scheduler.json");

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> sigmasAndTimestepsAreThoseOfTheReference() throws IOException {
        FlowMatchConfig config = config(scheduler.get("config"));
        return StreamSupport.stream(scheduler.get("cases").spliterator(), false).map(golden -> {
            int steps = golden.get("num_inference_steps").intValue();
            int tokens = golden.get("image_seq_len").intValue();
            return dynamicTest("%d steps, %d tokens".formatted(steps, tokens), () -> {
                assertThat(config.mu(tokens)).isCloseTo(golden.get("mu").doubleValue(), within(1e-12));
                if (!golden.has("sigmas")) {
                    // The reference divides by zero here; we say so.
                    assertThatThrownBy(() -> FlowMatchSchedule.of(config, steps, tokens))
                            .isInstanceOf(UserMistake.class);
                    return;
                }
                FlowMatchSchedule schedule = FlowMatchSchedule.of(config, steps, tokens);
                assertSigmas(schedule, floats(golden.get("sigmas")));
                float[] timesteps = floats(golden.get("timesteps"));
                assertThat(timesteps).hasSize(steps);
                for (int i = 0; i < steps; i++) {
                    assertThat(schedule.timestep(i)).as("timestep " + i)
                            .isCloseTo(timesteps[i], within(TIMESTEP_TOLERANCE));
                }
            });
        });
    }

    @TestFactory
    Stream<DynamicTest> theSteppedWalkIsThatOfTheReference() throws IOException {
        FlowMatchConfig config = config(scheduler.get("config"));
        JsonNode walk = scheduler.get("steps");
        float second = walk.get(1).get("timestep").floatValue();
        // The file does not say for how many tokens the walk is; its second timestep tells.
        FlowMatchSchedule schedule = IntStream.rangeClosed(1, 16384)
                .mapToObj(tokens -> FlowMatchSchedule.of(config, walk.size(), tokens))
                .min(Comparator.comparingDouble(candidate -> Math.abs(candidate.timestep(1) - second))).orElseThrow();
        List<DynamicTest> tests = new ArrayList<>();
        for (int i = 0; i < walk.size(); i++) {
            int index = i;
            JsonNode golden = walk.get(i);
            tests.add(dynamicTest("step " + i, () -> {
                assertThat(schedule.timestep(index)).isCloseTo(golden.get("timestep").floatValue(),
                        within(TIMESTEP_TOLERANCE));
                float[] latents = floats(golden.get("sample"));
                schedule.step(index, latents, floats(golden.get("velocity")));
                float[] expected = floats(golden.get("prev_sample"));
                // The velocity is at most about 3, and so is what an error of sigma does.
                assertThat(latents).hasSameSizeAs(expected).containsExactly(expected, within(3 * SIGMA_TOLERANCE));
            }));
        }
        return tests.stream();
    }

    @TestFactory
    Stream<DynamicTest> samplingCasesHaveTheSigmasOfTheReference() throws IOException {
        FlowMatchConfig config = config(scheduler.get("config"));
        JsonNode sample = Golden.json("golden/sample.json");
        int steps = sample.get("steps").intValue();
        return sample.get("cases").properties().stream().map((Map.Entry<String, JsonNode> golden) ->
                dynamicTest(golden.getKey(), () -> {
                    // One token is two by two latents, one latent eight by eight pixels.
                    int tokens = golden.getValue().get("height").intValue() / 16
                            * (golden.getValue().get("width").intValue() / 16);
                    assertSigmas(FlowMatchSchedule.of(config, steps, tokens),
                            floats(golden.getValue().get("sigmas")));
                }));
    }

    private static void assertSigmas(FlowMatchSchedule schedule, float[] expected) {
        assertThat(schedule.steps() + 1).isEqualTo(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(schedule.sigma(i)).as("sigma " + i).isCloseTo(expected[i], within(SIGMA_TOLERANCE));
        }
        assertThat(schedule.sigma(schedule.steps())).isZero();
    }

    private FlowMatchConfig config(JsonNode golden) throws IOException {
        Path file = folder.resolve("scheduler_config.json");
        Files.writeString(file, new ObjectMapper().writeValueAsString(golden));
        return FlowMatchConfig.read(file);
    }

    private static float[] floats(JsonNode list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) values[i] = list.get(i).floatValue();
        return values;
    }
}
