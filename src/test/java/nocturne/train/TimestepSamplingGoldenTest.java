package nocturne.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import nocturne.golden.Golden;
import nocturne.qwen.FlowMatchConfig;
import nocturne.qwen.FlowMatchSchedule;
import nocturne.tensor.Philox;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Compares tables with those of ai-toolkit's scheduler, and draws with two million draws of its trainer.
class TimestepSamplingGoldenTest {
    /// Of 1000; half of it is the rounding of float32 in the reference.
    private static final float TABLE_TOLERANCE = 1e-3f;
    private static final float WEIGHT_TOLERANCE = 1e-5f;

    /// 200,000 draws: the standard error of a bin is at most 0.0012, that of the CDF 0.0016. Where the table itself is
    /// random, tables count and not draws: one table's CDF strays by up to 0.1, the mean of 4000 by 0.0016.
    private static final int BATCHES = 4000;
    private static final int BATCH = 50;
    private static final double CDF_TOLERANCE = 0.01;
    private static final double BIN_TOLERANCE = 0.004;

    private final JsonNode golden = Golden.json("golden/timesteps.json");

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> shiftTablesAreThoseOfTheReference() throws IOException {
        FlowMatchConfig config = config();
        return golden.get("tables").properties().stream()
                .filter(table -> table.getValue().has("image_seq_len"))
                .map(table -> dynamicTest(table.getKey(), () -> {
                    float[] expected = floats(table.getValue().get("timesteps"));
                    int tokens = table.getValue().get("image_seq_len").intValue();
                    assertThat(FlowMatchSchedule.trainingTimesteps(config, expected.length, tokens))
                            .hasSameSizeAs(expected).containsExactly(expected, within(TABLE_TOLERANCE));
                }));
    }

    @Test
    void theLinearTableIsThatOfTheReference() {
        float[] head = floats(golden.at("/tables/linear/timesteps_head"));
        assertThat(TimestepTables.linear()).hasSize(1000).startsWith(head).endsWith(1);
    }

    @Test
    void theEmpiricalWeightsAreThoseOfTheReference() {
        assertThat(TimestepTables.empiricalWeights())
                .containsExactly(floats(golden.at("/tables/weighted/loss_weight_by_index")));
    }

    @Test
    void theBellWeightsAreThoseOfTheReference() {
        JsonNode bell = golden.at("/tables/bell_linear_timesteps");
        int stride = bell.get("stride").intValue();
        assertThat(everyNth(TimestepTables.bell(false), stride))
                .containsExactly(floats(bell.get("weights")), within(WEIGHT_TOLERANCE));
        assertThat(everyNth(TimestepTables.bell(true), stride))
                .containsExactly(floats(bell.get("weights_v2")), within(WEIGHT_TOLERANCE));
    }

    /// Keys are `type/bias` or `type/bias/window_low_high`.
    @TestFactory
    Stream<DynamicTest> drawsFollowTheLawOfTheReference() throws IOException {
        FlowMatchConfig config = config();
        int tokens = golden.at("/tables/next_sample_8/image_seq_len").intValue();
        return golden.get("sampling").properties().stream().map(entry -> dynamicTest(entry.getKey(), () -> {
            TimestepSampling sampling = sampling(entry.getKey(), config);
            List<Timestep> drawn = new ArrayList<>();
            for (int batch = 0; batch < BATCHES; batch++) {
                drawn.addAll(sampling.draw(Philox.stream(17, "timesteps", batch, 0), BATCH, tokens));
            }
            assertLaw(drawn, entry.getValue());
        }));
    }

    private static void assertLaw(List<Timestep> drawn, JsonNode law) {
        var indices = drawn.stream().mapToInt(Timestep::index).summaryStatistics();
        assertThat(indices.getMin()).as("smallest index").isEqualTo(law.get("index_min").intValue());
        assertThat(indices.getMax()).as("largest index").isEqualTo(law.get("index_max").intValue());

        double[] bins = Golden.numbers(law.get("index_hist"));
        // The windowed cases leave their edges out; they are those of the others: 20 equal bins of the table.
        double binWidth = law.has("index_hist_edges")
                ? law.at("/index_hist_edges/1").doubleValue() : 1000.0 / bins.length;
        double[] counts = new double[bins.length];
        for (Timestep timestep : drawn) counts[(int) (timestep.index() / binWidth)]++;
        for (int bin = 0; bin < bins.length; bin++) {
            assertThat(counts[bin] / drawn.size()).as("bin " + bin).isCloseTo(bins[bin], within(BIN_TOLERANCE));
        }
        if (law.has("mean_index")) {
            // The spread of an index is at most 500; five standard errors.
            assertThat(indices.getAverage()).as("mean index").isCloseTo(law.get("mean_index").doubleValue(),
                    within(5 * 500 / Math.sqrt(drawn.size())));
        }
        if (!law.has("cdf")) return;

        double[] at = Golden.numbers(law.get("cdf_at"));
        double[] cdf = Golden.numbers(law.get("cdf"));
        for (int i = 0; i < at.length; i++) {
            double limit = at[i];
            long below = drawn.stream().filter(timestep -> timestep.t() <= limit).count();
            assertThat((double) below / drawn.size()).as("CDF at " + limit).isCloseTo(cdf[i], within(CDF_TOLERANCE));
        }
        double mean = drawn.stream().mapToDouble(Timestep::t).average().orElseThrow();
        double variance = drawn.stream().mapToDouble(x -> (x.t() - mean) * (x.t() - mean)).average().orElseThrow();
        assertThat(mean).as("mean").isCloseTo(law.get("mean").doubleValue(), within(BIN_TOLERANCE));
        assertThat(Math.sqrt(variance)).as("spread").isCloseTo(law.get("std").doubleValue(), within(BIN_TOLERANCE));
    }

    @Test
    void noisyLatentsAndTargetAreThoseOfTheReference() {
        JsonNode example = golden.get("add_noise");
        for (int sample = 0; sample < example.get("timestep").size(); sample++) {
            Timestep timestep = new Timestep(example.get("timestep").get(sample).floatValue() / 1000, 0, 1);
            float[] latents = floats(example.get("x0").get(sample));
            float[] noise = floats(example.get("noise").get(sample));
            float[] noisy = floats(example.get("noisy").get(sample));
            float[] target = floats(example.get("target").get(sample));
            for (int i = 0; i < latents.length; i++) {
                assertThat(timestep.noisy(latents[i], noise[i])).isCloseTo(noisy[i], within(1e-6f));
                assertThat(Timestep.target(latents[i], noise[i])).isCloseTo(target[i], within(1e-6f));
            }
        }
    }

    private static TimestepSampling sampling(String key, FlowMatchConfig config) {
        String[] parts = key.toUpperCase(Locale.ROOT).split("/");
        int low = 0;
        int high = TimestepSampling.LAST_INDEX;
        if (parts.length > 2) {
            String[] window = parts[2].split("_");
            low = Integer.parseInt(window[1]);
            high = Integer.parseInt(window[2]);
        }
        return new TimestepSampling(TimestepType.valueOf(parts[0]), TimestepBias.valueOf(parts[1]), BellWeights.NONE,
                low, high, TimestepSampling.NEXT_SAMPLE_STEPS, config);
    }

    private FlowMatchConfig config() throws IOException {
        Path file = folder.resolve("scheduler_config.json");
        Files.writeString(file, new ObjectMapper().writeValueAsString(golden.get("scheduler_config")));
        return FlowMatchConfig.read(file);
    }

    private static float[] everyNth(float[] table, int stride) {
        float[] picked = new float[table.length / stride];
        for (int i = 0; i < picked.length; i++) picked[i] = table[i * stride];
        return picked;
    }

    private static float[] floats(JsonNode list) {
        float[] values = new float[list.size()];
        for (int i = 0; i < values.length; i++) values[i] = list.get(i).floatValue();
        return values;
    }
}
